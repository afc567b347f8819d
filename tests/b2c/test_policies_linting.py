"""What the linter says of a tenant's policies: expected by hand, finding by finding."""
# ruff: noqa: E501 (fragments of files, whole)

import re
from pathlib import Path

import pytest

from b2c.policies.clocks import clocks
from b2c.policies.linting import RULES, lint
from b2c.policies.reading import read
from tests.b2c.test_policies_reading import policy

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "sandbox" / "b2c" / "files"
OWN = ("TrustFrameworkBase", "TrustFrameworkExtensions", "SignUpOrSignin", "ProfileEdit", "PasswordReset")


def own():
    """Policies of the shape that most tenants have: a stock base, extensions, three relying parties."""
    return {f"{name}.xml": (FILES / f"{name}.xml").read_bytes() for name in OWN}


def changed(files, name, old, new, count=1):
    text = files[name].decode()
    assert old in text, f"{name} does not say {old!r}"
    return {**files, name: text.replace(old, new, count).encode()}


def rules(files, gate=None):
    return {one.rule for one in lint(read(files), gate)}


def test_of_a_stock_set_it_says_what_a_person_would():
    found = [(one.rule, one.severity, one.file, one.what) for one in lint(read(own()))]

    assert found == [
        ("no-refresh-journey", "warning", "PasswordReset.xml", "B2C_1A_PasswordReset"),
        ("no-refresh-journey", "warning", "ProfileEdit.xml", "B2C_1A_ProfileEdit"),
        ("claims-lost-on-refresh", "warning", "SignUpOrSignin.xml", "identityProvider"),
        ("five-minute-tolerance", "warning", "TrustFrameworkBase.xml", "300000 milliseconds."),
    ]


def test_every_finding_names_the_line_to_mend():
    files = own()

    for one in lint(read(files)):
        line = files[one.file].decode().splitlines()[one.line - 1]
        assert re.search(r"<RelyingParty>|identityProvider|AssertRefreshToken", line)
        assert one.why
        assert one.mend


BASE, EXTENSIONS, PARTY = "TrustFrameworkBase.xml", "TrustFrameworkExtensions.xml", "SignUpOrSignin.xml"
LOST = '<OutputClaim ClaimTypeReferenceId="refreshTokenIssuedOnDateTime" />'
FAULTS = {
    "dangling-profile": (BASE, 'TechnicalProfileReferenceId="RefreshTokenReadAndSetup"', 'TechnicalProfileReferenceId="Other"'),
    "dangling-journey": (PARTY, 'UserJourneyReferenceId="RedeemRefreshToken"', 'UserJourneyReferenceId="Nowhere"'),
    "dangling-claim": (PARTY, 'ClaimTypeReferenceId="displayName"', 'ClaimTypeReferenceId="shoeSize"'),
    "dangling-transformation": (BASE, '<OutputClaimsTransformation ReferenceId="AssertRefresh', '<OutputClaimsTransformation ReferenceId="Refresh'),
    "dangling-reference": (BASE, '<ContentDefinition Id="api.signuporsignin">', '<ContentDefinition Id="api.other">'),
    "base-missing": (PARTY, "<PolicyId>B2C_1A_TrustFrameworkExtensions<", "<PolicyId>B2C_1A_NotHere<"),
    "base-of-another-tenant": (PARTY, "<TenantId>contosocustomers.", "<TenantId>fabrikam."),
    "policy-id": (PARTY, 'PolicyId="B2C_1A_signup_signin"', 'PolicyId="signup_signin"'),
    "no-refresh-journey": (PARTY, '<Endpoint Id="Token"', '<Endpoint Id="UserInfo"'),
    "both-selections": (EXTENSIONS, '<Item Key="refresh_token_lifetime_secs">', '<Item Key="RefreshTokenUserJourneyId">RedeemRefreshToken</Item><Item Key="refresh_token_lifetime_secs">'),
    "token-not-read": (BASE, LOST, ""),
    "operands-swapped": (BASE, 'ClaimTypeReferenceId="refreshTokenIssuedOnDateTime" TransformationClaimType="leftOperand"', 'ClaimTypeReferenceId="refreshTokenIssuedOnDateTime" TransformationClaimType="rightOperand"'),
    "wrong-operand": (BASE, 'ClaimTypeReferenceId="refreshTokenIssuedOnDateTime" TransformationClaimType="leftOperand"', 'ClaimTypeReferenceId="displayName" TransformationClaimType="leftOperand"'),
    "date-not-read": (BASE, '<OutputClaim ClaimTypeReferenceId="refreshTokensValidFromDateTime" />', ""),
    "no-date-assertion": (BASE, 'TransformationMethod="AssertDateTimeIsGreaterThan"', 'TransformationMethod="NullClaim"'),
    "deleted-person-passes": (BASE, "true</Item>", "false</Item>", 99),
    "missing-key": (BASE, '<Key Id="issuer_refresh_token_key"', '<Key Id="another_key"'),
    "no-send-claims": (BASE, 'Type="SendClaims"', 'Type="Noop"', 99),
    "claim-redeclared": (EXTENSIONS, "<ClaimsProviders>", '<BuildingBlocks><ClaimsSchema><ClaimType Id="DisplayName"><DisplayName>n</DisplayName><DataType>int</DataType></ClaimType></ClaimsSchema></BuildingBlocks><ClaimsProviders>'),
    "journey-redefined": (EXTENSIONS, "</TrustFrameworkPolicy>", '<UserJourneys><UserJourney Id="RedeemRefreshToken"><OrchestrationSteps><OrchestrationStep Order="1" Type="Noop" /></OrchestrationSteps></UserJourney></UserJourneys></TrustFrameworkPolicy>'),
    "metadata-twice": (EXTENSIONS, '<Item Key="refresh_token_lifetime_secs">', '<Item Key="REFRESH_token_lifetime_secs">1</Item><Item Key="refresh_token_lifetime_secs">'),
    "include-circle": (BASE, '<TechnicalProfile Id="AAD-Common">', '<TechnicalProfile Id="AAD-Common"><IncludeTechnicalProfile ReferenceId="AAD-UserReadUsingObjectId" />'),
    "assertion-signature": (BASE, None, None),
}  # fmt: skip


