"""What the gate needs in a policy: claim types, transformations, and the profiles that ask.

Every id begins with the tenant's prefix. Nothing of the base is redefined; profiles of the base are included.
"""

from __future__ import annotations

from dataclasses import dataclass

from b2c.policies import doors
from b2c.policies.elements import Element
from b2c.policies.merging import Effective
from b2c.policies.model import GateSpec
from b2c.policies.writing.xml import el, some

ASSEMBLY = "Web.TPEngine, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null"


@dataclass(frozen=True)
class Names:
    """What things are called."""

    prefix: str

    def id(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def claim(self, name: str) -> str:
        return self.prefix[0].lower() + self.prefix[1:] + name

    def in_token(self, name: str) -> str:
        return f"{self.prefix.lower()}_{name}"

    @property
    def extension(self) -> str:
        return f"B2C_1A_{self.prefix}Gate"

    def party(self, policy_id: str) -> str:
        return f"B2C_1A_{self.prefix}_{bare(policy_id)}"


def bare(policy_id: str) -> str:
    return policy_id[7:] if policy_id.upper().startswith("B2C_1A_") else policy_id


CLAIMS = [
    ("Answer", "What the gate says", "string"),
    ("Open", "Whether the gate is open", "boolean"),
    ("PolicyId", "Policy in use", "string"),
    ("ClientId", "Application that signed the person in", "string"),
    ("CorrelationId", "Correlation id", "string"),
    ("Prompt", "Prompt of the request", "string"),
    ("AuthenticatedAt", "When the person signed in", "dateTime"),
]


def claim_types(names: Names, gate: GateSpec, under: Effective) -> list[Element]:
    """Those of the gate, and those that it reads and nobody declared yet."""
    wanted = [(names.claim(name), label, kind) for name, label, kind in CLAIMS]
    if gate.attribute:
        wanted.append((names.claim("AtIssue"), f"{gate.attribute} when the token was issued", "string"))
        wanted.append((gate.attribute, gate.attribute, "string"))
    wanted += [(claim, claim, "string") for claim in (doors.ISSUED_ON, doors.VALID_FROM)]
    return [
        el("ClaimType", el("DisplayName", text=label), el("DataType", text=kind), Id=claim)
        for claim, label, kind in wanted
        if claim.lower() not in under.claims
    ]


def transformations(names: Names) -> list[Element]:
    def parameter(name: str, kind: str, value: str) -> Element:
        return el("InputParameter", Id=name, DataType=kind, Value=value)

    answer, is_open = names.claim("Answer"), names.claim("Open")
    return [
        el(
            "ClaimsTransformation",
            el("InputClaims", el("InputClaim", ClaimTypeReferenceId=answer, TransformationClaimType="inputClaim1")),
            el(
                "InputParameters",
                parameter("compareTo", "string", "open"),
                parameter("operator", "string", "equal"),
                parameter("ignoreCase", "string", "false"),
            ),
            el("OutputClaims", el("OutputClaim", ClaimTypeReferenceId=is_open, TransformationClaimType="outputClaim")),
            Id=names.id("IsOpen"),
            TransformationMethod="CompareClaimToValue",
        ),
        el(
            "ClaimsTransformation",
            el("InputClaims", el("InputClaim", ClaimTypeReferenceId=is_open, TransformationClaimType="inputClaim")),
            el("InputParameters", parameter("valueToCompareTo", "boolean", "true")),
            Id=names.id("AssertOpen"),
            TransformationMethod="AssertBooleanClaimIsEqualToValue",
        ),
        el(
            "ClaimsTransformation",
            el(
                "OutputClaims",
                el(
                    "OutputClaim",
                    ClaimTypeReferenceId=names.claim("AuthenticatedAt"),
                    TransformationClaimType="currentDateTime",
                ),
            ),
            Id=names.id("Now"),
            TransformationMethod="GetCurrentDateTime",
        ),
        el(
            "ClaimsTransformation",
            el(
                "InputClaims",
                el("InputClaim", ClaimTypeReferenceId=doors.ISSUED_ON, TransformationClaimType="leftOperand"),
                el("InputClaim", ClaimTypeReferenceId=doors.VALID_FROM, TransformationClaimType="rightOperand"),
            ),
            el(
                "InputParameters",
                parameter("AssertIfEqualTo", "boolean", "false"),
                parameter("AssertIfRightOperandIsNotPresent", "boolean", "true"),
                parameter("TreatAsEqualIfWithinMillseconds", "int", "0"),
            ),
            Id=names.id("AssertIssuedLater"),
            TransformationMethod="AssertDateTimeIsGreaterThan",
        ),
    ]


def common_profiles(names: Names, gate: GateSpec) -> list[Element]:
    """Those that do not depend on the base."""
    resolved = {"AlwaysUseDefaultValue": "true"}
    about_call = [
        _in(names.claim("PolicyId"), "policyId", DefaultValue="{Policy:PolicyId}", **resolved),
        _in(names.claim("CorrelationId"), "correlationId", DefaultValue="{Context:CorrelationId}", **resolved),
    ]
    attribute = [_in(gate.attribute)] if gate.attribute else []
    at_issue = [_in(names.claim("AtIssue"), f"{gate.attribute}AtIssue")] if gate.attribute else []
    refresh = [
        _in("objectId", Required="true"),
        _in(doors.ISSUED_ON, "issuedAt", Required="true"),
        _in(names.claim("ClientId"), "clientId"),
    ]
    sign_in = [
        _in("objectId", Required="true"),
        _in(names.claim("ClientId"), "clientId", DefaultValue="{OIDC:ClientId}", **resolved),
        _in(names.claim("Prompt"), "prompt", DefaultValue="{OIDC:Prompt}", **resolved),
        _in(names.claim("AuthenticatedAt"), "authenticatedAt"),
    ]
    authenticated_at = names.claim("AuthenticatedAt")
    return [
        _asking(names, gate, names.id("AskAtRefresh"), "refresh", [*refresh, *about_call, *attribute, *at_issue]),
        _asking(names, gate, names.id("AskAtSignIn"), "sign-in", [*sign_in, *about_call, *attribute]),
        el(
            "TechnicalProfile",
            el("DisplayName", text="Note when the person signed in; later the session brings it back"),
            _handler("Providers.ClaimsTransformationProtocolProvider"),
            el("OutputClaims", el("OutputClaim", ClaimTypeReferenceId=authenticated_at)),
            _after(names.id("Now")),
            el("UseTechnicalProfileForSessionManagement", ReferenceId=names.id("Session")),
            Id=names.id("RememberSignIn"),
        ),
        el(
            "TechnicalProfile",
            el("DisplayName", text="Keeps in the session when the person signed in"),
            _handler("SSO.DefaultSSOSessionProvider"),
            el("PersistedClaims", el("PersistedClaim", ClaimTypeReferenceId=authenticated_at)),
            Id=names.id("Session"),
        ),
        el(
            "TechnicalProfile",
            el("DisplayName", text="Keeps nothing, so that the gate is asked each time"),
            _handler("SSO.NoopSSOSessionProvider"),
            Id=names.id("NoSession"),
        ),
    ]


def _asking(names: Names, gate: GateSpec, profile_id: str, door: str, claims: list[Element]) -> Element:
    metadata = {
        "ServiceUrl": f"{gate.url.rstrip('/')}/{door}",
        "AuthenticationType": gate.authentication,
        "SendClaimsIn": "Body",
        "AllowInsecureAuthInProduction": "false",
        "IncludeClaimResolvingInClaimsHandling": "true",
    }
    if gate.authentication == "Basic":
        key_ids = ("BasicAuthenticationUsername", "BasicAuthenticationPassword")
    else:
        key_ids = (gate.header,)  # the id of the key is the name of the header
    pairs = zip(key_ids, gate.key_containers, strict=True)
    answer = el("OutputClaim", ClaimTypeReferenceId=names.claim("Answer"), PartnerClaimType="gate", DefaultValue="shut")
    return el(
        "TechnicalProfile",
        el("DisplayName", text="Ask the portal whether this person may have a token"),
        _handler("Providers.RestfulProvider"),
        el("Metadata", *(el("Item", text=value, Key=key) for key, value in metadata.items())),
        el("CryptographicKeys", *(el("Key", Id=key, StorageReferenceId=container) for key, container in pairs)),
        el("InputClaims", *claims),
        el("OutputClaims", answer),
        _after(names.id("IsOpen"), names.id("AssertOpen")),
        el("UseTechnicalProfileForSessionManagement", ReferenceId=names.id("NoSession")),
        Id=profile_id,
    )


def token_reader(profile_id: str, included: str, brought: dict[str, str]) -> Element:
    """Reads the refresh token as the base does, and more of what is in it.

    Args:
        included: id of the base's profile; empty where it has none.
        brought: claims by their names in the token.
    """
    own = {} if included else {"objectId": "", doors.ISSUED_ON: ""}
    claims = [
        el("OutputClaim", ClaimTypeReferenceId=claim, PartnerClaimType=partner if partner != claim else "")
        for claim, partner in {**own, **brought}.items()
    ]
    return el(
        "TechnicalProfile",
        el("DisplayName", text="Read the refresh token, with the application it was issued to"),
        None if included else el("Protocol", Name="None"),
        el("OutputClaims", *claims),
        el("IncludeTechnicalProfile", ReferenceId=included) if included else None,
        Id=profile_id,
    )


def account_reader(profile_id: str, included: str, claims: list[str], assertion: str = "") -> Element:
    """Reads the account as the base does, and these claims too."""
    return el(
        "TechnicalProfile",
        el("DisplayName", text="Read the account, with what the gate is asked about"),
        el(
            "Metadata",
            el("Item", text="Read", Key="Operation"),
            el("Item", text="true", Key="RaiseErrorIfClaimsPrincipalDoesNotExist"),
        ),
        some("OutputClaims", *(el("OutputClaim", ClaimTypeReferenceId=claim) for claim in claims)),
        _after(assertion) if assertion else None,
        el("IncludeTechnicalProfile", ReferenceId=included),
        Id=profile_id,
    )


def issuer(profile_id: str, included: str, journey_id: str) -> Element:
    """Issues as the base does, and names the journey of a refresh."""
    return el(
        "TechnicalProfile",
        el("DisplayName", text="Issue tokens whose refresh asks the gate"),
        el("Metadata", el("Item", text=journey_id, Key=doors.REFRESH_ITEM)),
        el("IncludeTechnicalProfile", ReferenceId=included),
        Id=profile_id,
    )


def _in(claim: str, partner: str = "", **attributes: str) -> Element:
    return el("InputClaim", ClaimTypeReferenceId=claim, PartnerClaimType=partner, **attributes)


def _after(*ids: str) -> Element:
    return el("OutputClaimsTransformations", *(el("OutputClaimsTransformation", ReferenceId=one) for one in ids))


def _handler(name: str) -> Element:
    return el("Protocol", Name="Proprietary", Handler=f"Web.TPEngine.{name}, {ASSEMBLY}")
