"""Which date of an account each policy looks at in a refresh, and so which sign-out it obeys.

A date that nothing compares ends nothing: a person whose sessions were revoked goes on refreshing there.
https://learn.microsoft.com/graph/api/user-revokesigninsessions
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from b2c.policies import doors
from b2c.policies.elements import Element
from b2c.policies.merging import Effective
from b2c.policies.model import PolicySet


@dataclass(frozen=True)
class Clocks:
    """`refresh`: names of the directory's dates that a refresh compares; None where that cannot be told."""

    refresh: frozenset[str] | None
    refresh_journey: str
    why: str


def clocks(policies: PolicySet) -> dict[str, Clocks]:
    """For each relying party's policy, by its id."""
    return {one.id: _of(policies, one.id) for one in policies.relying_parties()}


def _of(policies: PolicySet, policy_id: str) -> Clocks:
    effective = policies.effective(policy_id)
    selected = doors.selection(effective)
    named, missing = selected.journey_id, policies.missing_base(policy_id)
    if effective.relying_party is not None and not doors.hands_out_refresh_tokens(effective.relying_party):
        return Clocks(frozenset(), "", _("Applications speak SAML to it: there are no refresh tokens."))
    if selected.is_twofold:
        return Clocks(None, named, _("Two ways name its refresh journey, and which one wins is not documented."))
    if missing and (journey := doors.refresh_journey(effective)) is None:
        return Clocks(None, named, _("It is based on %s, which is not among these files.") % missing)
    if not named:
        return Clocks(
            frozenset(), "", _("No journey is named for a refresh, so none of an account's dates is compared.")
        )
    journey = doors.refresh_journey(effective)
    if journey is None:
        return Clocks(None, named, _("Its refresh journey %s does not exist, so no refresh works.") % named)
    found = frozenset(_compared(effective, journey))
    if found:
        return Clocks(found, named, _("Its refresh journey compares %s.") % ", ".join(sorted(found)))
    if missing:
        return Clocks(None, named, _("It is based on %s, which is not among these files.") % missing)
    return Clocks(frozenset(), named, _("Its refresh journey compares none of an account's dates."))


def _compared(effective: Effective, journey: Element) -> list[str]:
    """The directory's names of what is compared with the time of issue, before tokens are sent."""
    found, partners = [], {}
    for step in effective.walk(journey):
        if doors.sends(step):
            break
        for profile in effective.exchanged(step):
            if doors.handled_by(profile) == "AzureActiveDirectoryProvider":
                for one in profile.under("OutputClaims", "OutputClaim"):
                    claim = one.get("ClaimTypeReferenceId")
                    partners[claim.lower()] = one.get("PartnerClaimType") or claim
            for one in doors.after_outputs(effective, profile):
                method = one.get("TransformationMethod").lower()
                left, right = doors.operand(one, "leftOperand"), doors.operand(one, "rightOperand")
                is_issue = left.lower() == doors.ISSUED_ON.lower()
                if method == "assertdatetimeisgreaterthan" and is_issue and right.lower() in partners:
                    found.append(partners[right.lower()])
    return found
