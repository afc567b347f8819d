"""Policy files that are broken or hostile: one clear error each, and the others are read."""

import pytest

from sandbox.b2c.proving import Asked, prove
from sandbox.b2c.reading.elements import Unreadable, parse
from sandbox.b2c.reading.files import read, read_folder
from sandbox.b2c.reading.merging import effective
from tests.sandbox.b2c.policies import HEAD, TENANT, own, policy

START = HEAD.format(id="B2C_1A_x", base="B2C_1A_y", tenant=TENANT)
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><TrustFrameworkPolicy>&j;</TrustFrameworkPolicy>"
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><TrustFrameworkPolicy>&a;</TrustFrameworkPolicy>'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (BOMB.encode(), "document type"),
        (OUTSIDE.encode(), "document type"),
        (b" " * 50_000_000, "larger than the 1024 KB"),
        (START.encode() + b"<a>" * 500 + b"</a>" * 500, "nested more than"),
        (START.encode() + b"<a/>" * 200_000, "more than"),
        (START.encode() + b"<a>", "no well-formed XML"),
        (b"", "no well-formed XML"),
        (b'<?xml version="1.0" encoding="x-nonsense"?><a/>', "encoding"),
        (b'<?xml version="1.0" encoding="shift_jis"?><a/>', "encoding"),
        (b"\xff\xfe\x00", "XML"),
        (b"<html/>", "no policy"),
        (b'<TrustFrameworkPolicy PolicyId="x"/>', "no policy"),
        ((START + "</TrustFrameworkPolicy>").replace('PolicyId="B2C_1A_x"', "").encode(), "no PolicyId"),
    ],
    ids=[
        "entity bomb",
        "external entity",
        "too large",
        "too deep",
        "too many elements",
        "cut off",
        "empty",
        "unknown encoding",
        "encoding of several bytes",
        "half a byte order mark",
        "other XML",
        "no namespace",
        "no id",
    ],
)
def test_a_hostile_or_broken_file_is_one_clear_error(content, why):
    policies = read(own() | {"bad.xml": content})

    assert [one.file for one in policies.problems] == ["bad.xml"]
    assert why in policies.problems[0].why
    assert len(policies.files) == len(own())


def test_the_line_is_named():
    with pytest.raises(Unreadable) as refused:
        parse(b"<?xml version='1.0'?>\n\n<a>\n<b></a>")

    assert refused.value.line == 4


def test_utf_16_is_read():
    text = START.replace("UTF-8", "UTF-16") + "</TrustFrameworkPolicy>"

    assert parse(text.encode("utf-16")).get("PolicyId") == "B2C_1A_x"


PARTY = '<RelyingParty><DefaultUserJourney ReferenceId="SignUpOrSignIn" /></RelyingParty>'


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"a.xml": policy("B2C_1A_a", "B2C_1A_b", PARTY), "b.xml": policy("b2c_1a_B", "B2C_1A_A", "")}, "circle"),
        ({"a.xml": policy("B2C_1A_a", "B2C_1A_nowhere", PARTY)}, "B2C_1A_nowhere is not among the files"),
        (
            {f"{n}.xml": policy(f"B2C_1A_{n}", f"B2C_1A_{n + 1}", PARTY if n == 0 else "") for n in range(12)},
            "more than 10 levels",
        ),
    ],
    ids=["circle", "no base", "too long"],
)
def test_a_chain_that_leads_nowhere_is_an_error_and_cannot_be_told(more, why):
    found, problems = prove(read(more), Asked())

    assert [why in one.why for one in problems] == [True]
    assert {door.verdict for one in found for door in one.doors} == {"cannot tell"}


