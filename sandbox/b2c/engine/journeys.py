"""A user journey from its first step to the tokens, and which journey a request runs.

https://learn.microsoft.com/azure/active-directory-b2c/userjourneys
https://learn.microsoft.com/azure/active-directory-b2c/relyingparty
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.b2c.engine import claims, profiles
from sandbox.b2c.engine.preconditions import skipped
from sandbox.b2c.engine.running import Did, Refused, Running, Untellable
from sandbox.b2c.reading.definitions import Journey, Profile, RelyingParty, Step
from sandbox.b2c.reading.merging import Effective, Unlinked

REFRESH_JOURNEY = "RefreshTokenUserJourneyId"
NO_JOURNEY = "AADB2C90288"
DEEPEST = 5  # sub-journeys inside each other


@dataclass
class Issued:
    """Tokens were issued. `claims` is what they carry, under the names that the application sees."""

    issuer: Profile | None
    claims: dict[str, Any] = field(default_factory=dict)
    checked: bool = True  # whether a journey ran at all


def refresh_journey(run: Running) -> str | None:
    """The journey that a refresh runs; None when the policy names none.

    Raises:
        Refused: it names one that is not there, in the issuer's profile.
        Untellable, Unlinked: it names one that is not there, otherwise.
    """
    party = _party(run.policy)
    endpoint = party.endpoints.get("token", "")
    named = [name for name in (one.setting(REFRESH_JOURNEY) for one in issuers(run.policy)) if name]
    by_issuer = ""
    if named:
        by_issuer = run.choices.pick(
            "issuer of the grant", tuple(dict.fromkeys(named)), "which issuer's refresh journey counts"
        )
    if endpoint and by_issuer and endpoint.lower() != by_issuer.lower():
        question = f"which of the two counts: the Token endpoint ({endpoint}) or {REFRESH_JOURNEY} ({by_issuer})"
        if run.choices.pick("selection", ("endpoint", "issuer"), question) == "issuer":
            endpoint = ""
    if endpoint:
        run.policy.journey(endpoint)
        return endpoint
    if by_issuer and by_issuer.lower() not in run.policy.journeys:
        raise Refused(f"the issuer's profile names the journey {by_issuer}, which does not exist", NO_JOURNEY)
    return by_issuer or None


def issuers(policy: Effective) -> list[Profile]:
    """The profiles that issue tokens at the end of the sign-in journey.

    Raises:
        Unlinked: the journey or a profile does not exist.
    """
    journey = policy.journey(_party(policy).journey)
    found = dict[str, Profile]()
    for step in journey.steps:
        if step.type.lower() == "sendclaims":
            issuer = policy.profile(step.issuer or journey.default_issuer)
            if issuer.output_format.lower() != "oauth2error":
                found[issuer.id.lower()] = issuer
    return list(found.values())


def carry_out(run: Running) -> Issued:
    """The journey that the request runs.

    Raises:
        Refused: no token. Untellable, Unlinked: nobody can say.
    """
    party = _party(run.policy)
    if run.refreshing:
        if party.profile.protocol.lower() == "saml2":
            raise Refused("applications speak SAML to this policy, so there are no refresh tokens")
        name = refresh_journey(run)
        if name is None:
            return Issued(next(iter(issuers(run.policy)), None), dict(run.request.token), checked=False)
    else:
        name = party.journey
    if party.single_sign_on.lower() == "suppressed":
        run.before = {}
    journey = run.policy.journey(name)
    if journey.twice:
        question = f"how the steps of {journey.id} are merged, which several files define"
        if run.choices.pick(f"journey {journey.id}", ("later", "earlier"), question) == "earlier":
            journey = replace(journey, steps=journey.alternative)
    issued = _steps(run, journey, journey.steps, 0)
    if issued is None:
        raise Untellable(f"the journey {journey.id} ends without a SendClaims step")
    return issued


def _party(policy: Effective) -> RelyingParty:
    if policy.relying_party is None:
        raise Untellable(f"{policy.id} has no RelyingParty")
    return policy.relying_party


def _steps(run: Running, journey: Journey, steps: Sequence[Step], depth: int) -> Issued | None:
    issued: Issued | None = None
    for at, step in enumerate(steps):
        run.step()
        name = next(iter(step.exchanges.values()), None) or step.issuer or None
        did = Did(step.order, step.type, name, "")
        run.steps.append(did)
        try:
            made = _step(run, journey, step, steps[at + 1 :], did, depth)
        except (Refused, Unlinked, Untellable) as error:
            did.did = f"stopped here: {error}"
            if issued is None or not isinstance(error, Refused):
                raise
            question = "whether a step that fails after SendClaims takes the tokens back"
            if run.either("failure after SendClaims", question):
                raise
            return issued
        issued = issued or made
    return issued


def _step(run: Running, journey: Journey, step: Step, following: Sequence[Step], did: Did, depth: int) -> Issued | None:
    if skipped(run, step.preconditions):
        did.did = "was left out by its precondition"
        return None
    kind = step.type.lower()
    if kind == "sendclaims":
        return _send(run, journey, step, did)
    if kind == "getclaims" and step.issuer:
        did.did = profiles.carry_out(run, step.issuer)
        return None
    if kind == "invokesubjourney":
        return _invoke(run, step, did, depth)
    if kind in ("combinedsigninandsignup", "claimsproviderselection") and step.selections:
        _select(run, step, following, did)
    elif kind in ("claimsexchange", "getclaims", "combinedsigninandsignup", "claimsproviderselection"):
        _exchange(run, step, did)
    elif kind == "noop":
        did.did = "did nothing"
    else:
        did.did = f"did what {step.type} does, which is not followed here"
        if run.choices.pick(f"step {step.order}", ("passes", "fails"), f"what a {step.type} step does") == "fails":
            raise Refused(f"the {step.type} step is taken to fail")
    return None


def _send(run: Running, journey: Journey, step: Step, did: Did) -> Issued | None:
    issuer = run.policy.profile(step.issuer or journey.default_issuer)
    did.profile = issuer.id
    if issuer.output_format.lower() == "oauth2error":
        if not run.refreshing:
            raise Refused(f"{issuer.id} answers with an error")
        did.did = "answered with an error, which does not keep a refresh from issuing tokens"
        if not [one for one in journey.steps if one.type.lower() == "sendclaims" and one.order > step.order]:
            raise Untellable(f"{issuer.id} is the only SendClaims step of a refresh journey")
        return None
    missing = [key for key in ("issuer_secret", "issuer_refresh_token_key") if not issuer.keys.get(key)]
    if missing and issuer.output_format.lower() in ("jwt", ""):
        raise Untellable(f"the issuer {issuer.id} has no {' and no '.join(missing)}")
    did.did = "issued tokens"
    return Issued(issuer, _emitted(run))


def _emitted(run: Running) -> dict[str, Any]:
    """What the relying party's own profile puts into the tokens."""
    profile = _party(run.policy).profile
    wanted = claims.taken(run, profile, profile.outputs.values())
    return wanted | {"objectId": run.get("objectId")}


