"""Custom policies of our own writing for tests: the sandbox's tenant, and a gate built on top of it."""

from pathlib import Path

from sandbox.b2c import proving
from sandbox.b2c.proving import Asked, Proved
from sandbox.b2c.reading.files import read

FOLDER = Path(proving.__file__).parent / "files"
TENANT = "contosocustomers.onmicrosoft.com"
ASSEMBLY = "Web.TPEngine, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null"
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0"
    TenantId="{tenant}" PolicyId="{id}" PublicPolicyUri="http://{tenant}/{id}">
  <BasePolicy><TenantId>{tenant}</TenantId><PolicyId>{base}</PolicyId></BasePolicy>
"""
FOOT = "</TrustFrameworkPolicy>\n"


def own() -> dict[str, bytes]:
    """The three policies that everything else of the tenant's own builds on, and its relying parties, ungated."""
    names = ("TrustFrameworkBase", "TrustFrameworkExtensions", "SignUpOrSignin", "ProfileEdit", "PasswordReset")
    return {f"{name}.xml": (FOLDER / f"{name}.xml").read_bytes() for name in names}


def policy(policy_id: str, base: str, body: str) -> bytes:
    return (HEAD.format(id=policy_id, base=base, tenant=TENANT) + body + FOOT).encode()


def claim_type(claim: str, data_type: str = "string") -> str:
    return f'<ClaimType Id="{claim}"><DisplayName>{claim}</DisplayName><DataType>{data_type}</DataType></ClaimType>'


def rest(profile: str, door: str, claims: str, session: str = "SM-Noop") -> str:
    return f"""
      <TechnicalProfile Id="{profile}">
        <DisplayName>Ask the gate</DisplayName>
        <Protocol Name="Proprietary" Handler="Web.TPEngine.Providers.RestfulProvider, {ASSEMBLY}" />
        <Metadata>
          <Item Key="ServiceUrl">https://portal.contoso.example/b2c/55555555-5555-4555-8555-555555555555/{door}</Item>
          <Item Key="AuthenticationType">Basic</Item>
          <Item Key="SendClaimsIn">Body</Item>
          <Item Key="IncludeClaimResolvingInClaimsHandling">true</Item>
        </Metadata>
        <CryptographicKeys>
          <Key Id="BasicAuthenticationUsername" StorageReferenceId="B2C_1A_GateUser" />
          <Key Id="BasicAuthenticationPassword" StorageReferenceId="B2C_1A_GatePassword" />
        </CryptographicKeys>
        <InputClaims>
          <InputClaim ClaimTypeReferenceId="objectId" Required="true" />
          {claims}
          <InputClaim ClaimTypeReferenceId="gatePolicy" PartnerClaimType="policyId" AlwaysUseDefaultValue="true"
              DefaultValue="{{Policy:PolicyId}}" />
          <InputClaim ClaimTypeReferenceId="gateClient" PartnerClaimType="clientId" AlwaysUseDefaultValue="true"
              DefaultValue="{{OIDC:ClientId}}" />
        </InputClaims>
        <OutputClaims>
          <OutputClaim ClaimTypeReferenceId="gateSays" PartnerClaimType="gate" DefaultValue="shut" />
        </OutputClaims>
        <OutputClaimsTransformations>
          <OutputClaimsTransformation ReferenceId="CompareGate" />
          <OutputClaimsTransformation ReferenceId="AssertGate" />
        </OutputClaimsTransformations>
        <UseTechnicalProfileForSessionManagement ReferenceId="{session}" />
      </TechnicalProfile>"""


def exchange(order: int, name: str, profile: str) -> str:
    return (
        f'<OrchestrationStep Order="{order}" Type="ClaimsExchange"><ClaimsExchanges>'
        f'<ClaimsExchange Id="{name}" TechnicalProfileReferenceId="{profile}" />'
        "</ClaimsExchanges></OrchestrationStep>"
    )


def send(order: int, issuer: str = "JwtIssuer") -> str:
    return f'<OrchestrationStep Order="{order}" Type="SendClaims" CpimIssuerTechnicalProfileReferenceId="{issuer}" />'


ISSUED = (
    '<InputClaim ClaimTypeReferenceId="refreshTokenIssuedOnDateTime" PartnerClaimType="issuedAt" Required="true" />'
)
READ = exchange(1, "Read", "RefreshTokenReadAndSetup")
DATE = exchange(2, "Date", "AAD-UserReadUsingObjectId-CheckRefreshTokenDate")
ASK = exchange(3, "Ask", "REST-Gate")
REFRESH = f"{READ}{DATE}{ASK}{send(4)}"
PAGE = """
<OrchestrationStep Order="1" Type="CombinedSignInAndSignUp" ContentDefinitionReferenceId="api.signuporsignin">
  <ClaimsProviderSelections>
    <ClaimsProviderSelection ValidationClaimsExchangeId="Local" />
  </ClaimsProviderSelections>
  <ClaimsExchanges>
    <ClaimsExchange Id="Local" TechnicalProfileReferenceId="SelfAsserted-LocalAccountSignin-Email" />
  </ClaimsExchanges>
</OrchestrationStep>"""
ASK_AT_SIGN_IN = exchange(2, "AskAtSignIn", "REST-GateAtSignIn")
SIGN_IN = f"{PAGE}{ASK_AT_SIGN_IN}{send(3)}"


