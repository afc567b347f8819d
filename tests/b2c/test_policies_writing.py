# ruff: noqa: E501 (fragments of files, whole)
"""Policies that `write` makes: they keep the tenant's ways, validate, link, and block; and each way to break them is noticed."""

import re
from pathlib import Path

import pytest
from lxml import etree

from b2c.policies.comparing import compare
from b2c.policies.linting import lint
from b2c.policies.model import GateSpec
from b2c.policies.reading import read
from b2c.policies.writing import CannotWrite, write
from sandbox.b2c.proving import Asked, prove
from sandbox.b2c.reading.files import read as read_for_proof
from tests.b2c.test_policies_linting import BASE, EXTENSIONS, FILES, PARTY, changed, own

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT.parent / "shared" / "reference" / "TrustFrameworkPolicy_0.3.0.0.xsd"
GATE = GateSpec("https://portal.contoso.example/b2c/55555555-5555-4555-8555-555555555555", attribute="country")
GATED, ASKED, SIGNED_IN = (
    "B2C_1A_ConsentryGate.xml",
    "B2C_1A_Consentry_signup_signin",
    "B2C_1A_Consentry_signup_signin.xml",
)


def by_metadata(files):
    """The same tenant, naming its refresh journey in the issuer's metadata."""
    item = '<Item Key="RefreshTokenUserJourneyId">RedeemRefreshToken</Item><Item Key="refresh_token_lifetime_secs">'
    files = changed(files, EXTENSIONS, '<Item Key="refresh_token_lifetime_secs">', item)
    text = re.sub(r"<Endpoints>.*?</Endpoints>", "", files[PARTY].decode(), flags=re.DOTALL)
    return {**files, PARTY: text.encode()}


def without_refresh(files):
    """A base of before 2022: nothing reads a refresh token."""
    text = re.sub(r'<UserJourney Id="RedeemRefreshToken">.*?</UserJourney>', "", files[BASE].decode(), flags=re.DOTALL)
    party = re.sub(r"<Endpoints>.*?</Endpoints>", "", files[PARTY].decode(), flags=re.DOTALL)
    return {**files, BASE: text.encode(), PARTY: party.encode()}


def with_own_journey(files):
    """A relying party whose file defines its journey itself."""
    journey = re.search(r'<UserJourney Id="SignUpOrSignIn">.*?</UserJourney>', files[BASE].decode(), re.DOTALL)[0]
    mine = journey.replace('Id="SignUpOrSignIn"', 'Id="Mine"', 1)
    files = changed(files, PARTY, "<RelyingParty>", f"<UserJourneys>{mine}</UserJourneys><RelyingParty>")
    return changed(
        files, PARTY, 'DefaultUserJourney ReferenceId="SignUpOrSignIn"', 'DefaultUserJourney ReferenceId="Mine"'
    )


SHAPES = [own, lambda: by_metadata(own()), lambda: without_refresh(own()), lambda: with_own_journey(own())]
IDS = ["endpoint", "metadata", "none", "own journey"]


def proved(files, **asked):
    """{policy: {(door, person): verdict}} of the gated policies."""
    found, problems = prove(read_for_proof(files), Asked(**asked))
    assert not problems
    return {
        one.policy: {(each.door, each.person): each.verdict for each in one.doors}
        for one in found
        if one.policy.startswith("B2C_1A_Consentry_")
    }


@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
def test_what_is_written_links_and_blocks_the_refused_and_nobody_else(shape):
    files = shape()
    written = write(read(files), GATE)
    assert [one for one in written.notes if one.left] == []
    assert len(written.files) == 4

    together = {**files, **written.files}
    found = [(one.rule, one.file, one.what) for one in lint(read(together), GATE) if one.file in written.files]
    verdicts = proved(together)

    assert found == []
    assert len(verdicts) == 3
    for doors in verdicts.values():
        assert (doors["refresh", "revoked"], doors["refresh", "untouched"]) == ("blocks", "issues")
        assert (doors["sign_in", "revoked"], doors["sign_in", "untouched"]) == ("blocks", "issues")
        assert doors["silent", "revoked"] == "blocks"
    assert verdicts[ASKED]["silent", "untouched"] == "issues"


def test_the_way_in_which_the_tenant_names_its_refresh_journey_is_kept():
    by_endpoint, by_item = write(read(own()), GATE), write(read(by_metadata(own())), GATE)

    assert all(b'Endpoint Id="Token"' in by_endpoint.files[name] for name in by_endpoint.files if name != GATED)
    assert b"RefreshTokenUserJourneyId" not in by_endpoint.files[GATED]
    assert not any(b"<Endpoint " in content for content in by_item.files.values())
    assert b'<Item Key="RefreshTokenUserJourneyId">Consentry-RedeemRefreshToken</Item>' in by_item.files[GATED]


