"""The verdicts on policies with and without a gate, and on each way a gate can be made wrong."""

import json

import pytest

from sandbox.b2c import __main__ as command
from tests.sandbox.b2c.policies import (
    ASK,
    DATE,
    READ,
    SIGN_IN,
    changed,
    exchange,
    gated,
    own,
    policy,
    proof,
    send,
    verdicts,
)

HELD = {"refresh": ("blocks", "issues"), "sign_in": ("blocks", "issues"), "silent": ("blocks", "issues")}
BY_DATE = {"revoked_by": "refreshTokensValidFromDateTime"}


# --- the tenant's own policies, as most tenants have them ------------------------------------------


def test_the_date_closes_the_refresh_of_the_one_policy_that_compares_it():
    found = proof(own(), "B2C_1A_signup_signin", **BY_DATE)

    assert found["refresh", "revoked"].verdict == "blocks"
    assert found["refresh", "revoked"].code == "AADB2C90129"
    assert found["refresh", "untouched"].verdict == "issues"
    assert found["silent", "revoked"].verdict == "issues"  # the session knows nothing of the date


@pytest.mark.parametrize("policy_id", ["B2C_1A_ProfileEdit", "B2C_1A_PasswordReset"])
def test_a_policy_without_a_refresh_journey_checks_nothing(policy_id):
    found = proof(own(), policy_id, **BY_DATE)["refresh", "revoked"]

    assert (found.verdict, found.steps) == ("issues", [])
    assert "names no journey" in found.why


def test_where_applications_speak_saml_nothing_is_refreshed():
    files = changed(own(), "ProfileEdit.xml", '<Protocol Name="OpenIdConnect" />', '<Protocol Name="SAML2" />')

    assert verdicts(files, "B2C_1A_ProfileEdit")["refresh"] == ("blocks", "blocks")


def test_within_five_minutes_the_date_does_not_help():
    found = proof(own(), "B2C_1A_signup_signin", **BY_DATE, minutes_after=4)["refresh", "revoked"]

    assert found.verdict == "issues"
    assert "within 300 seconds" in found.why


def test_whether_graph_moves_the_date_that_policies_read_cannot_be_told():
    found = proof(own(), "B2C_1A_signup_signin", revoked_by="signInSessionsValidFromDateTime")["refresh", "revoked"]

    assert found.verdict == "cannot tell"
    assert "through Graph" in found.why


# --- the gate --------------------------------------------------------------------------------------


def test_a_gate_closes_every_door_for_the_revoked_and_none_for_others():
    assert verdicts(gated()) == HELD


def test_a_gate_that_allows_closes_nothing():
    assert set(verdicts(gated(), gate="allow").values()) == {("issues", "issues")}


def test_a_gate_that_is_down_closes_every_door_for_everybody():
    found = proof(gated(), gate="down")

    assert {one.verdict for one in found.values()} == {"blocks"}
    assert "3 times" in found["refresh", "untouched"].why


def test_the_gate_closes_the_five_minutes_that_the_date_leaves_open():
    assert verdicts(gated(), minutes_after=2)["refresh"] == ("blocks", "issues")


def test_a_gate_named_by_the_issuer_is_as_good_as_one_named_by_the_endpoint():
    assert verdicts(by_issuer())["refresh"] == ("blocks", "issues")


def by_issuer():
    files = changed(
        gated(), "Gated.xml", '<Endpoints><Endpoint Id="Token" UserJourneyReferenceId="RedeemGated" /></Endpoints>', ""
    )
    issuer = """
    <ClaimsProvider><DisplayName>Tokens</DisplayName><TechnicalProfiles><TechnicalProfile Id="JwtIssuer">
      <Metadata><Item Key="RefreshTokenUserJourneyId">RedeemGated</Item></Metadata>
    </TechnicalProfile></TechnicalProfiles></ClaimsProvider>
  </ClaimsProviders>"""
    return changed(files, "Gate.xml", "</ClaimsProviders>", issuer)


def test_both_selections_at_once_cannot_be_told_unless_they_agree():
    both = changed(gated(), "Gate.xml", "</ClaimsProviders>", by_issuer_text("RedeemRefreshToken"))
    same = changed(gated(), "Gate.xml", "</ClaimsProviders>", by_issuer_text("RedeemGated"))

    assert verdicts(both)["refresh"] == ("cannot tell", "issues")
    assert verdicts(same)["refresh"] == ("blocks", "issues")


def by_issuer_text(journey):
    return f"""
    <ClaimsProvider><DisplayName>Tokens</DisplayName><TechnicalProfiles><TechnicalProfile Id="JwtIssuer">
      <Metadata><Item Key="RefreshTokenUserJourneyId">{journey}</Item></Metadata>
    </TechnicalProfile></TechnicalProfiles></ClaimsProvider>
  </ClaimsProviders>"""


