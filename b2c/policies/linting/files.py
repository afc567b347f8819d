"""Rules about the set and about each file by itself."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from b2c.policies.elements import Element
from b2c.policies.linting.findings import Finding, found
from b2c.policies.merging import order
from b2c.policies.model import PREFIX, Policy, PolicySet

STEPS = {
    "ConsentScreen", "ClaimsProviderSelection", "CombinedSignInAndSignUp", "ClaimsExchange", "ReviewScreen",
    "SendClaims", "GetClaims", "UserDialog", "InvokeSubJourney", "Noop",
}  # fmt: skip


def check(policies: PolicySet) -> Iterator[Finding]:
    for twin in policies.duplicates:
        other = policies.policies[twin.id.lower()].file
        yield found(
            "policy-twice", twin.id, twin.root, _("%(id)s is in %(file)s too.") % {"id": twin.id, "file": other}
        )
    for policy in policies.policies.values():
        yield from _identity(policies, policy)
        yield from _numbered(policy)
        yield from _repeated(policy)
        yield from _redefined(policies, policy)


def _identity(policies: PolicySet, policy: Policy) -> Iterator[Finding]:
    if not policy.id.upper().startswith(PREFIX):
        yield found("policy-id", policy.id, policy.root, policy.id)
    base = policy.root.child("BasePolicy")
    if base is None:
        return
    if policies.get(policy.base_id) is None:
        yield found("base-missing", policy.id, base, policy.base_id or _("The base is not named."))
    if base.text_of("TenantId").lower() != policy.tenant_id.lower():
        yield found("base-of-another-tenant", policy.id, base, f"{base.text_of('TenantId')} / {policy.tenant_id}")


def _numbered(policy: Policy) -> Iterator[Finding]:
    for journey in [*policy.root.under("UserJourneys", "UserJourney"), *policy.root.under("SubJourneys", "SubJourney")]:
        steps = list(journey.under("OrchestrationSteps", "OrchestrationStep"))
        numbers = [order(step) for step in steps]
        for step in steps:
            if step.get("Type") not in STEPS:
                yield found("step-order", policy.id, step, _("%s is no type of step.") % (step.get("Type") or "?"))
        if len(set(numbers)) < len(numbers) or 0 in numbers or numbers != sorted(numbers):
            words = {"journey": journey.get("Id"), "orders": ", ".join(map(str, numbers))}
            yield found("step-order", policy.id, journey, _("%(journey)s: steps %(orders)s.") % words)


def _repeated(policy: Policy) -> Iterator[Finding]:
    path = ("ClaimsProviders", "ClaimsProvider", "TechnicalProfiles", "TechnicalProfile")
    for profile in policy.root.under(*path):
        seen: set[str] = set()
        for item in profile.under("Metadata", "Item"):
            key = item.get("Key").lower()
            if key in seen:
                yield found("metadata-twice", policy.id, item, f"{profile.get('Id')}: {item.get('Key')}")
            seen.add(key)


def _redefined(policies: PolicySet, policy: Policy) -> Iterator[Finding]:
    """What a child says again of something that it inherits, and may not, or gains little by."""
    if policies.get(policy.base_id) is None:
        return
    under = policies.effective(policy.base_id)
    for claim in policy.root.under("BuildingBlocks", "ClaimsSchema", "ClaimType"):
        inherited = under.claims.get(claim.get("Id").lower())
        types = [one.text_of("DataType") for one in (inherited, claim) if one is not None]
        if len(types) == 2 and all(types) and types[0].lower() != types[1].lower():
            yield found("claim-redeclared", policy.id, claim, f"{claim.get('Id')}: {types[0]} / {types[1]}")
    for journey in policy.root.under("UserJourneys", "UserJourney"):
        before = under.journey(journey.get("Id"))
        if before is not None and not _same(before, journey):
            where = {"journey": journey.get("Id"), "file": before.file, "line": before.line}
            what = _("%(journey)s is defined in %(file)s:%(line)s too.") % where
            yield found("journey-redefined", policy.id, journey, what)


def _same(one: Element, other: Element) -> bool:
    same = one.tag == other.tag and one.attributes == other.attributes and one.text.strip() == other.text.strip()
    pairs = zip(one.children, other.children, strict=False)
    return same and len(one.children) == len(other.children) and all(_same(a, b) for a, b in pairs)
