"""What one relying party needs: which journeys are copied, and its policy under an id of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from b2c.policies import doors
from b2c.policies.elements import Element
from b2c.policies.merging import Effective
from b2c.policies.model import DEFINITIONS, GateSpec, Policy, PolicySet
from b2c.policies.writing import journeys, parts
from b2c.policies.writing.journeys import CannotWrite
from b2c.policies.writing.parts import Names
from b2c.policies.writing.xml import el, some

ENDPOINT, METADATA = "endpoint", "metadata"


@dataclass
class Added:
    """Definitions by id, for the extension or for one relying party's own file."""

    profiles: dict[str, Element] = field(default_factory=dict)
    journeys: dict[str, Element] = field(default_factory=dict)


@dataclass(frozen=True)
class Party:
    """A relying party and how it refreshes now. `journey`: of its refresh; None where the base has none at all."""

    policy: Policy
    effective: Effective
    mechanism: str
    journey: Element | None
    signs_in: Element
    suffix: str  # of ids that stand in its own file, which brings definitions of its own

    @property
    def is_light(self) -> bool:
        return not self.suffix


def look_at(policies: PolicySet, policy: Policy, names: Names, mechanism: str) -> Party:
    """How a relying party is to be gated.

    Raises:
        CannotWrite: why it is left as it is.
    """
    relying_party = policy.relying_party
    if relying_party is None or not doors.hands_out_refresh_tokens(relying_party):
        raise CannotWrite(_("Applications speak SAML to it: there are no refresh tokens."))
    if missing := policies.missing_base(policy.id):
        raise CannotWrite(_("It is based on %s, which is not among these files.") % missing)
    effective = policies.effective(policy.id)
    selected = doors.selection(effective)
    if selected.is_twofold:
        raise CannotWrite(_("Two ways name its refresh journey; keep one of them first."))
    journey = doors.refresh_journey(effective)
    if selected.journey_id and journey is None:
        raise CannotWrite(_("Its refresh journey %s does not exist.") % selected.journey_id)
    if journey is not None and list(doors.asks(effective, journey)):
        raise CannotWrite(_("Its refresh journey asks a gate already."))
    signs_in = doors.sign_in_journey(effective)
    if signs_in is None:
        raise CannotWrite(_("The journey that it signs people in with does not exist."))
    if selected.journey_id:
        mechanism = ENDPOINT if selected.endpoint is not None else METADATA
    own = any(policy.root.child(tag) is not None for tag in DEFINITIONS)
    suffix = f"-{parts.bare(policy.id)}" if own else ""
    journey = journey if journey is not None else _of_the_base(effective, names)
    return Party(policy, effective, mechanism, journey, signs_in, suffix)


def _of_the_base(effective: Effective, names: Names) -> Element | None:
    """A journey that no relying party of this kind names, but that reads a refresh token."""
    for journey in effective.journeys.values():
        called = [profile for step in effective.walk(journey) for profile in effective.exchanged(step)]
        asking = list(doors.asks(effective, journey))
        if called and doors.reads_token(called[0]) and not asking and not journey.get("Id").startswith(names.prefix):
            return journey
    return None


def account_profile(effective: Effective) -> str:
    """The id of the plainest profile that reads an account by object id: the one with the fewest transformations.

    Raises:
        CannotWrite: there is none.
    """
    whole = [effective.profile(key) for key in effective.profiles]
    found = [one for one in whole if one is not None and doors.reads_account(one)]
    if not found:
        raise CannotWrite(_("No technical profile of the base reads an account from the directory by objectId."))
    return min(found, key=lambda one: (len(doors.after_outputs(effective, one)), len(one.get("Id")))).get("Id")


def in_token(party: Party, claim: str) -> str:
    """What a claim is called in the relying party's tokens; empty where it is not in them."""
    outputs = party.policy.relying_party.under("TechnicalProfile", "OutputClaims", "OutputClaim")
    found = [one for one in outputs if one.get("ClaimTypeReferenceId").lower() == claim.lower()]
    return (found[0].get("PartnerClaimType") or claim) if found else ""


def gated(
    party: Party, names: Names, gate: GateSpec, brought: dict[str, str], added: Added
) -> tuple[Element, list[str]]:
    """The relying party's element with the gate wired in; what it needs goes to `added`. And what to know about it.

    Raises:
        CannotWrite: why it is left as it is.
    """
    notes: list[str] = []
    refresh_id = _refresh_id(party, names)
    issuers = _issuers(party, names, refresh_id, added)
    if refresh_id not in added.journeys:
        added.journeys[refresh_id] = _refresh(party, names, gate, brought, issuers, refresh_id, added)
    sign_in_id = names.id(party.signs_in.get("Id")) + party.suffix
    try:
        if sign_in_id not in added.journeys:
            extra = _attribute(party, names, gate, [party.signs_in], added)
            added.journeys[sign_in_id] = journeys.sign_in(
                party.effective, names, party.signs_in, sign_in_id, extra=extra, issuers=issuers
            )
        if len([one for one in party.effective.walk(party.signs_in) if doors.sends(one)]) > 1:
            notes.append(
                _("Its sign-in sends claims in several steps; the gate is asked before the first. Look at it.")
            )
    except CannotWrite as cannot:
        if party.mechanism == METADATA:
            raise
        sign_in_id = party.signs_in.get("Id")
        notes.append(_("Only its refresh is gated, not its sign-in. %s") % cannot)
    return _relying_party(party, names, gate, sign_in_id, refresh_id), notes