def gated(refresh: str = REFRESH, sign_in: str = SIGN_IN) -> dict[str, bytes]:
    """The tenant's policies with a gate in an extension, and a relying party that goes through it."""
    extension = f"""
  <BuildingBlocks>
    <ClaimsSchema>
      {claim_type("gateSays")}{claim_type("gatePolicy")}{claim_type("gateClient")}{claim_type("gateOpen", "boolean")}
    </ClaimsSchema>
    <ClaimsTransformations>
      <ClaimsTransformation Id="CompareGate" TransformationMethod="CompareClaimToValue">
        <InputClaims><InputClaim ClaimTypeReferenceId="gateSays" TransformationClaimType="inputClaim1" /></InputClaims>
        <InputParameters>
          <InputParameter Id="compareTo" DataType="string" Value="open" />
          <InputParameter Id="operator" DataType="string" Value="equal" />
          <InputParameter Id="ignoreCase" DataType="string" Value="false" />
        </InputParameters>
        <OutputClaims>
          <OutputClaim ClaimTypeReferenceId="gateOpen" TransformationClaimType="outputClaim" />
        </OutputClaims>
      </ClaimsTransformation>
      <ClaimsTransformation Id="AssertGate" TransformationMethod="AssertBooleanClaimIsEqualToValue">
        <InputClaims><InputClaim ClaimTypeReferenceId="gateOpen" TransformationClaimType="inputClaim" /></InputClaims>
        <InputParameters><InputParameter Id="valueToCompareTo" DataType="boolean" Value="true" /></InputParameters>
      </ClaimsTransformation>
    </ClaimsTransformations>
  </BuildingBlocks>
  <ClaimsProviders>
    <ClaimsProvider>
      <DisplayName>Gate</DisplayName>
      <TechnicalProfiles>
        {rest("REST-Gate", "refresh", ISSUED)}
        {rest("REST-GateAtSignIn", "sign-in", "")}
        <TechnicalProfile Id="SayNo">
          <DisplayName>Answer with an error</DisplayName>
          <Protocol Name="None" />
          <OutputTokenFormat>OAuth2Error</OutputTokenFormat>
        </TechnicalProfile>
      </TechnicalProfiles>
    </ClaimsProvider>
  </ClaimsProviders>
  <UserJourneys>
    <UserJourney Id="RedeemGated"><OrchestrationSteps>{refresh}</OrchestrationSteps></UserJourney>
    <UserJourney Id="SignInGated"><OrchestrationSteps>{sign_in}</OrchestrationSteps></UserJourney>
  </UserJourneys>
"""
    party = """
  <RelyingParty>
    <DefaultUserJourney ReferenceId="SignInGated" />
    <Endpoints><Endpoint Id="Token" UserJourneyReferenceId="RedeemGated" /></Endpoints>
    <TechnicalProfile Id="PolicyProfile">
      <DisplayName>Gated</DisplayName>
      <Protocol Name="OpenIdConnect" />
      <OutputClaims><OutputClaim ClaimTypeReferenceId="objectId" PartnerClaimType="sub" /></OutputClaims>
      <SubjectNamingInfo ClaimType="sub" />
    </TechnicalProfile>
  </RelyingParty>
"""
    return own() | {
        "Gate.xml": policy("B2C_1A_Gate", "B2C_1A_TrustFrameworkExtensions", extension),
        "Gated.xml": policy("B2C_1A_gated", "B2C_1A_Gate", party),
    }


def changed(files: dict[str, bytes], name: str, old: str, new: str) -> dict[str, bytes]:
    """The files with every occurrence of a text in one of them replaced; it has to be there."""
    text = files[name].decode()
    assert old in text, f"{name} holds no {old!r}"
    return files | {name: text.replace(old, new).encode()}


def proof(files: dict[str, bytes], policy_id: str = "B2C_1A_gated", **asked) -> dict[tuple[str, str], Proved]:
    """The verdicts of one policy by door and person."""
    found, problems = proving.prove(read(files), Asked(**asked))
    assert not problems, problems
    wanted = next(one for one in found if one.policy == policy_id)
    return {(one.door, one.person): one for one in wanted.doors}


def verdicts(files: dict[str, bytes], policy_id: str = "B2C_1A_gated", **asked) -> dict[str, tuple[str, str]]:
    """By door: the verdicts for the revoked and the untouched person."""
    found = proof(files, policy_id, **asked)
    doors = ("refresh", "sign_in", "silent")
    return {door: (found[door, "revoked"].verdict, found[door, "untouched"].verdict) for door in doors}
