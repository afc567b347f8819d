"""What one file says of a technical profile, a claims transformation or a journey, and how a later file adds to it.

Ids are matched without regard to case. Along the chain a child adds and overrides; it never removes.
https://learn.microsoft.com/azure/active-directory-b2c/custom-policy-overview#inheritance-model
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sandbox.b2c.reading.elements import Element


@dataclass(frozen=True)
class ClaimUse:
    """A claim as a profile takes or gives it. `partner` is its name on the other side."""

    id: str
    partner: str
    default: str | None
    always: bool
    required: bool


@dataclass(frozen=True)
class Precondition:
    type: str
    execute_if: bool
    values: tuple[str, ...]
    action: str


@dataclass(frozen=True)
class Validation:
    profile: str
    continue_on_error: bool
    continue_on_success: bool
    preconditions: tuple[Precondition, ...]


@dataclass(frozen=True)
class Profile:
    """A technical profile. Claims, keys and metadata are by id; ids of claims and keys are in small letters."""

    id: str
    protocol: str = ""
    handler: str = ""
    output_format: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, ClaimUse] = field(default_factory=dict)
    displayed: dict[str, ClaimUse] = field(default_factory=dict)
    persisted: dict[str, ClaimUse] = field(default_factory=dict)
    outputs: dict[str, ClaimUse] = field(default_factory=dict)
    before: tuple[str, ...] = ()  # transformations of its input claims
    after: tuple[str, ...] = ()  # of its output claims
    validations: tuple[Validation, ...] = ()
    session: str = ""
    enabled: str = ""
    include: str = ""
    include_claims: str = ""
    subject: str = ""

    @property
    def handled_by(self) -> str:
        """The handler's class without its namespace and assembly, such as `RestfulProvider`."""
        return self.handler.split(",")[0].rpartition(".")[2].strip()

    def setting(self, name: str, default: str = "") -> str:
        return self.metadata.get(name, default).strip()

    def true(self, name: str) -> bool:
        return self.setting(name).lower() == "true"

    def with_more(self, other: Profile) -> Profile:
        """This profile with another's values on top: those of a child, or a profile's own over what it includes."""
        texts = ("protocol", "handler", "output_format", "session", "enabled", "subject")
        tables = ("metadata", "keys", "inputs", "displayed", "persisted", "outputs")
        changes = {name: getattr(other, name) or getattr(self, name) for name in texts}
        changes |= {name: {**getattr(self, name), **getattr(other, name)} for name in tables}
        changes |= {name: _joined(getattr(self, name), getattr(other, name)) for name in ("before", "after")}
        replaced = {one.profile.lower() for one in other.validations}
        kept = tuple(one for one in self.validations if one.profile.lower() not in replaced)
        changes["validations"] = kept + other.validations
        changes |= {name: getattr(other, name) or getattr(self, name) for name in ("include", "include_claims")}
        return replace(self, id=other.id, **changes)


@dataclass(frozen=True)
class Transformation:
    """A claims transformation: claims by the name the method gives them, parameters by id."""

    id: str
    method: str
    inputs: tuple[tuple[str, str], ...]
    parameters: dict[str, str]
    outputs: tuple[tuple[str, str], ...]

    def claims(self, name: str) -> list[str]:
        return [claim for part, claim in self.inputs if part.lower() == name.lower()]

    def parameter(self, name: str) -> str | None:
        return next((value for one, value in self.parameters.items() if one.lower() == name.lower()), None)


@dataclass(frozen=True)
class Step:
    order: int
    type: str
    issuer: str
    preconditions: tuple[Precondition, ...]
    selections: tuple[tuple[str, str], ...]  # ("target" or "validation", id of a claims exchange)
    exchanges: dict[str, str]  # technical profile by id of the exchange
    journeys: tuple[str, ...]


@dataclass(frozen=True)
class Journey:
    """A journey or sub-journey. `twice`: more than one file of the chain defines it; `alternative` is then its first
    definition with steps added that only later files have, which is the other way such files may be read."""

    id: str
    steps: tuple[Step, ...]
    default_issuer: str = ""
    kind: str = ""  # of a sub-journey: Call or Transfer
    twice: bool = False
    alternative: tuple[Step, ...] = ()


@dataclass(frozen=True)
class RelyingParty:
    journey: str
    endpoints: dict[str, str]
    profile: Profile
    single_sign_on: str
    session_seconds: int = 86_400
    session_absolute: bool = False


def profile(element: Element) -> Profile:
    protocol = element.child("Protocol")
    return Profile(
        id=element.get("Id"),
        protocol=protocol.get("Name") if protocol else "",
        handler=protocol.get("Handler") if protocol else "",
        output_format=element.text_of("OutputTokenFormat"),
        metadata={one.get("Key"): one.text.strip() for one in element.under("Metadata", "Item")},
        keys={
            one.get("Id").lower(): one.get("StorageReferenceId") for one in element.under("CryptographicKeys", "Key")
        },
        inputs=_claims(element, "InputClaims", "InputClaim"),
        displayed=_claims(element, "DisplayClaims", "DisplayClaim"),
        persisted=_claims(element, "PersistedClaims", "PersistedClaim"),
        outputs=_claims(element, "OutputClaims", "OutputClaim"),
        before=_references(element, "InputClaimsTransformations", "InputClaimsTransformation"),
        after=_references(element, "OutputClaimsTransformations", "OutputClaimsTransformation"),
        validations=tuple(
            Validation(
                one.get("ReferenceId"),
                one.get("ContinueOnError").lower() == "true",
                one.get("ContinueOnSuccess", "true").lower() == "true",
                _preconditions(one),
            )
            for one in element.under("ValidationTechnicalProfiles", "ValidationTechnicalProfile")
        ),
        session=_reference(element, "UseTechnicalProfileForSessionManagement"),
        enabled=element.text_of("EnabledForUserJourneys"),
        include=_reference(element, "IncludeTechnicalProfile"),
        include_claims=_reference(element, "IncludeClaimsFromTechnicalProfile"),
        subject=next((one.get("ClaimType") for one in element.under("SubjectNamingInfo")), ""),
    )