def _refresh_id(party: Party, names: Names) -> str:
    found = party.journey.get("Id") if party.journey is not None else "RedeemRefreshToken"
    return names.id(found) + party.suffix


def _refresh(party, names, gate, brought, issuers, new_id, added: Added) -> Element:
    effective = party.effective
    if party.journey is None:
        reader = names.id("ReadRefreshToken") + party.suffix
        account = names.id("ReadAccount") + party.suffix
        added.profiles[reader] = parts.token_reader(reader, "", brought)
        claims = [doors.VALID_FROM, *([gate.attribute] if gate.attribute else [])]
        assertion = names.id("AssertIssuedLater")
        added.profiles[account] = parts.account_reader(account, account_profile(effective), claims, assertion)
        issuing = doors.issuers(effective, party.signs_in)
        if not issuing:
            raise CannotWrite(_("Its sign-in journey names no profile that issues tokens."))
        named = issuing[0].get("Id")
        return journeys.from_scratch(names, new_id, [reader, account], issuers.get(named.lower(), named))
    readers = {}
    for step in effective.steps(party.journey):
        for profile in effective.exchanged(step):
            if doors.reads_token(profile):
                reader = names.id(profile.get("Id")) + party.suffix
                added.profiles[reader] = parts.token_reader(reader, profile.get("Id"), brought)
                readers[profile.get("Id").lower()] = reader
    if not readers:
        raise CannotWrite(_("Its refresh journey %s does not read the refresh token.") % party.journey.get("Id"))
    extra = _attribute(party, names, gate, [party.journey], added)
    return journeys.refresh(effective, names, party.journey, new_id, reader=readers, extra=extra, issuers=issuers)


def _attribute(party: Party, names: Names, gate: GateSpec, among: list[Element], added: Added) -> list[str]:
    """The profile that reads the attribute, where no account read of the journey does."""
    effective = party.effective
    called = [each for one in among for step in effective.walk(one) for each in effective.exchanged(step)]
    always = [each for each in called if doors.reads_account(each) and doors.gives(each, gate.attribute)]
    if not gate.attribute or (among[0] is party.journey and always):
        return []
    profile_id = names.id("ReadAttribute") + party.suffix
    added.profiles[profile_id] = parts.account_reader(profile_id, account_profile(effective), [gate.attribute])
    return [profile_id]


def _issuers(party: Party, names: Names, refresh_id: str, added: Added) -> dict[str, str]:
    """What issues instead, where the issuer is what names the refresh journey."""
    if party.mechanism == ENDPOINT:
        return {}
    found = {}
    used = [one for one in (party.signs_in, party.journey) if one is not None]
    for one in (issuer for journey in used for issuer in doors.issuers(party.effective, journey)):
        if one.text_of("OutputTokenFormat").upper() in ("JWT", ""):
            new_id = names.id(one.get("Id")) + party.suffix
            added.profiles[new_id] = parts.issuer(new_id, one.get("Id"), refresh_id)
            found[one.get("Id").lower()] = new_id
    return found


def _relying_party(party: Party, names: Names, gate: GateSpec, sign_in_id: str, refresh_id: str) -> Element:
    relying_party = party.policy.relying_party
    children = []
    for one in relying_party.children:
        if one.tag == "DefaultUserJourney":
            children.append(one.with_(ReferenceId=sign_in_id))
            if party.mechanism == ENDPOINT:
                children.append(_endpoints(relying_party, refresh_id))
        elif one.tag == "Endpoints":
            if party.mechanism == METADATA:
                children.append(one)
        elif one.tag == "TechnicalProfile":
            children.append(_with_claims(party, names, gate, one))
        else:
            children.append(one)
    return replace(relying_party, children=children)


def _endpoints(relying_party: Element, refresh_id: str) -> Element:
    others = [one for one in relying_party.under("Endpoints", "Endpoint") if one.get("Id").lower() != "token"]
    return el("Endpoints", el("Endpoint", Id="Token", UserJourneyReferenceId=refresh_id), *others)


def _with_claims(party: Party, names: Names, gate: GateSpec, profile: Element) -> Element:
    client = names.claim("ClientId")
    extra = [
        el(
            "OutputClaim",
            ClaimTypeReferenceId=client,
            PartnerClaimType=names.in_token("client"),
            AlwaysUseDefaultValue="true",
            DefaultValue="{OIDC:ClientId}",
        )
    ]
    if gate.attribute and not in_token(party, gate.attribute):
        name = names.in_token(gate.attribute)
        extra.append(el("OutputClaim", ClaimTypeReferenceId=gate.attribute, PartnerClaimType=name))
    children = []
    for one in profile.children:
        children.append(replace(one, children=[*one.children, *extra]) if one.tag == "OutputClaims" else one)
    if profile.child("OutputClaims") is None:
        raise CannotWrite(_("Its technical profile gives no claims."))
    return replace(profile, children=children)


def own_definitions(policy: Policy, added: Added) -> list[Element]:
    """What the relying party's file defines beside the relying party, and what the gate adds to it."""
    provider = el("ClaimsProvider", el("DisplayName", text="Gate"), some("TechnicalProfiles", *added.profiles.values()))
    more = {"ClaimsProviders": [provider] if added.profiles else [], "UserJourneys": list(added.journeys.values())}
    groups = []
    for tag in DEFINITIONS:
        there = policy.root.child(tag)
        children = [*(there.children if there is not None else []), *more.get(tag, [])]
        groups.append(some(tag, *children))
    return [one for one in groups if one is not None]
