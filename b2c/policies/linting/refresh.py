"""Rules about the journey that answers a refresh."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from b2c.policies import doors
from b2c.policies.elements import Element
from b2c.policies.linting.findings import Finding, found
from b2c.policies.merging import Effective, setting
from b2c.policies.model import Policy, PolicySet

TOLERANCE = "TreatAsEqualIfWithinMillseconds"  # so spelt


def check(policies: PolicySet) -> Iterator[Finding]:
    for policy in policies.relying_parties():
        party = policy.relying_party
        if party is None or not doors.hands_out_refresh_tokens(party):
            continue
        effective = policies.effective(policy.id)
        selected = doors.selection(effective)
        if selected.is_twofold:
            at = selected.endpoint or party
            other = selected.items[0]
            words = {"file": other.file, "line": other.line}
            yield found("both-selections", policy.id, at, _("The issuer names one too: %(file)s:%(line)s.") % words)
        journey = doors.refresh_journey(effective)
        if journey is not None:
            yield from _journey(effective, policy, journey, whole=not policies.missing_base(policy.id))
        elif not selected.journey_id and not policies.missing_base(policy.id):
            yield found("no-refresh-journey", policy.id, party, policy.id)


def _journey(effective: Effective, policy: Policy, journey: Element, *, whole: bool) -> Iterator[Finding]:
    steps = list(effective.walk(journey))
    sending = [step for step in steps if doors.sends(step)]
    for step in sending[1:]:
        yield found("second-send-claims", policy.id, step, journey.get("Id"))
    for step in sending:
        if doors.sends_error(effective, step):
            yield found("refused-by-oauth2error", policy.id, step, step.get("CpimIssuerTechnicalProfileReferenceId"))
    if sending and steps[-1] is not sending[-1]:
        yield found("send-claims-not-last", policy.id, steps[-1], journey.get("Id"))
    called = [(at, profile) for at, step in enumerate(steps) for profile in effective.exchanged(step)]
    whole = whole and _all_known(effective, steps)  # otherwise what is missing may stand in a file that we do not have
    if whole:
        yield from _token(effective, policy, journey, called)
        yield from _account(policy, journey, called)
        yield from _lost(effective, policy, journey, [profile for _at, profile in called])
    yield from _dates(effective, policy, journey, [profile for _at, profile in called], whole)


def _all_known(effective: Effective, steps: list[Element]) -> bool:
    named = [one for step in steps for one in step.under("ClaimsExchanges", "ClaimsExchange")]
    return all(effective.profile(one.get("TechnicalProfileReferenceId")) is not None for one in named)


def _token(effective: Effective, policy: Policy, journey: Element, called: list) -> Iterator[Finding]:
    reads = [(at, profile) for at, profile in called if doors.reads_token(profile)]
    if not reads:
        yield found("token-not-read", policy.id, journey, journey.get("Id"))
        return
    _at, profile = reads[0]
    if called[0][1] is not profile:
        yield found("token-read-late", policy.id, effective.steps(journey)[0], profile.get("Id"))
    if not doors.gives(profile, "objectId") and not _has_partner(profile, "sub"):
        yield found("token-not-read", policy.id, profile, _("%s does not give objectId.") % profile.get("Id"))


def _has_partner(profile: Element, partner: str) -> bool:
    uses = profile.under("OutputClaims", "OutputClaim")
    return any(one.get("PartnerClaimType").lower() == partner for one in uses)


def _account(policy: Policy, journey: Element, called: list) -> Iterator[Finding]:
    reads = [profile for _at, profile in called if doors.reads_account(profile)]
    if not reads:
        yield found("account-not-read", policy.id, journey, journey.get("Id"))
    elif not any(setting(one, "RaiseErrorIfClaimsPrincipalDoesNotExist").lower() == "true" for one in reads):
        yield found("deleted-person-passes", policy.id, reads[0], reads[0].get("Id"))


def _dates(
    effective: Effective, policy: Policy, journey: Element, called: list[Element], whole: bool
) -> Iterator[Finding]:
    asserted = False
    read: set[str] = set()
    for profile in called:
        if doors.handled_by(profile) == "AzureActiveDirectoryProvider":
            read |= {one.get("ClaimTypeReferenceId").lower() for one in profile.under("OutputClaims", "OutputClaim")}
        for one in doors.after_outputs(effective, profile):
            if one.get("TransformationMethod").lower() == "assertdatetimeisgreaterthan":
                asserted = True
                yield from _assertion(effective, policy, one, read if whole else None)
    if whole and not asserted:
        yield found("no-date-assertion", policy.id, journey, journey.get("Id"))


def _assertion(effective: Effective, policy: Policy, one: Element, read: set[str] | None) -> Iterator[Finding]:
    left, right = doors.operand(one, "leftOperand"), doors.operand(one, "rightOperand")
    if right.lower() == doors.ISSUED_ON.lower():
        yield found("operands-swapped", policy.id, one, one.get("Id"))
        return
    if left.lower() != doors.ISSUED_ON.lower() or not right:
        yield found("wrong-operand", policy.id, one, f"{one.get('Id')}: {left or '?'} / {right or '?'}")
        return
    if read is not None and right.lower() not in read:
        yield found("date-not-read", policy.id, one, f"{one.get('Id')}: {right}")
    for claim in (left, right):
        declared = effective.claims.get(claim.lower())
        if declared is not None and declared.text_of("DataType").lower() not in ("string", ""):
            yield found("assertion-signature", policy.id, declared, f"{claim}: {declared.text_of('DataType')}")
    tolerance = (doors.parameter(one, TOLERANCE) or "").strip()
    if tolerance.lstrip("0"):
        yield found("five-minute-tolerance", policy.id, one, _("%s milliseconds.") % tolerance)


def _lost(effective: Effective, policy: Policy, journey: Element, called: list[Element]) -> Iterator[Finding]:
    """What the application is given at sign-in and nothing in the refresh journey gives."""
    given = doors.given_by(effective, called)
    for one in effective.relying_party.under("TechnicalProfile", "OutputClaims", "OutputClaim"):
        claim = one.get("ClaimTypeReferenceId")
        if claim.lower() not in given and not one.get("DefaultValue"):
            yield found("claims-lost-on-refresh", policy.id, one, claim)