def test_ids_of_the_base_are_found_not_assumed():
    files = own()
    for stock in (
        "RedeemRefreshToken",
        "RefreshTokenReadAndSetup",
        "AAD-UserReadUsingObjectId",
        "JwtIssuer",
        "SignUpOrSignIn",
        "AAD-Common",
    ):
        for name, content in files.items():
            files[name] = re.sub(rf'"{stock}(["-])'.encode(), rf'"Ours-{stock}\1'.encode(), content)
    written = write(read(files), GATE)

    assert not [one for one in lint(read({**files, **written.files}), GATE) if one.file in written.files]
    assert proved({**files, **written.files})[ASKED]["refresh", "revoked"] == "blocks"


def test_writing_again_gives_the_same_bytes_and_they_are_those_of_the_sandbox():
    everything = {path.name: path.read_bytes() for path in FILES.glob("*.xml")}
    tenants = {name: content for name, content in everything.items() if not name.startswith("B2C_1A_")}

    written = write(read(tenants), GATE).files

    assert written == {name: everything[name] for name in everything if name not in tenants}
    assert write(read(everything | {"z.xml": everything["TrustFrameworkBase.xml"]}), GATE).files == written


def test_a_comparison_shows_what_is_new_what_changed_and_what_did_not():
    written = write(read(own()), GATE)
    before = changed(written.files, GATED, "/refresh<", "/elsewhere<")
    del before[SIGNED_IN]

    found = {one.policy: one for one in compare(read({**own(), **before}), written)}

    assert [one.kind for one in found.values()] == ["changed", "same", "same", "new"]
    assert next(iter(found)) == "B2C_1A_ConsentryGate"  # parents first
    assert (found["B2C_1A_ConsentryGate"].added, found["B2C_1A_ConsentryGate"].removed) == (1, 1)
    assert any("/elsewhere" in line for line in found["B2C_1A_ConsentryGate"].lines)


def test_what_cannot_be_written_is_said():
    files = own()

    with pytest.raises(CannotWrite, match="no relying party"):
        write(read(files), GATE, ["B2C_1A_Nobody"])
    with pytest.raises(CannotWrite, match="HTTPS"):
        write(read(files), GateSpec("http://portal.example/b2c/1"))
    with pytest.raises(CannotWrite, match="letters and digits"):
        write(read(files), GateSpec(GATE.url, prefix="a/b"))
    taken = changed(
        files,
        EXTENSIONS,
        '<TechnicalProfile Id="JwtIssuer">',
        '<TechnicalProfile Id="Consentry-X" /><TechnicalProfile Id="JwtIssuer">',
    )
    with pytest.raises(CannotWrite, match="exists already"):
        write(read(taken), GATE)
    del files[EXTENSIONS]
    left = write(read(files), GATE)
    assert left.files == {}
    assert {one.left for one in left.notes} == {True}


def test_what_is_written_validates_against_the_schema():
    if not SCHEMA.exists():
        pytest.skip("did not run: the schema is not beside the project")
    document = etree.fromstring(SCHEMA.read_bytes())
    for pattern in document.iter("{http://www.w3.org/2001/XMLSchema}pattern"):  # anchors are none in a schema
        pattern.set("value", pattern.get("value").removeprefix("^").removesuffix("$"))
    schema = etree.XMLSchema(document)

    for shape in SHAPES:
        for name, content in write(read(shape()), GATE).files.items():
            schema.validate(etree.fromstring(content))
            assert [f"{name}:{one.line} {one.message}" for one in schema.error_log] == []


