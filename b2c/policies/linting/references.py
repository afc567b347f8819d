"""Rules about ids: what is referred to has to be there. Judged where the chain of inheritance is whole."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from b2c.policies import doors
from b2c.policies.elements import Element
from b2c.policies.linting.findings import Finding, found
from b2c.policies.merging import DEEPEST_INCLUDE, Effective, order
from b2c.policies.model import PolicySet

# tag of the element, its attribute, the table that has to hold it, the rule
REFERENCES = [
    ("IncludeTechnicalProfile", "ReferenceId", "profiles", "dangling-profile"),
    ("IncludeClaimsFromTechnicalProfile", "ReferenceId", "profiles", "dangling-profile"),
    ("UseTechnicalProfileForSessionManagement", "ReferenceId", "profiles", "dangling-profile"),
    ("ValidationTechnicalProfile", "ReferenceId", "profiles", "dangling-profile"),
    ("ValidationClaimsExchangeTechnicalProfile", "TechnicalProfileReferenceId", "profiles", "dangling-profile"),
    ("ClaimsExchange", "TechnicalProfileReferenceId", "profiles", "dangling-profile"),
    ("OrchestrationStep", "CpimIssuerTechnicalProfileReferenceId", "profiles", "dangling-profile"),
    ("UserJourney", "DefaultCpimIssuerTechnicalProfileReferenceId", "profiles", "dangling-profile"),
    ("InputClaimsTransformation", "ReferenceId", "transformations", "dangling-transformation"),
    ("OutputClaimsTransformation", "ReferenceId", "transformations", "dangling-transformation"),
    ("DefaultUserJourney", "ReferenceId", "journeys", "dangling-journey"),
    ("Endpoint", "UserJourneyReferenceId", "journeys", "dangling-journey"),
    ("Candidate", "SubJourneyReferenceId", "sub_journeys", "dangling-journey"),
    ("OrchestrationStep", "ContentDefinitionReferenceId", "content", "dangling-reference"),
    ("ClientDefinition", "ReferenceId", "clients", "dangling-reference"),
    ("PredicateValidationReference", "Id", "predicates", "dangling-reference"),
    ("DisplayClaim", "DisplayControlReferenceId", "controls", "dangling-reference"),
    ("InputClaim", "ClaimTypeReferenceId", "claims", "dangling-claim"),
    ("OutputClaim", "ClaimTypeReferenceId", "claims", "dangling-claim"),
    ("PersistedClaim", "ClaimTypeReferenceId", "claims", "dangling-claim"),
    ("DisplayClaim", "ClaimTypeReferenceId", "claims", "dangling-claim"),
]
BY_TAG = {tag: [row[1:] for row in REFERENCES if row[0] == tag] for tag, *_rest in REFERENCES}
TABLES = ("profiles", "transformations", "journeys", "sub_journeys", "controls")


def check(policies: PolicySet) -> Iterator[Finding]:
    judged: set[str] = set()
    for leaf in policies.leaves():
        if policies.missing_base(leaf.id):
            continue
        effective = policies.effective(leaf.id)
        if effective.relying_party is not None:
            yield from _dangling(effective, leaf.id, effective.relying_party)
        if (definer := policies.definer(leaf.id)) in judged:  # the same definitions, judged already
            continue
        judged.add(definer)
        for root in [one for name in TABLES for one in getattr(effective, name).values()]:
            yield from _dangling(effective, leaf.id, root)
        yield from _circles(effective, leaf.id)
        yield from _journeys(effective, leaf.id)


def _dangling(effective: Effective, policy: str, root: Element) -> Iterator[Finding]:
    for element in root.everything():
        for attribute, table, rule in BY_TAG.get(element.tag, ()):
            named = element.get(attribute)
            if named and named.lower() not in getattr(effective, table):
                yield found(rule, policy, element, named)
        # A journey that refreshes is named in text, in the metadata of an issuer.
        if element.tag == "Item" and element.get("Key").lower() == doors.REFRESH_ITEM.lower():
            named = element.text.strip()
            if named and effective.journey(named) is None:
                yield found("dangling-journey", policy, element, named)


def _circles(effective: Effective, policy: str) -> Iterator[Finding]:
    for start, profile in effective.profiles.items():
        seen, at = {start}, profile
        while (include := at.child("IncludeTechnicalProfile")) is not None:
            named = include.get("ReferenceId").lower()
            if named == start:
                yield found("include-circle", policy, include, profile.get("Id"))
            if named in seen or named not in effective.profiles or len(seen) > DEEPEST_INCLUDE:
                break
            seen.add(named)
            at = effective.profiles[named]


def _journeys(effective: Effective, policy: str) -> Iterator[Finding]:
    for journey in effective.journeys.values():
        steps = effective.steps(journey)
        numbers = [order(step) for step in steps]
        if numbers != list(range(1, len(numbers) + 1)) and len(set(numbers)) == len(numbers):
            words = {"journey": journey.get("Id"), "orders": ", ".join(map(str, numbers))}
            yield found("step-order", policy, journey, _("%(journey)s: steps %(orders)s.") % words)
        sending = any(doors.sends(step) for step in effective.walk(journey))
        if not sending:
            yield found("no-send-claims", policy, journey, journey.get("Id"))
        exchanges = {one.get("Id").lower() for step in steps for one in step.under("ClaimsExchanges", "ClaimsExchange")}
        for step in steps:
            for one in step.under("ClaimsProviderSelections", "ClaimsProviderSelection"):
                for attribute in ("TargetClaimsExchangeId", "ValidationClaimsExchangeId"):
                    named = one.get(attribute)
                    if named and named.lower() not in exchanges:
                        yield found("dangling-reference", policy, one, named)
