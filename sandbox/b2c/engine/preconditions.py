"""Whether a step, or a validation, is left out.

https://learn.microsoft.com/azure/active-directory-b2c/userjourneys#preconditions
"""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.b2c.engine.running import Running
from sandbox.b2c.engine.values import Unknown
from sandbox.b2c.reading.definitions import Precondition


def skipped(run: Running, preconditions: Iterable[Precondition]) -> bool:
    """The first one that is met decides."""
    for one in preconditions:
        if _holds(run, one) == one.execute_if:
            if one.action.lower() in ("skipthisorchestrationstep", "skipthisvalidationtechnicalprofile"):
                return True
            return run.either(f"action {one.action}", f"what the action {one.action!r} of a precondition does")
    return False


def _holds(run: Running, one: Precondition) -> bool:
    run.step()
    kind = one.type.lower()
    if kind == "claimsexist":
        return all(run.exists(claim) for claim in one.values)
    if kind == "claimequals" and len(one.values) == 2:
        return _equals(run, one.values[0], one.values[1])
    return run.either(f"precondition {one.type} {one.values}", f"what the precondition {one.type} means")


def _equals(run: Running, claim: str, wanted: str) -> bool:
    value = run.get(claim)
    if value is None:
        return False
    if isinstance(value, Unknown):
        return run.either(f"equals {claim.lower()} {wanted}", f"whether {claim} is {wanted}: {value.why}")
    if isinstance(value, bool):
        if wanted.lower() not in ("true", "false") or wanted in ("True", "False"):
            return wanted == str(value)
        same = wanted.lower() == str(value).lower()
        question = f"whether {claim} is compared with {wanted!r} without regard to case"
        return same and run.either(f"case {wanted}", question)
    return str(value) == wanted