def _invoke(run: Running, step: Step, did: Did, depth: int) -> Issued | None:
    if not step.journeys:
        raise Untellable("a step invokes a sub-journey and names none")
    if depth == DEEPEST:
        raise Untellable("sub-journeys invoke each other without end")
    name = run.choices.pick(f"sub-journey {step.order}", step.journeys, "which of a step's sub-journeys runs")
    journey = run.policy.sub_journey(name)
    did.did = f"went into the sub-journey {journey.id}"
    issued = _steps(run, journey, journey.steps, depth + 1)
    if issued is None and journey.kind.lower() == "transfer":
        raise Untellable(f"the sub-journey {journey.id} takes over and ends without a SendClaims step")
    return issued


def _select(run: Running, step: Step, following: Sequence[Step], did: Did) -> None:
    """The person chooses how to sign in: with a local account, or at one other identity provider."""
    social = run.request.social
    targets = {target for kind, target in step.selections if kind == "target"}
    if social and social in targets:
        run.chosen.add(social)
        did.profile = None
        did.did = f"{social} was chosen"
        return
    local = next((target for kind, target in step.selections if kind == "validation"), None)
    if local and local in step.exchanges:
        did.profile = step.exchanges[local]
        did.did = profiles.carry_out(run, step.exchanges[local])
        return
    for target in sorted(targets):
        if _is_page(run.policy, _profile_of(target, following)):
            run.chosen.add(target)
            did.did = f"{target} was chosen"
            return
    did.did = "nothing that suits this person was there to choose"


def _exchange(run: Running, step: Step, did: Did) -> None:
    if not step.exchanges:
        raise Untellable(f"step {step.order} exchanges no claims")
    names = [name for name in step.exchanges if name in run.chosen]
    if not names and len(step.exchanges) > 1:
        names = [run.choices.pick(f"exchange {step.order}", tuple(step.exchanges), "which of a step's exchanges runs")]
    name = (names or list(step.exchanges))[0]
    did.profile = step.exchanges[name]
    did.did = profiles.carry_out(run, step.exchanges[name])


def _profile_of(exchange: str, steps: Sequence[Step]) -> str:
    return next((step.exchanges[exchange] for step in steps if exchange in step.exchanges), "")


def _is_page(policy: Effective, profile_id: str) -> bool:
    try:
        return policy.profile(profile_id).handled_by.lower() == "selfassertedattributeprovider"
    except Unlinked:
        return False


def ways_to_sign_in(policy: Effective) -> list[str]:
    """Whom the sign-in journey is offered to: "" for a local account, else the exchange of an identity provider.

    Raises:
        Unlinked: the journey does not exist.
    """
    journey = policy.journey(_party(policy).journey)
    found: dict[str, None] = {}
    for at, step in enumerate(journey.steps):
        for kind, target in step.selections:
            page = kind == "validation" or _is_page(policy, _profile_of(target, journey.steps[at:]))
            found["" if page else target] = None
    return sorted(found) or [""]