def transformation(element: Element) -> Transformation:
    return Transformation(
        id=element.get("Id"),
        method=element.get("TransformationMethod"),
        inputs=_parts(element, "InputClaims", "InputClaim"),
        parameters={one.get("Id"): one.get("Value") for one in element.under("InputParameters", "InputParameter")},
        outputs=_parts(element, "OutputClaims", "OutputClaim"),
    )


def journey(element: Element) -> Journey:
    steps = [_step(one) for one in element.under("OrchestrationSteps", "OrchestrationStep")]
    return Journey(
        id=element.get("Id"),
        steps=tuple(sorted(steps, key=lambda one: one.order)),
        default_issuer=element.get("DefaultCpimIssuerTechnicalProfileReferenceId"),
        kind=element.get("Type"),
    )


def joined(first: Journey, second: Journey) -> Journey:
    """A journey that a later file defines again: its steps take the place of those with the same order."""
    by_order = {one.order: one for one in first.steps} | {one.order: one for one in second.steps}
    first_wins = {one.order: one for one in second.steps} | {one.order: one for one in first.steps}
    return Journey(
        id=second.id,
        steps=tuple(by_order[order] for order in sorted(by_order)),
        default_issuer=second.default_issuer or first.default_issuer,
        kind=second.kind or first.kind,
        twice=True,
        alternative=tuple(first_wins[order] for order in sorted(first_wins)),
    )


def relying_party(element: Element) -> RelyingParty:
    policy = element.child("TechnicalProfile")
    behaviours = list(element.under("UserJourneyBehaviors", "SingleSignOn"))
    return RelyingParty(
        journey=_reference(element, "DefaultUserJourney"),
        endpoints={
            one.get("Id").lower(): one.get("UserJourneyReferenceId") for one in element.under("Endpoints", "Endpoint")
        },
        profile=profile(policy) if policy else Profile("PolicyProfile"),
        single_sign_on=behaviours[-1].get("Scope") if behaviours else "",
        session_seconds=_number(element, "SessionExpiryInSeconds", 86_400),
        session_absolute=_behaviour(element, "SessionExpiryType").lower() == "absolute",
    )


def _behaviour(element: Element, tag: str) -> str:
    return next((one.text.strip() for one in element.under("UserJourneyBehaviors", tag)), "")


def _number(element: Element, tag: str, otherwise: int) -> int:
    text = _behaviour(element, tag)
    return int(text) if text.isdecimal() else otherwise


def _step(element: Element) -> Step:
    order = int(element.get("Order")) if element.get("Order").isdecimal() else 0
    selections = list[tuple[str, str]]()
    for one in element.under("ClaimsProviderSelections", "ClaimsProviderSelection"):
        for kind, name in (("target", "TargetClaimsExchangeId"), ("validation", "ValidationClaimsExchangeId")):
            if one.get(name):
                selections.append((kind, one.get(name)))
    return Step(
        order=order,
        type=element.get("Type"),
        issuer=element.get("CpimIssuerTechnicalProfileReferenceId"),
        preconditions=_preconditions(element),
        selections=tuple(selections),
        exchanges={
            one.get("Id"): one.get("TechnicalProfileReferenceId")
            for one in element.under("ClaimsExchanges", "ClaimsExchange")
        },
        journeys=tuple(one.get("SubJourneyReferenceId") for one in element.under("JourneyList", "Candidate")),
    )


def _preconditions(element: Element) -> tuple[Precondition, ...]:
    return tuple(
        Precondition(
            one.get("Type"),
            one.get("ExecuteActionsIf").lower() == "true",
            tuple(value.text.strip() for value in one.under("Value")),
            one.text_of("Action"),
        )
        for one in element.under("Preconditions", "Precondition")
    )


def _claims(element: Element, group: str, tag: str) -> dict[str, ClaimUse]:
    found = {}
    for one in element.under(group, tag):
        claim = one.get("ClaimTypeReferenceId")
        if claim:  # a display claim may name a display control instead
            found[claim.lower()] = ClaimUse(
                claim,
                one.get("PartnerClaimType") or claim,
                one.attributes.get("DefaultValue"),
                one.get("AlwaysUseDefaultValue").lower() == "true",
                one.get("Required").lower() == "true",
            )
    return found


def _references(element: Element, group: str, tag: str) -> tuple[str, ...]:
    return tuple(one.get("ReferenceId") for one in element.under(group, tag))


def _reference(element: Element, tag: str) -> str:
    found = element.child(tag)
    return found.get("ReferenceId") if found else ""


def _parts(element: Element, group: str, tag: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (one.get("TransformationClaimType"), one.get("ClaimTypeReferenceId")) for one in element.under(group, tag)
    )


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    seen = {one.lower() for one in first}
    return first + tuple(one for one in second if one.lower() not in seen)