def test_each_fault_that_is_put_in_is_found():
    for rule, (name, old, new, *count) in FAULTS.items():
        if old is None:
            files = _with_type(own(), "refreshTokensValidFromDateTime", "dateTime")
        else:
            files = changed(own(), name, old, new, *count)
        assert rule in rules(files), rule


def _with_type(files, claim, data_type):
    pattern = rf'(<ClaimType Id="{claim}">.*?<DataType>)string'
    text, times = re.subn(pattern, rf"\g<1>{data_type}", files[BASE].decode(), count=1, flags=re.DOTALL)
    assert times == 1
    return {**files, BASE: text.encode()}


def test_numbers_of_steps_and_what_stands_after_the_tokens():
    def journey(*steps):
        every = "".join(f"<OrchestrationStep {step} />" for step in steps)
        body = f'<UserJourney Id="J"><OrchestrationSteps>{every}</OrchestrationSteps></UserJourney>'
        party = '<RelyingParty><DefaultUserJourney ReferenceId="J" /><Endpoints><Endpoint Id="token" UserJourneyReferenceId="J" /></Endpoints></RelyingParty>'
        return {"one.xml": policy(body=f"<UserJourneys>{body}</UserJourneys>{party}")}

    assert "step-order" in rules(journey('Order="1" Type="Noop"', 'Order="3" Type="SendClaims"'))
    assert "step-order" in rules(journey('Order="1" Type="Noop"', 'Order="1" Type="SendClaims"'))
    assert "step-order" in rules(journey('Order="1" Type="Dance"', 'Order="2" Type="SendClaims"'))
    assert "send-claims-not-last" in rules(journey('Order="1" Type="SendClaims"', 'Order="2" Type="Noop"'))
    assert "second-send-claims" in rules(journey('Order="1" Type="SendClaims"', 'Order="2" Type="SendClaims"'))
    assert "step-order" not in rules(journey('Order="1" Type="Noop"', 'Order="2" Type="SendClaims"'))


@pytest.mark.parametrize("missing", [BASE, EXTENSIONS])
def test_what_may_stand_in_a_file_that_is_not_there_is_not_judged(missing):
    files = own()
    del files[missing]

    assert rules(files) <= {"base-missing"}
    assert {one.refresh for one in clocks(read(files)).values()} == {None}


def test_two_files_of_one_policy_are_told():
    twin = lint(read({"a.xml": policy(), "b.xml": policy("b2c_1a_ONE")}))

    assert [(one.rule, one.file) for one in twin] == [("policy-twice", "b.xml")]


def test_which_date_a_refresh_looks_at():
    found = clocks(read(own()))

    assert found["B2C_1A_signup_signin"].refresh == {"refreshTokensValidFromDateTime"}
    assert found["B2C_1A_ProfileEdit"].refresh == frozenset()
    twofold = clocks(read(changed(own(), *FAULTS["both-selections"][:3])))
    assert twofold["B2C_1A_signup_signin"].refresh is None


def test_the_manual_has_every_rule_in_the_same_words():
    section = (ROOT / "docs" / "b2c.md").read_text().split("## The linter's rules", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (\w+) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)

    assert rows == [(one.name, str(one.severity), str(one.why), str(one.mend)) for one in RULES.values()]


def test_policies_made_to_be_judged_for_ever_are_judged():
    """Sub-journeys that call each other twice, profiles that include the next of thousands, many relying parties."""

    def called(number):
        return f'<Candidate SubJourneyReferenceId="S{number}" />'

    subs = "".join(
        f'<SubJourney Id="S{n}" Type="Call"><OrchestrationSteps>'
        f'<OrchestrationStep Order="1" Type="InvokeSubJourney"><JourneyList>{called(n + 1) * 2}</JourneyList></OrchestrationStep>'
        f"</OrchestrationSteps></SubJourney>"
        for n in range(40)
    )
    profiles = "".join(
        f'<TechnicalProfile Id="P{n}"><IncludeTechnicalProfile ReferenceId="P{n + 1}" /></TechnicalProfile>'
        for n in range(1500)
    )
    step = f'<OrchestrationStep Order="1" Type="InvokeSubJourney"><JourneyList>{called(0)}</JourneyList></OrchestrationStep>'
    body = (
        f"<ClaimsProviders><ClaimsProvider><TechnicalProfiles>{profiles}</TechnicalProfiles></ClaimsProvider></ClaimsProviders>"
        f'<UserJourneys><UserJourney Id="J"><OrchestrationSteps>{step}</OrchestrationSteps></UserJourney></UserJourneys>'
        f"<SubJourneys>{subs}</SubJourneys>"
    )
    party = '<RelyingParty><DefaultUserJourney ReferenceId="J" /></RelyingParty>'
    files = {"base.xml": policy("B2C_1A_Base", body=body)}
    files |= {f"{n}.xml": policy(f"B2C_1A_{n}", "B2C_1A_Base", party) for n in range(60)}

    policies = read(files)

    found = lint(policies)

    assert {"no-send-claims", "no-refresh-journey", "dangling-profile"} <= {one.rule for one in found}
    assert len(clocks(policies)) == 60