def test_a_journey_that_the_issuer_names_and_nobody_defines_is_refused_by_number():
    found = proof(changed(by_issuer(), "Gate.xml", ">RedeemGated</Item>", ">Nowhere</Item>"))["refresh", "untouched"]

    assert (found.verdict, found.code) == ("blocks", "AADB2C90288")


# --- mutants ---------------------------------------------------------------------------------------


ASSERT = '<OutputClaimsTransformation ReferenceId="AssertGate" />'
COMPARE = '<OutputClaimsTransformation ReferenceId="CompareGate" />'
SKIP = """<Preconditions><Precondition Type="ClaimsExist" ExecuteActionsIf="true">
  <Value>objectId</Value><Action>SkipThisOrchestrationStep</Action></Precondition></Preconditions><ClaimsExchanges>"""
LEFT = 'ClaimTypeReferenceId="refreshTokenIssuedOnDateTime" TransformationClaimType='
RIGHT = 'ClaimTypeReferenceId="refreshTokensValidFromDateTime" TransformationClaimType='


def in_gate(old, new):
    return lambda: changed(gated(), "Gate.xml", old, new)


def swapped_operands():
    files = changed(
        gated(refresh=f"{READ}{DATE}{send(3)}"), "TrustFrameworkBase.xml", f'{LEFT}"leftOperand"', f'{LEFT}"x"'
    )
    files = changed(files, "TrustFrameworkBase.xml", f'{RIGHT}"rightOperand"', f'{RIGHT}"leftOperand"')
    return changed(files, "TrustFrameworkBase.xml", f'{LEFT}"x"', f'{LEFT}"rightOperand"')


def inherited_journey():
    """A child that defines the base's journey again, shorter: nobody says what becomes of the steps."""
    steps = f"<OrchestrationSteps>{READ}{send(3)}</OrchestrationSteps>"
    child = f'<UserJourneys><UserJourney Id="RedeemGated">{steps}</UserJourney></UserJourneys>'
    files = gated() | {"Child.xml": policy("B2C_1A_Child", "B2C_1A_Gate", child)}
    return changed(files, "Gated.xml", "<PolicyId>B2C_1A_Gate<", "<PolicyId>B2C_1A_Child<")


def overridden_profile():
    """A later file that sends the gate's call elsewhere."""
    child = """<ClaimsProviders><ClaimsProvider><DisplayName>Gate</DisplayName><TechnicalProfiles>
      <TechnicalProfile Id="rest-gate"><Metadata><Item Key="ServiceUrl">https://elsewhere.example/ok</Item></Metadata>
      </TechnicalProfile></TechnicalProfiles></ClaimsProvider></ClaimsProviders>"""
    files = gated() | {"Child.xml": policy("B2C_1A_Child", "B2C_1A_Gate", child)}
    return changed(files, "Gated.xml", "<PolicyId>B2C_1A_Gate<", "<PolicyId>B2C_1A_Child<")


