"""Through which journeys a relying party's policy hands out tokens: sign-in, refresh, and who is asked on the way.

https://learn.microsoft.com/azure/active-directory-b2c/relyingparty
https://learn.microsoft.com/azure/active-directory-b2c/jwt-issuer-technical-profile
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from b2c.policies.elements import Element
from b2c.policies.merging import Effective, handled_by, protocol_of, setting

REFRESH_ITEM = "RefreshTokenUserJourneyId"
ISSUED_ON = "refreshTokenIssuedOnDateTime"
VALID_FROM = "refreshTokensValidFromDateTime"
GATE_PATH = re.compile(r"/b2c/[^/]+/(refresh|sign-in)/?", re.IGNORECASE)
SKIPS_NOTHING = "NoopSSOSessionProvider"


@dataclass(frozen=True)
class Selection:
    """What names the journey of a refresh: an endpoint of the relying party, metadata of its issuers, or nothing."""

    endpoint: Element | None
    items: tuple[Element, ...]

    @property
    def journey_id(self) -> str:
        if self.endpoint is not None:
            return self.endpoint.get("UserJourneyReferenceId")
        return self.items[0].text.strip() if self.items else ""

    @property
    def named_at(self) -> Element | None:
        return self.endpoint if self.endpoint is not None else next(iter(self.items), None)

    @property
    def is_twofold(self) -> bool:
        return self.endpoint is not None and bool(self.items)


def hands_out_refresh_tokens(relying_party: Element) -> bool:
    """Whether applications speak OAuth 2.0 or OpenID Connect to it. SAML knows no refresh."""
    profile = relying_party.child("TechnicalProfile")
    return profile is None or protocol_of(profile) not in ("SAML2", "WsFed")


def sign_in_journey(effective: Effective) -> Element | None:
    party = effective.relying_party
    default = party.child("DefaultUserJourney") if party is not None else None
    return effective.journey(default.get("ReferenceId")) if default is not None else None


def selection(effective: Effective) -> Selection:
    party = effective.relying_party
    endpoints = party.under("Endpoints", "Endpoint") if party is not None else []
    endpoint = next((one for one in endpoints if one.get("Id").lower() == "token"), None)
    journey = sign_in_journey(effective)
    items = [
        item
        for issuer in (issuers(effective, journey) if journey is not None else [])
        for item in issuer.under("Metadata", "Item")
        if item.get("Key").lower() == REFRESH_ITEM.lower() and item.text.strip()
    ]
    return Selection(endpoint, tuple(items))


def refresh_journey(effective: Effective) -> Element | None:
    return effective.journey(selection(effective).journey_id)


def issuers(effective: Effective, journey: Element) -> list[Element]:
    """The profiles that issue what a journey sends, each once."""
    named = [step.get("CpimIssuerTechnicalProfileReferenceId") for step in effective.walk(journey) if sends(step)]
    named.append(journey.get("DefaultCpimIssuerTechnicalProfileReferenceId"))
    found = [effective.profile(one) for one in dict.fromkeys(name.lower() for name in named if name)]
    return [one for one in found if one is not None]


def sends(step: Element) -> bool:
    return step.get("Type") == "SendClaims"


def sends_error(effective: Effective, step: Element) -> bool:
    issuer = effective.profile(step.get("CpimIssuerTechnicalProfileReferenceId"))
    return sends(step) and issuer is not None and issuer.text_of("OutputTokenFormat").lower() == "oauth2error"


def reads_token(profile: Element) -> bool:
    """Whether it takes what a refresh token holds into the journey."""
    return protocol_of(profile) in ("None", "") and gives(profile, ISSUED_ON)


def reads_account(profile: Element) -> bool:
    """Whether it reads one account from the directory, by object id."""
    is_read = handled_by(profile) == "AzureActiveDirectoryProvider" and setting(profile, "Operation").lower() == "read"
    return is_read and takes(profile, "objectId")


def gives(profile: Element, claim: str) -> bool:
    return any(_is(one, claim) for one in profile.under("OutputClaims", "OutputClaim"))


def takes(profile: Element, claim: str) -> bool:
    return any(_is(one, claim) for one in profile.under("InputClaims", "InputClaim"))


def _is(use: Element, claim: str) -> bool:
    return use.get("ClaimTypeReferenceId").lower() == claim.lower()


def is_rest(profile: Element) -> bool:
    return handled_by(profile) == "RestfulProvider"


def is_gate(profile: Element, url: str = "") -> bool:
    """Whether it asks a gate of this portal; the one at `url` where that is known."""
    service = setting(profile, "ServiceUrl")
    if not is_rest(profile) or not service:
        return False
    if url and service.lower().startswith(url.lower().rstrip("/") + "/"):
        return True
    try:
        path = urlsplit(service).path
    except ValueError:
        return False
    return not url and GATE_PATH.fullmatch(path) is not None


def asks(effective: Effective, journey: Element, url: str = "") -> Iterator[tuple[int, Element, Element]]:
    """Where a journey asks the gate: position among its steps, the step, the profile."""
    for position, step in enumerate(effective.walk(journey)):
        for profile in effective.exchanged(step):
            if is_gate(profile, url):
                yield position, step, profile


def after_outputs(effective: Effective, profile: Element) -> list[Element]:
    """The transformations that run on a profile's output claims, in order, as far as they are defined."""
    used = profile.under("OutputClaimsTransformations", "OutputClaimsTransformation")
    found = [effective.transformations.get(one.get("ReferenceId").lower()) for one in used]
    return [one for one in found if one is not None]


def operand(transformation: Element, name: str) -> str:
    """The claim that a transformation takes or gives under this name."""
    for group, tag in (("InputClaims", "InputClaim"), ("OutputClaims", "OutputClaim")):
        for one in transformation.under(group, tag):
            if one.get("TransformationClaimType").lower() == name.lower():
                return one.get("ClaimTypeReferenceId")
    return ""


def parameter(transformation: Element, name: str) -> str | None:
    for one in transformation.under("InputParameters", "InputParameter"):
        if one.get("Id").lower() == name.lower():
            return one.get("Value")
    return None


def given_by(effective: Effective, profiles: list[Element]) -> set[str]:
    """The claims, in small letters, that these profiles bring, themselves or by their transformations."""
    given = set()
    for profile in profiles:
        given |= {one.get("ClaimTypeReferenceId").lower() for one in profile.under("OutputClaims", "OutputClaim")}
        for when in ("Input", "Output"):
            for used in profile.under(f"{when}ClaimsTransformations", f"{when}ClaimsTransformation"):
                made = effective.transformations.get(used.get("ReferenceId").lower())
                outputs = made.under("OutputClaims", "OutputClaim") if made is not None else []
                given |= {one.get("ClaimTypeReferenceId").lower() for one in outputs}
    return given