ASK_STEP = (
    '<ClaimsExchange Id="Consentry-AskAtRefresh-Exchange" TechnicalProfileReferenceId="Consentry-AskAtRefresh" />'
)
SEND = 'Type="SendClaims" CpimIssuerTechnicalProfileReferenceId="JwtIssuer" />'
MUTANTS = {
    "assertion removed": (GATED, '<OutputClaimsTransformation ReferenceId="Consentry-AssertOpen" />', "", 2),
    "comparison removed": (GATED, '<OutputClaimsTransformation ReferenceId="Consentry-IsOpen" />', "", 2),
    "comparison and assertion in the wrong order": (GATED, '"Consentry-IsOpen" />\n            <OutputClaimsTransformation ReferenceId="Consentry-AssertOpen" />', '"Consentry-AssertOpen" />\n            <OutputClaimsTransformation ReferenceId="Consentry-IsOpen" />', 2),
    "asserted to be shut": (GATED, 'DataType="boolean" Value="true" />\n        </InputParameters>\n      </ClaimsTransformation>\n      <ClaimsTransformation Id="Consentry-Now"', 'DataType="boolean" Value="false" />\n        </InputParameters>\n      </ClaimsTransformation>\n      <ClaimsTransformation Id="Consentry-Now"'),
    "compared with another word": (GATED, 'Value="open"', 'Value="shut"'),
    "compared the other way": (GATED, 'Value="equal"', 'Value="not equal"'),
    "open by default": (GATED, 'DefaultValue="shut"', 'DefaultValue="open"', 2),
    "answer read from another name": (GATED, 'PartnerClaimType="gate"', 'PartnerClaimType="door"', 2),
    "gate not asked at the refresh": (GATED, ASK_STEP, ASK_STEP.replace('="Consentry-AskAtRefresh" />', '="AAD-UserReadUsingObjectId" />')),
    "gate skippable": (GATED, f"<ClaimsExchanges>\n            {ASK_STEP}", f'<Preconditions><Precondition Type="ClaimsExist" ExecuteActionsIf="true"><Value>objectId</Value><Action>SkipThisOrchestrationStep</Action></Precondition></Preconditions><ClaimsExchanges>\n            {ASK_STEP}'),
    "a second SendClaims": (GATED, f'<OrchestrationStep Order="5" {SEND}', f'<OrchestrationStep Order="5" {SEND}<OrchestrationStep Order="6" {SEND}'),
    "tokens sent before the gate": (GATED, 'Order="5" Type="SendClaims"', 'Order="0" Type="SendClaims"'),
    "token never read": (GATED, 'TechnicalProfileReferenceId="Consentry-RefreshTokenReadAndSetup"', 'TechnicalProfileReferenceId="AAD-UserReadUsingObjectId"'),
    "time of issue not sent": (GATED, 'PartnerClaimType="issuedAt"', 'PartnerClaimType="issued"'),
    "person not sent": (GATED, '<InputClaim ClaimTypeReferenceId="objectId" Required="true" />', '<InputClaim ClaimTypeReferenceId="objectId" PartnerClaimType="who" />', 2),
    "policy not sent": (GATED, 'PartnerClaimType="policyId"', 'PartnerClaimType="policy"', 2),
    "no authentication": (GATED, '<Item Key="AuthenticationType">Basic</Item>', '<Item Key="AuthenticationType">None</Item>', 2),
    "a key is missing": (GATED, '<Key Id="BasicAuthenticationPassword"', '<Key Id="Password"', 2),
    "over plain HTTP": (GATED, "https://portal", "http://portal", 2),
    "another session provider": (GATED, 'SessionManagement ReferenceId="Consentry-NoSession"', 'SessionManagement ReferenceId="Consentry-Session"', 2),
    "the endpoint of before": (SIGNED_IN, 'UserJourneyReferenceId="Consentry-RedeemRefreshToken"', 'UserJourneyReferenceId="RedeemRefreshToken"'),
    "no endpoint": (SIGNED_IN, '<Endpoint Id="Token"', '<Endpoint Id="UserInfo"'),
    "the sign-in of before": (SIGNED_IN, 'ReferenceId="Consentry-SignUpOrSignIn"', 'ReferenceId="SignUpOrSignIn"'),
    "a transformation misspelt": (GATED, '<ClaimsTransformation Id="Consentry-AssertOpen"', '<ClaimsTransformation Id="Consentry-AsertOpen"'),
    "the base's assertion swapped": (BASE, 'ClaimTypeReferenceId="refreshTokenIssuedOnDateTime" TransformationClaimType="leftOperand"', 'ClaimTypeReferenceId="refreshTokensValidFromDateTime" TransformationClaimType="leftOperand"'),
    "both ways to name the journey": (EXTENSIONS, '<Item Key="refresh_token_lifetime_secs">', '<Item Key="RefreshTokenUserJourneyId">RedeemRefreshToken</Item><Item Key="refresh_token_lifetime_secs">'),
}  # fmt: skip


def test_each_way_to_break_them_is_noticed_by_the_linter():
    files = {**own(), **write(read(own()), GATE).files}
    quiet = {(one.rule, one.what) for one in lint(read(files), GATE)}

    missed = [
        name
        for name, (file, old, new, *count) in MUTANTS.items()
        if {(one.rule, one.what) for one in lint(read(changed(files, file, old, new, *count)), GATE)} <= quiet
    ]

    assert missed == []
    assert len(MUTANTS) >= 25