MUTANTS = {
    "the profile dropped from the journey": (lambda: gated(refresh=f"{READ}{DATE}{send(4)}"), "refresh", {}),
    "the gate after SendClaims": (
        lambda: gated(refresh=f"{READ}{DATE}{send(3)}{exchange(4, 'Ask', 'REST-Gate')}"),
        "refresh",
        {},
    ),
    "a precondition that skips the gate": (
        lambda: gated(refresh=f"{READ}{DATE}{ASK.replace('<ClaimsExchanges>', SKIP)}{send(4)}"),
        "refresh",
        {},
    ),
    "the endpoint at the journey without a gate": (
        lambda: changed(gated(), "Gated.xml", '"RedeemGated"', '"RedeemRefreshToken"'),
        "refresh",
        {},
    ),
    "no endpoint": (
        lambda: changed(gated(), "Gated.xml", '<Endpoint Id="Token" UserJourneyReferenceId="RedeemGated" />', ""),
        "refresh",
        {},
    ),
    "the endpoint at a journey that is not there": (
        lambda: changed(gated(), "Gated.xml", '"RedeemGated"', '"RedeemGates"'),
        "refresh",
        {},
    ),
    "an error profile instead of a refusal": (
        lambda: gated(refresh=f"{READ}{DATE}{send(3, 'SayNo')}{send(4)}"),
        "refresh",
        {},
    ),
    "the steps in the wrong order": (
        lambda: gated(
            refresh=f"{exchange(1, 'Ask', 'REST-Gate')}{exchange(2, 'Read', 'RefreshTokenReadAndSetup')}{send(3)}"
        ),
        "refresh",
        {},
    ),
    "the token's claims not read": (lambda: gated(refresh=f"{DATE}{ASK}{send(4)}"), "refresh", {}),
    "the operands the wrong way round": (swapped_operands, "refresh", BY_DATE),
    "the date's assertion removed": (
        lambda: changed(
            gated(refresh=f"{READ}{DATE}{send(3)}"),
            "TrustFrameworkBase.xml",
            '<OutputClaimsTransformation ReferenceId="AssertRefreshTokenIssuedLaterThanValidFromDate" />',
            "",
        ),
        "refresh",
        BY_DATE,
    ),
    "the assertion against false": (
        in_gate('DataType="boolean" Value="true"', 'DataType="boolean" Value="false"'),
        "refresh",
        {},
    ),
    "the assertion before what it asserts": (in_gate(COMPARE, ""), "refresh", {}),
    "the answer's claim misnamed": (in_gate('PartnerClaimType="gate"', 'PartnerClaimType="gates"'), "refresh", {}),
    "the person's id misnamed": (
        in_gate(
            'ClaimTypeReferenceId="objectId" Required="true"', 'ClaimTypeReferenceId="objectId" PartnerClaimType="oid"'
        ),
        "refresh",
        {},
    ),
    "a claim that is declared nowhere": (
        in_gate('ClaimTypeReferenceId="gatePolicy"', 'ClaimTypeReferenceId="gatePolice"'),
        "refresh",
        {},
    ),
    "claim resolvers not switched on": (
        in_gate('<Item Key="IncludeClaimResolvingInClaimsHandling">true</Item>', ""),
        "refresh",
        {},
    ),
    "the time of issue not sent": (in_gate('PartnerClaimType="issuedAt"', 'PartnerClaimType="issued"'), "refresh", {}),
    "no credential": (in_gate(">Basic<", ">None<"), "refresh", {}),
    "a key forgotten": (
        in_gate('<Key Id="BasicAuthenticationPassword" StorageReferenceId="B2C_1A_GatePassword" />', ""),
        "refresh",
        {},
    ),
    "plain http": (in_gate("https://portal", "http://portal"), "refresh", {}),
    "another service": (in_gate("/refresh<", "/health<"), "refresh", {}),
    "the issuer without its key": (
        lambda: changed(
            gated(),
            "TrustFrameworkBase.xml",
            '<Key Id="issuer_refresh_token_key" StorageReferenceId="B2C_1A_TokenEncryptionKeyContainer" />',
            "",
        ),
        "refresh",
        {},
    ),
    "a journey defined twice": (inherited_journey, "refresh", {}),
    "a profile overridden by a later file": (overridden_profile, "refresh", {}),
    "no gate at sign-in": (
        lambda: gated(sign_in=SIGN_IN.replace("REST-GateAtSignIn", "AAD-UserReadUsingObjectId")),
        "silent",
        {},
    ),
    "a gate at sign-in that the session skips": (in_gate("SM-Noop", "SM-AAD"), "silent", {}),
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_gate_made_wrong_is_told_from_one_that_holds(mutant):
    make, door, asked = mutant
    right = verdicts(gated(refresh=f"{READ}{DATE}{send(3)}") if asked else gated(), **asked)

    assert right[door] == ("blocks", "issues")
    assert verdicts(make(), **asked)[door] != ("blocks", "issues")


def test_the_gate_refuses_by_two_means():
    """HTTP 409 fails the journey by itself; the assertion is for an answer of 200 that does not say open."""
    without = changed(gated(), "Gate.xml", ASSERT, "")

    assert verdicts(without)["refresh"] == ("blocks", "issues")
    assert proof(gated())["refresh", "revoked"].why.startswith("REST-Gate: portal.contoso.example answered HTTP 409")


# --- the command -----------------------------------------------------------------------------------


def test_the_command_says_it_in_json_and_in_words(tmp_path, capsys):
    for name, content in gated().items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "broken.xml").write_bytes(b"<TrustFrameworkPolicy>")

    assert command.main(["prove", str(tmp_path), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    door = next(one for one in said["policies"] if one["policy"] == "B2C_1A_gated")["doors"][0]
    assert {name: door[name] for name in ("door", "person", "verdict", "code")} == {
        "door": "refresh",
        "person": "revoked",
        "verdict": "blocks",
        "code": None,
    }
    assert [step["order"] for step in door["steps"]] == [1, 2, 3]
    assert said["errors"][0]["file"] == "broken.xml"

    assert command.main(["prove", str(tmp_path), "--gate", "allow"]) == 1
    assert "B2C_1A_gated" in capsys.readouterr().out
    assert command.main(["prove", str(tmp_path / "nowhere")]) == 2
