"""The Azure AD technical profile: an account is read, written or deleted.

https://learn.microsoft.com/azure/active-directory-b2c/active-directory-technical-profile
"""

from __future__ import annotations

from typing import Any

from sandbox.b2c.engine import claims
from sandbox.b2c.engine.running import NO_ACCOUNT, Refused, Running, Untellable
from sandbox.b2c.engine.values import Unknown
from sandbox.b2c.reading.definitions import Profile


def use(run: Running, profile: Profile) -> str:
    """
    Raises:
        Refused: there is no such account, or one too many.
    """
    operation = profile.setting("Operation").lower()
    if operation not in ("read", "write", "deleteclaims", "deleteclaimsprincipal"):
        raise Untellable(f"{profile.id} has no Operation that is documented")
    account = _account(run, profile)
    if account is None:
        return _absent(run, profile, operation)
    if isinstance(account, Unknown):
        question = f"whether {profile.id} finds the account: {account.why}"
        if run.choices.pick(f"account {profile.id}", ("finds it", "does not"), question) != "finds it":
            return _absent(run, profile, operation)
        claims.given(run, profile, {one.partner: account for one in profile.outputs.values()})
        return "took the account as found"
    if operation == "read":
        return _read(run, profile, account)
    return _write(run, profile, account, operation)


def _account(run: Running, profile: Profile) -> Any:
    sent = claims.taken(run, profile, profile.inputs.values())
    for partner, value in sent.items():
        return value if isinstance(value, Unknown) else run.around.find(partner, value)
    return Unknown(f"{profile.id} has no key to find an account by")


def _absent(run: Running, profile: Profile, operation: str) -> str:
    code = NO_ACCOUNT if run.refreshing else None
    if operation == "write" and not profile.true("RaiseErrorIfClaimsPrincipalDoesNotExist"):
        raise Untellable(f"{profile.id} makes a new account, which is not followed here")
    setting = profile.setting("RaiseErrorIfClaimsPrincipalDoesNotExist").lower()
    if setting == "false":
        for one in profile.outputs.values():
            run.type_of(one.id)
        return "found no account"
    if not setting and not run.either(f"absent {profile.id}", f"whether {profile.id} fails without an account"):
        return "found no account"
    raise Refused(f"{profile.id}: there is no such account", code)


def _read(run: Running, profile: Profile, account: Any) -> str:
    found = {one.partner: run.around.attribute(account, one.partner, run.choices) for one in profile.outputs.values()}
    if run.refreshing and run.around.attribute(account, "accountEnabled", run.choices) is False:
        question = "whether reading a disabled account fails a refresh by itself"
        if run.choices.pick("disabled-at-refresh", ("fails", "passes"), question) == "fails":
            raise Refused(f"{profile.id}: the account is disabled")
    claims.given(run, profile, found)
    return "read the account"


def _write(run: Running, profile: Profile, account: Any, operation: str) -> str:
    if operation == "write" and profile.true("RaiseErrorIfClaimsPrincipalAlreadyExists"):
        raise Refused(f"{profile.id}: there is an account of that name already")
    if operation == "write":
        values = claims.taken(run, profile, profile.persisted.values())
        run.around.write(account, {name: value for name, value in values.items() if not isinstance(value, Unknown)})
    made = {"newClaimsPrincipalCreated": False}
    for one in profile.outputs.values():
        if one.partner not in made:
            made[one.partner] = run.around.attribute(account, one.partner, run.choices)
    claims.given(run, profile, made)
    return "wrote to the account"