def test_two_files_with_one_id_are_an_error(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.xml").write_bytes(policy("B2C_1A_a", "B2C_1A_b", ""))
    (tmp_path / "deep" / "b.XML").write_bytes(policy("b2c_1a_A", "B2C_1A_b", ""))
    (tmp_path / "notes.txt").write_text("no policy")

    policies = read_folder(tmp_path)

    assert [one.why for one in policies.problems] == [
        "b2c_1a_A is in a.xml as well; a tenant has one policy of that id"
    ]


def test_a_child_adds_and_overrides_and_includes_are_followed():
    found = effective(read(own()), "b2c_1a_SIGNUP_signin")
    checked = found.profile("aad-userreadusingobjectid-checkrefreshtokendate")

    assert found.profile("jwtissuer").metadata["refresh_token_lifetime_secs"] == "7776000"
    assert found.profile("JWTISSUER").keys["issuer_secret"] == "B2C_1A_TokenSigningKeyContainer"
    assert checked.handled_by == "AzureActiveDirectoryProvider"
    assert {"displayname", "refreshtokensvalidfromdatetime"} <= set(checked.outputs)


def journeys(*bodies, sub=()):
    """A relying party's policy with these journeys, the first of which signs in."""
    made = "".join(
        f'<UserJourney Id="J{n}"><OrchestrationSteps>{one}</OrchestrationSteps></UserJourney>'
        for n, one in enumerate(bodies)
    )
    subs = "".join(
        f'<SubJourney Id="S{n}" Type="Call"><OrchestrationSteps>{one}</OrchestrationSteps></SubJourney>'
        for n, one in enumerate(sub)
    )
    party = '<RelyingParty><DefaultUserJourney ReferenceId="J0" /></RelyingParty>'
    body = f"<UserJourneys>{made}</UserJourneys><SubJourneys>{subs}</SubJourneys>{party}"
    return own() | {"x.xml": policy("B2C_1A_x", "B2C_1A_TrustFrameworkExtensions", body)}


def invoking(orders, name):
    return "".join(
        f'<OrchestrationStep Order="{n}" Type="InvokeSubJourney"><JourneyList>'
        f'<Candidate SubJourneyReferenceId="{name}" /></JourneyList></OrchestrationStep>'
        for n in range(orders)
    )


def undecided(steps):
    """A question before each step, and the journey goes on whatever the answer is; then tokens, or none."""
    asking = "".join(
        f'<OrchestrationStep Order="{n}" Type="Noop"><Preconditions><Precondition Type="Odd" ExecuteActionsIf="true">'
        f"<Value>{n}</Value><Action>SkipThisOrchestrationStep</Action></Precondition></Preconditions></OrchestrationStep>"
        for n in range(steps)
    )
    last = f'<OrchestrationStep Order="{steps}" Type="SendClaims" CpimIssuerTechnicalProfileReferenceId="JwtIssuer" />'
    return asking + last


INCLUDES = "".join(
    f'<TechnicalProfile Id="T{n}"><IncludeClaimsFromTechnicalProfile ReferenceId="T{n + 1}" />'
    f'<IncludeTechnicalProfile ReferenceId="T{n + 1}" /></TechnicalProfile>'
    for n in range(60)
)
LOOP = '<TechnicalProfile Id="L"><IncludeTechnicalProfile ReferenceId="L" /></TechnicalProfile>'


@pytest.mark.parametrize(
    "files",
    [
        journeys(invoking(100, "S0"), sub=[invoking(100, "S0")]),
        journeys(invoking(1000, "S0"), sub=[invoking(1000, "S1"), invoking(1000, "S2"), ""]),
        journeys(undecided(60)),
    ],
    ids=["a sub-journey inside itself", "a billion steps", "two to the power of sixty ways"],
)
def test_a_policy_made_to_run_for_ever_cannot_be_told_and_ends(files):
    found, problems = prove(read(files), Asked())

    assert problems == []
    mine = next(one for one in found if one.policy == "B2C_1A_x")
    assert {door.verdict for door in mine.doors if door.door == "sign_in"} == {"cannot tell"}


@pytest.mark.parametrize(("profiles", "start"), [(INCLUDES, "T0"), (LOOP, "L")], ids=["deep and wide", "itself"])
def test_includes_that_lead_nowhere_end(profiles, start):
    step = f'<OrchestrationStep Order="1" Type="SendClaims" CpimIssuerTechnicalProfileReferenceId="{start}" />'
    inside = f"<DisplayName>x</DisplayName><TechnicalProfiles>{profiles}</TechnicalProfiles>"
    provider = f"<ClaimsProvider>{inside}</ClaimsProvider>"
    files = journeys(step)
    files["x.xml"] = files["x.xml"].replace(
        b"<UserJourneys>", f"<ClaimsProviders>{provider}</ClaimsProviders><UserJourneys>".encode()
    )

    found, _ = prove(read(files), Asked())

    mine = next(one for one in found if one.policy == "B2C_1A_x")
    assert {door.verdict for door in mine.doors} == {"cannot tell"}


def test_files_that_are_too_much_together_are_not_all_read(monkeypatch):
    monkeypatch.setattr("sandbox.b2c.reading.files.MOST_ELEMENTS", 10)

    policies = read(own())

    assert len(policies.files) == 1
    assert all("more than 10 elements" in one.why for one in policies.problems)
