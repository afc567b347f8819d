"""What a policy means once those it is based on are under it, and a profile once those it includes are.

A child adds and overrides; nothing takes away. Ids are matched without regard to case, as B2C does.
https://learn.microsoft.com/azure/active-directory-b2c/custom-policy-overview#inheritance-model
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from b2c.policies.elements import Element

KEYED_BY = {
    "Item": ("Key",),
    "InputClaim": ("ClaimTypeReferenceId",),
    "OutputClaim": ("ClaimTypeReferenceId",),
    "PersistedClaim": ("ClaimTypeReferenceId",),
    "DisplayClaim": ("ClaimTypeReferenceId", "DisplayControlReferenceId"),
    "OrchestrationStep": ("Order",),
}
REPLACED_WHOLE = {"ClaimsTransformation", "OrchestrationStep", "Item", "Key"}

# name of the table: where its elements stand in a file
WHERE = {
    "claims": ("BuildingBlocks", "ClaimsSchema", "ClaimType"),
    "transformations": ("BuildingBlocks", "ClaimsTransformations", "ClaimsTransformation"),
    "content": ("BuildingBlocks", "ContentDefinitions", "ContentDefinition"),
    "clients": ("BuildingBlocks", "ClientDefinitions", "ClientDefinition"),
    "predicates": ("BuildingBlocks", "PredicateValidations", "PredicateValidation"),
    "controls": ("BuildingBlocks", "DisplayControls", "DisplayControl"),
    "profiles": ("ClaimsProviders", "ClaimsProvider", "TechnicalProfiles", "TechnicalProfile"),
    "journeys": ("UserJourneys", "UserJourney"),
    "sub_journeys": ("SubJourneys", "SubJourney"),
}


def merge(under: Element, over: Element) -> Element:
    """`over` laid on `under`. The result stands where `over` does."""
    if over.tag in REPLACED_WHOLE:
        return over
    at = {_key(one): index for index, one in enumerate(under.children)}
    children = list(under.children)
    for one in over.children:
        index = at.get(_key(one))
        if index is None:
            children.append(one)
        else:
            children[index] = merge(children[index], one)
    return replace(
        over,
        attributes={**under.attributes, **over.attributes},
        children=children,
        text=over.text if over.text.strip() else under.text,
    )


def _key(element: Element) -> tuple[str, ...]:
    names = KEYED_BY.get(element.tag, ("Id", "ReferenceId"))
    return (element.tag, *(element.get(name).lower() for name in names))


Table = dict[str, Element]
DEEPEST_INCLUDE = 20  # profiles that include each other; what is deeper is left as far as it was read
MOST_STEPS = 1_000  # of a journey with its sub-journeys; those can call each other until the end of the world


@dataclass
class Effective:
    """A policy with everything it inherits. Each table is by id, in small letters."""

    claims: Table = field(default_factory=dict)
    transformations: Table = field(default_factory=dict)
    content: Table = field(default_factory=dict)
    clients: Table = field(default_factory=dict)
    predicates: Table = field(default_factory=dict)
    controls: Table = field(default_factory=dict)
    profiles: Table = field(default_factory=dict)
    journeys: Table = field(default_factory=dict)
    sub_journeys: Table = field(default_factory=dict)
    relying_party: Element | None = None
    _whole: Table = field(default_factory=dict, repr=False)
    _walked: dict[int, tuple[Element, list[Element]]] = field(default_factory=dict, repr=False)

    def over(self, root: Element) -> Effective:
        """This, with one more file on top."""
        tables = {name: dict(getattr(self, name)) for name in WHERE}
        for name, path in WHERE.items():
            for one in root.under(*path):
                under = tables[name].get(key := one.get("Id").lower())
                tables[name][key] = merge(under, one) if under is not None else one
        found = root.child("RelyingParty")
        party = found if found is not None else self.relying_party
        whole = {} if any(True for _ in root.under(*WHERE["profiles"])) else self._whole
        walked = {} if root.child("UserJourneys") is not None or root.child("SubJourneys") is not None else self._walked
        return Effective(**tables, relying_party=party, _whole=whole, _walked=walked)

    def profile(self, profile_id: str) -> Element | None:
        """A technical profile with what it includes, its own values winning; None where there is none of that id.

        A profile that includes itself, or one that does not exist, is left as far as it can be read.
        """
        key = profile_id.strip().lower()
        if key not in self.profiles:
            return None
        if key not in self._whole:
            self._whole[key] = self._included(key, {key})
        return self._whole[key]

    def _included(self, key: str, seen: set[str]) -> Element:
        own = self.profiles[key]
        include = own.child("IncludeTechnicalProfile")
        named = include.get("ReferenceId").lower() if include is not None else ""
        if not named or named in seen or named not in self.profiles or len(seen) > DEEPEST_INCLUDE:
            return own
        return merge(self._included(named, seen | {named}), own)

    def journey(self, journey_id: str) -> Element | None:
        return self.journeys.get(journey_id.strip().lower())

    def steps(self, journey: Element) -> list[Element]:
        return sorted(journey.under("OrchestrationSteps", "OrchestrationStep"), key=order)

    def walk(self, journey: Element) -> list[Element]:
        """The steps of a journey in order, those of its sub-journeys in the place where they are called."""
        kept = self._walked.get(id(journey))
        if kept is None:  # the journey is kept beside its steps, so that nothing else can have its id
            kept = self._walked[id(journey)] = (journey, list(islice(self._walk(journey, frozenset()), MOST_STEPS)))
        return kept[1]

    def _walk(self, journey: Element, seen: frozenset[str]) -> Iterator[Element]:
        for step in self.steps(journey):
            yield step
            for called in step.under("JourneyList", "Candidate"):
                key = called.get("SubJourneyReferenceId").lower()
                if key in self.sub_journeys and key not in seen and len(seen) < DEEPEST_INCLUDE:
                    yield from self._walk(self.sub_journeys[key], seen | {key})

    def exchanged(self, step: Element) -> Iterator[Element]:
        """The technical profiles that a step calls, those that validate them after each."""
        for exchange in step.under("ClaimsExchanges", "ClaimsExchange"):
            profile = self.profile(exchange.get("TechnicalProfileReferenceId"))
            if profile is None:
                continue
            yield profile
            for one in profile.under("ValidationTechnicalProfiles", "ValidationTechnicalProfile"):
                if (validation := self.profile(one.get("ReferenceId"))) is not None:
                    yield validation


def order(step: Element) -> int:
    text = step.get("Order")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def setting(profile: Element, name: str) -> str:
    """A metadata item's value; names are matched without regard to case."""
    items = profile.under("Metadata", "Item")
    return next((one.text.strip() for one in items if one.get("Key").lower() == name.lower()), "")


def handled_by(profile: Element) -> str:
    """The handler's class without namespace and assembly, such as `RestfulProvider`."""
    protocol = profile.child("Protocol")
    return protocol.get("Handler").split(",")[0].rpartition(".")[2].strip() if protocol is not None else ""


def protocol_of(profile: Element) -> str:
    protocol = profile.child("Protocol")
    return protocol.get("Name") if protocol is not None else ""
