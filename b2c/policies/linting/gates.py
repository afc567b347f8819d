"""Rules about a gate of this portal: whether it is asked at every door, and whether what it says counts."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from b2c.policies import doors
from b2c.policies.elements import Element
from b2c.policies.linting.findings import Finding, found
from b2c.policies.merging import Effective, handled_by, setting
from b2c.policies.model import GateSpec, Policy, PolicySet

NAMED = ("TechnicalProfile", "UserJourney", "ClaimsTransformation")
SENT = {"refresh": ("objectId", "policyId", "issuedAt"), "sign-in": ("objectId", "policyId")}


def check(policies: PolicySet, gate: GateSpec | None) -> Iterator[Finding]:
    """Judged where a gate is wanted, or where one of the policies has one."""
    url = gate.url if gate else ""
    parties = [one for one in policies.relying_parties() if doors.hands_out_refresh_tokens(one.relying_party)]
    wanted = gate is not None or any(_any(policies.effective(one.id)) for one in parties)
    for policy in parties if wanted else []:
        yield from _doors(policies, policy, url)
    if gate is not None:
        yield from _taken(policies, gate)


def _any(effective: Effective) -> bool:
    journeys = (doors.refresh_journey(effective), doors.sign_in_journey(effective))
    return any(list(doors.asks(effective, journey)) for journey in journeys if journey is not None)


def _doors(policies: PolicySet, policy: Policy, url: str) -> Iterator[Finding]:
    effective = policies.effective(policy.id)
    refresh, sign_in = doors.refresh_journey(effective), doors.sign_in_journey(effective)
    asked = list(doors.asks(effective, refresh, url)) if refresh is not None else []
    missing = policies.missing_base(policy.id)
    if not asked and (refresh is not None or not missing):
        at = doors.selection(effective).named_at or policy.relying_party
        yield found("gate-not-in-refresh", policy.id, at, policy.id)
    for one in asked:
        yield from _asked(effective, policy, refresh, one, "refresh", missing)
    asked = list(doors.asks(effective, sign_in, url)) if sign_in is not None else []
    if sign_in is not None and not asked:
        yield found("gate-not-at-sign-in", policy.id, policy.relying_party, f"{policy.id}: {sign_in.get('Id')}")
    for one in asked:
        yield from _asked(effective, policy, sign_in, one, "sign-in", missing)


def _asked(
    effective: Effective, policy: Policy, journey: Element, one: tuple, door: str, missing: str
) -> Iterator[Finding]:
    position, step, profile = one
    steps = list(effective.walk(journey))
    sending = [at for at, each in enumerate(steps) if doors.sends(each) and not doors.sends_error(effective, each)]
    before = [each for at in range(position) for each in effective.exchanged(steps[at])]
    if sending and position > sending[0]:
        yield found("gate-too-late", policy.id, step, _("%s sends the claims first.") % journey.get("Id"))
    if door == "refresh" and not any(doors.reads_token(each) for each in before):
        yield found("gate-too-late", policy.id, step, _("The refresh token has not been read yet."))
    if list(step.under("Preconditions", "Precondition")):
        yield found("gate-skippable", policy.id, step, journey.get("Id"))
    yield from _profile(effective, policy, profile, door, missing)


def _profile(effective: Effective, policy: Policy, profile: Element, door: str, missing: str) -> Iterator[Finding]:
    name = profile.get("Id")
    if setting(profile, "AuthenticationType").lower() not in ("basic", "apikeyheader"):
        yield found("gate-unauthenticated", policy.id, profile, name)
    manager = profile.child("UseTechnicalProfileForSessionManagement")
    session = effective.profile(manager.get("ReferenceId")) if manager is not None else None
    not_known = session is None and manager is not None and missing
    if not not_known and (session is None or handled_by(session) != doors.SKIPS_NOTHING):
        yield found("gate-session", policy.id, profile, name)
    sent = {
        (one.get("PartnerClaimType") or one.get("ClaimTypeReferenceId"))
        for one in profile.under("InputClaims", "InputClaim")
    }
    for claim in SENT[door]:
        if claim not in sent:
            yield found("gate-claim-missing", policy.id, profile, f"{name}: {claim}")
    answers = [
        one
        for one in profile.under("OutputClaims", "OutputClaim")
        if (one.get("PartnerClaimType") or one.get("ClaimTypeReferenceId")) == "gate"
    ]
    for one in answers:
        if one.get("DefaultValue").lower() == "open":
            yield found("gate-open-by-default", policy.id, one, name)
    if not _asserted(effective, profile, {one.get("ClaimTypeReferenceId").lower() for one in answers}):
        yield found("gate-answer-ignored", policy.id, profile, name)


def _asserted(effective: Effective, profile: Element, answers: set[str]) -> bool:
    """Whether the answer is compared with `open`, and the comparison asserted to be true, in this order."""
    compared: set[str] = set()
    for one in doors.after_outputs(effective, profile):
        method = one.get("TransformationMethod").lower()
        if method == "compareclaimtovalue" and doors.operand(one, "inputClaim1").lower() in answers:
            is_open = doors.parameter(one, "compareTo") == "open"
            if is_open and (doors.parameter(one, "operator") or "").lower() == "equal":
                compared.add(doors.operand(one, "outputClaim").lower())
        if method == "assertbooleanclaimisequaltovalue" and doors.operand(one, "inputClaim").lower() in compared:
            return (doors.parameter(one, "valueToCompareTo") or "").lower() == "true"
    return False


def _taken(policies: PolicySet, gate: GateSpec) -> Iterator[Finding]:
    """Ids that `write` would add, in policies that are not its own."""
    prefix = f"{gate.prefix}-".lower()
    for policy in policies.policies.values():
        if policy.id.lower().startswith(f"b2c_1a_{gate.prefix}".lower()):
            continue
        for one in policy.root.everything():
            if one.tag in NAMED and one.get("Id").lower().startswith(prefix):
                yield found("gate-prefix-taken", policy.id, one, one.get("Id"))
