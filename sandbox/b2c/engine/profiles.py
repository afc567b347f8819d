"""Technical profiles by their handler: what each does to the claims, and when a page would be needed.

https://learn.microsoft.com/azure/active-directory-b2c/technicalprofiles
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.b2c.engine import claims, directory, rest, sessions
from sandbox.b2c.engine.preconditions import skipped
from sandbox.b2c.engine.running import NO_SESSION, Refused, Running, Untellable
from sandbox.b2c.engine.transformations import transform
from sandbox.b2c.engine.values import Unknown, moment, written
from sandbox.b2c.reading.definitions import Profile

ELSEWHERE = ("openidconnect", "oauth2", "oauth1", "saml2", "wsfed")  # protocols of other identity providers
VERIFYING = ("phonefactorprotocolprovider", "azuremfaprotocolprovider", "onetimepasswordprotocolprovider")
VERIFYING_PAGES = ("phonefactorprotocolprovider",)
ISSUED_AT = "refreshtokenissuedondatetime"


def carry_out(run: Running, profile_id: str) -> str:
    """Run one technical profile as part of a step. What it did, in words.

    Raises:
        Refused: it fails. Untellable, Unlinked: nobody can say.
    """
    profile = run.policy.profile(profile_id)
    if profile.enabled.lower() in ("false", "never"):
        return "is switched off"
    if profile.enabled and profile.enabled.lower() not in ("true", "always"):
        question = f"whether {profile.id} takes part: it is enabled {profile.enabled}"
        if not run.either(f"enabled {profile.id}", question):
            return "taken not to take part"
    if run.request.door == "silent" and (said := sessions.restored(run, profile)):
        return said
    said = _run(run, profile)
    sessions.kept(run, profile)
    return said


def _run(run: Running, profile: Profile) -> str:
    for one in profile.before:
        transform(run, one)
    said = _handler(profile)(run, profile)
    for one in profile.after:
        transform(run, one)
    return said + (f"; {', '.join(profile.after)} passed" if profile.after else "")


def _handler(profile: Profile) -> Callable[[Running, Profile], str]:
    if found := HANDLERS.get(profile.handled_by.lower()):
        return found
    if profile.handled_by.lower() in VERIFYING:
        return _verify
    if not profile.handler and profile.protocol.lower() in ("none", ""):
        return _read_token
    return _elsewhere if profile.protocol.lower() in ELSEWHERE else _unknown


# --- without a page --------------------------------------------------------------------------------


def _read_token(run: Running, profile: Profile) -> str:
    """Protocol None: on a refresh it brings what is inside the refresh token into the journey."""
    if not run.refreshing:
        claims.given(run, profile, {use.partner: _hint(run, use.partner) for use in profile.outputs.values()})
        return "took claims from the request"
    inside = {name.lower(): value for name, value in run.request.token.items()}
    found = {use.partner: inside.get(use.partner.lower()) for use in profile.outputs.values()}
    claims.given(run, profile, found)
    for claim in profile.outputs:  # its type is text in most policies, whatever the token holds
        if claim == ISSUED_AT and (issued := moment(run.get(claim))) and not isinstance(run.get(claim), str):
            run.put(claim, written(issued))
    return "read the refresh token"


def _hint(run: Running, name: str) -> Any:
    return Unknown(f"whether the request carries {name}")


def _transform_only(run: Running, profile: Profile) -> str:
    for name, value in claims.taken(run, profile, profile.inputs.values()).items():
        use = next(one for one in profile.inputs.values() if one.partner == name)
        if run.get(use.id) is None:
            run.put(use.id, value)
    claims.given(run, profile, {})
    return "transformed claims"


def _rest(run: Running, profile: Profile) -> str:
    return rest.ask(run, profile)


def _directory(run: Running, profile: Profile) -> str:
    return directory.use(run, profile)


def _unknown(run: Running, profile: Profile) -> str:
    name = profile.handled_by or profile.protocol
    if run.choices.pick(f"handler {profile.id}", ("passes", "fails"), f"what {name} does in {profile.id}") == "fails":
        raise Refused(f"{profile.id}: {name} is taken to fail")
    why = f"what {name} says in {profile.id}"
    claims.given(run, profile, {use.partner: Unknown(why) for use in profile.outputs.values()})
    return f"did what {name} does, which is not followed here"


# --- with a page, or by somebody else --------------------------------------------------------------


def _page(run: Running, profile: Profile) -> None:
    """A page is needed.

    Raises:
        Refused: none can be shown.
    """
    if run.request.door == "silent":
        raise Refused(f"{profile.id} needs a page, and prompt=none forbids one", NO_SESSION)
    if run.refreshing:
        if run.either(f"page {profile.id}", f"what a refresh makes of {profile.id}, which needs a page"):
            raise Refused(f"{profile.id} needs a page, and a refresh has none")
        raise Untellable(f"{profile.id} needs a page, and a refresh has none")


def _self_asserted(run: Running, profile: Profile) -> str:
    """The person fills in the page as it wants; the validation profiles then look at what was typed."""
    _page(run, profile)
    claims.taken(run, profile, profile.inputs.values())
    scope = dict(run.bag)
    outer, run.bag = run.bag, scope
    try:
        for use in (*profile.displayed.values(), *profile.outputs.values()):
            run.type_of(use.id)
            if use.default is None and use.id.lower() in run.policy.typed and run.get(use.id) is None:
                run.put(use.id, run.around.typed(use.id))
        done = _validate(run, profile)
    finally:
        run.bag = outer
    held = {use.id: scope.get(use.id.lower()) for use in profile.outputs.values()}
    answer = {use.partner: held[use.id] for use in profile.outputs.values() if held[use.id] is not None}
    claims.given(run, profile, answer)
    return "showed a page" + (f", validated by {', '.join(done)}" if done else "")


def _validate(run: Running, profile: Profile) -> list[str]:
    done = []
    for one in profile.validations:
        if skipped(run, one.preconditions):
            continue
        validating = run.policy.profile(one.profile)
        try:
            _run(run, validating)
        except Refused:
            if not one.continue_on_error:
                raise
        else:
            if not one.continue_on_success:
                return [*done, validating.id]
        done.append(validating.id)
    return done


def _elsewhere(run: Running, profile: Profile) -> str:
    """Another identity provider; or, with a password, the directory's own sign-in."""
    known: dict[str, Any]
    given_password = any(one.default == "password" for one in profile.inputs.values() if one.partner == "grant_type")
    if given_password or profile.setting("grant_type").lower() == "password":
        sent = claims.taken(run, profile, profile.inputs.values())
        account = run.around.find("signInNames.emailAddress", sent.get("username"))
        if account is None:
            raise Refused(f"{profile.id}: there is no account of that name")
        if run.around.attribute(account, "accountEnabled", run.choices) is False:
            raise Refused(f"{profile.id}: the account is disabled")
        known = {name: run.around.attribute(account, attribute, run.choices) for name, attribute in LOCAL.items()}
        claims.given(run, profile, known)
        return "signed in with the password"
    _page(run, profile)
    why = f"what the identity provider of {profile.id} says"
    known = {use.partner: Unknown(why) for use in profile.outputs.values() if use.default is None}
    for use in profile.outputs.values():
        if use.id.lower() in ("issueruserid", "email") and (value := run.around.typed(use.id)) is not None:
            known[use.partner] = value
    claims.given(run, profile, known)
    return "signed in at another identity provider"


def _verify(run: Running, profile: Profile) -> str:
    """A second factor, or a code by mail: the person passes it."""
    name = profile.handled_by
    if run.refreshing:
        return _unknown(run, profile)
    if name.lower() in VERIFYING_PAGES:
        _page(run, profile)
    why = f"what {name} says in {profile.id}"
    claims.given(run, profile, {use.partner: Unknown(why) for use in profile.outputs.values()})
    return "verified the person"


LOCAL = {
    "oid": "objectId",
    "tid": "tenantId",
    "given_name": "givenName",
    "family_name": "surname",
    "name": "displayName",
    "upn": "userPrincipalName",
}
HANDLERS: dict[str, Callable[[Running, Profile], str]] = {
    "azureactivedirectoryprovider": _directory,
    "claimstransformationprotocolprovider": _transform_only,
    "restfulprovider": _rest,
    "selfassertedattributeprovider": _self_asserted,
}
