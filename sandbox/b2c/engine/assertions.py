"""Claims transformations that fail a journey: what is known of them, and what is not.

Microsoft's page and practice disagree about `AssertDateTimeIsGreaterThan`; this follows what was observed.
https://learn.microsoft.com/azure/active-directory-b2c/date-transformations
https://learn.microsoft.com/azure/active-directory-b2c/boolean-claims-transformations
"""

from __future__ import annotations

from typing import Any

from sandbox.b2c.engine.running import REVOKED, Refused, Running
from sandbox.b2c.engine.values import Unknown, moment
from sandbox.b2c.reading.definitions import Transformation

TOLERANCE = "TreatAsEqualIfWithinMillseconds"  # so spelt by Microsoft


def later(run: Running, one: Transformation) -> None:
    """AssertDateTimeIsGreaterThan: the left date must not be earlier than the right one, but for the tolerance.

    Raises:
        Refused: it is earlier.
    """
    left, right = (_operand(run, one, name) for name in ("leftOperand", "rightOperand"))
    if right is None:
        undecided(run, f"{one.id} right", f"whether {one.id} fails when its right operand has no value")
        return
    if left is None:
        undecided(run, f"{one.id} left", f"whether {one.id} fails when its left operand has no value")
        return
    left_date, right_date = moment(left), moment(right)
    if left_date is None or right_date is None:
        why = next((value.why for value in (left, right) if isinstance(value, Unknown)), "an operand is no date")
        undecided(run, f"{one.id} dates", f"how {one.id} compares: {why}")
        return
    apart = abs((left_date - right_date).total_seconds()) * 1000
    tolerance = _tolerance(run, one, apart)
    if apart <= tolerance:
        if (one.parameter("AssertIfEqualTo") or "").lower() != "false":
            question = f"whether {one.id} fails for dates within its tolerance when AssertIfEqualTo is not false"
            undecided(run, f"{one.id} equal", question)
        if left_date < right_date:
            run.notes.append(f"{one.id} treats dates within {tolerance / 1000:g} seconds as equal")
        return
    if left_date < right_date:
        raise Refused(f"{one.id}: {_names(one)}", REVOKED if run.refreshing else None)


def truth(run: Running, one: Transformation) -> None:
    """AssertBooleanClaimIsEqualToValue.

    Raises:
        Refused: the claim has the other value.
    """
    wanted = (one.parameter("valueToCompareTo") or "").lower()
    value = _operand(run, one, "inputClaim")
    if wanted not in ("true", "false"):
        undecided(run, f"{one.id} parameter", f"what {one.id} does without a valueToCompareTo of true or false")
    elif isinstance(value, bool):
        if value != (wanted == "true"):
            raise Refused(f"{one.id}: {_claim(one)} is {str(value).lower()} and must be {wanted}")
    elif value is None:
        undecided(run, f"{one.id} null", f"whether {one.id} fails when {_claim(one)} has no value")
    else:
        why = value.why if isinstance(value, Unknown) else f"{_claim(one)} is no boolean"
        undecided(run, f"{one.id} value", f"whether {one.id} passes: {why}")


def same_text(run: Running, one: Transformation) -> None:
    """AssertStringClaimsAreEqual.

    Raises:
        Refused: the two differ.
    """
    first, second = (_operand(run, one, name) for name in ("inputClaim1", "inputClaim2"))
    if isinstance(first, str) and isinstance(second, str):
        if not equal(first, second, one.parameter("stringComparison") or ""):
            raise Refused(f"{one.id}: the two texts differ")
        return
    unknown = next((value.why for value in (first, second) if isinstance(value, Unknown)), "one has no value")
    undecided(run, f"{one.id} texts", f"whether {one.id} passes: {unknown}")


def equal(first: str, second: str, comparison: str) -> bool:
    return first.lower() == second.lower() if comparison.lower() == "ordinalignorecase" else first == second


def undecided(run: Running, key: str, question: str) -> None:
    if run.choices.pick(f"assertion {key}", ("fails", "passes"), question) == "fails":
        raise Refused(question.replace("whether ", "it is taken that ", 1))


def _operand(run: Running, one: Transformation, name: str) -> Any:
    for claim in one.claims(name):
        run.type_of(claim)
        return run.get(claim)
    return Unknown(f"{one.id} names no {name}")


def _tolerance(run: Running, one: Transformation, apart: float) -> float:
    text = one.parameter(TOLERANCE)
    if text is not None and text.strip().lstrip("-").isdigit():
        return max(float(text), 0)
    if apart > 300_000:
        return 0
    question = f"which tolerance {one.id} has without a {TOLERANCE}"
    return 300_000 if run.choices.pick(f"tolerance {one.id}", ("none", "five minutes"), question) != "none" else 0


def _names(one: Transformation) -> str:
    left, right = one.claims("leftOperand"), one.claims("rightOperand")
    return f"{left[0]} is earlier than {right[0]}"


def _claim(one: Transformation) -> str:
    return next(iter(one.claims("inputClaim")), "its claim")
