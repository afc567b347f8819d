"""A policy as it takes effect: the definitions of its chain merged, and included profiles resolved."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sandbox.b2c.reading import definitions
from sandbox.b2c.reading.definitions import Journey, Profile, RelyingParty, Transformation
from sandbox.b2c.reading.files import Policies, PolicyFile

DEEPEST_INCLUDE = 20


class Unlinked(Exception):
    """Something refers to what is not there. What B2C makes of it is not known; an upload is mostly refused."""


@dataclass
class Effective:
    """Everything by id in small letters."""

    id: str
    tenant: str
    mode: str
    claims: dict[str, str] = field(default_factory=dict)  # data type by claim
    typed: set[str] = field(default_factory=set)  # claims that people can type into a page
    transformations: dict[str, Transformation] = field(default_factory=dict)
    journeys: dict[str, Journey] = field(default_factory=dict)
    sub_journeys: dict[str, Journey] = field(default_factory=dict)
    relying_party: RelyingParty | None = None
    _profiles: dict[str, Profile] = field(default_factory=dict)
    _resolved: dict[str, Profile] = field(default_factory=dict)
    _resolving: list[str] = field(default_factory=list)

    def profile(self, profile_id: str) -> Profile:
        """A technical profile with all that it includes.

        Raises:
            Unlinked: there is none of that id, or its includes lead nowhere.
        """
        key = profile_id.lower()
        if key not in self._resolved:
            if key in self._resolving:
                raise Unlinked(f"the technical profile {profile_id} includes itself")
            self._resolving.append(key)
            try:
                self._resolved[key] = self._with_included(key, profile_id)
            finally:
                self._resolving.pop()
        return self._resolved[key]

    def _with_included(self, key: str, said: str) -> Profile:
        own = self._profiles.get(key)
        if own is None:
            raise Unlinked(f"there is no technical profile {said}")
        if len(self._resolving) > DEEPEST_INCLUDE:
            raise Unlinked(f"technical profiles include each other more than {DEEPEST_INCLUDE} deep")
        if own.include:
            own = self.profile(own.include).with_more(own)
        if own.include_claims:
            other = self.profile(own.include_claims)
            own = replace(own, inputs={**other.inputs, **own.inputs}, outputs={**other.outputs, **own.outputs})
        return own

    def transformation(self, transformation_id: str) -> Transformation:
        """
        Raises:
            Unlinked: there is none of that id.
        """
        found = self.transformations.get(transformation_id.lower())
        if found is None:
            raise Unlinked(f"there is no claims transformation {transformation_id}")
        return found

    def journey(self, journey_id: str) -> Journey:
        """
        Raises:
            Unlinked: there is none of that id.
        """
        found = self.journeys.get(journey_id.lower())
        if found is None:
            raise Unlinked(f"there is no user journey {journey_id}")
        return found

    def sub_journey(self, journey_id: str) -> Journey:
        """
        Raises:
            Unlinked: there is none of that id.
        """
        found = self.sub_journeys.get(journey_id.lower())
        if found is None:
            raise Unlinked(f"there is no sub-journey {journey_id}")
        return found


def effective(policies: Policies, policy_id: str) -> Effective:
    """
    Raises:
        Broken: the chain cannot be followed.
    """
    chain = policies.chain(policy_id)
    last = chain[-1]
    found = Effective(last.id, last.root.get("TenantId"), last.root.get("DeploymentMode") or "Production")
    for file in chain:
        _add(found, file)
    return found


def _add(found: Effective, file: PolicyFile) -> None:
    root = file.root
    for one in root.under("BuildingBlocks", "ClaimsSchema", "ClaimType"):
        claim = one.get("Id").lower()
        found.claims[claim] = one.text_of("DataType") or found.claims.get(claim, "")
        if one.child("UserInputType") is not None:
            found.typed.add(claim)
    for one in root.under("BuildingBlocks", "ClaimsTransformations", "ClaimsTransformation"):
        found.transformations[one.get("Id").lower()] = definitions.transformation(one)
    for one in root.under("ClaimsProviders", "ClaimsProvider", "TechnicalProfiles", "TechnicalProfile"):
        new = definitions.profile(one)
        old = found._profiles.get(new.id.lower())
        found._profiles[new.id.lower()] = old.with_more(new) if old else new
    for path, table in (
        (("UserJourneys", "UserJourney"), found.journeys),
        (("SubJourneys", "SubJourney"), found.sub_journeys),
    ):
        for one in root.under(*path):
            journey = definitions.journey(one)
            old_journey = table.get(journey.id.lower())
            table[journey.id.lower()] = definitions.joined(old_journey, journey) if old_journey else journey
    if file.relying_party is not None:
        found.relying_party = definitions.relying_party(file.relying_party)
