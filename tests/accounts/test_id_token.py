"""An ID token proves somebody only when everything about it is right."""

import time

import jwt
import pytest

from accounts.oidc import id_token, signing_keys
from accounts.oidc.id_token import InvalidIdToken
from graph.errors import TokenUnavailable
from tests.accounts.conftest import ADELE_ID, Issuer
from tests.graph.scripted import Reply
from tests.sandbox_client import CONTOSO, FABRIKAM

LOGIN = "https://login.microsoftonline.com"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"


@pytest.fixture(autouse=True)
def _published(microsoft, issuer):
    microsoft.keys = [issuer.published()]


def test_a_token_of_microsofts_proves_a_person(issuer):
    token = issuer.token(roles=["Portal.Helpdesk"], sid="s-1", auth_time=1_700_000_000)

    identity = id_token.prove(token, nonce="n-1")

    assert (str(identity.tenant_id), str(identity.object_id)) == (CONTOSO, ADELE_ID)
    assert (identity.name, identity.upn) == ("Adele Vance", "adele@contoso.example")
    assert identity.roles == ("helpdesk", "user")
    assert (identity.sid, identity.auth_time, identity.is_guest) == ("s-1", 1_700_000_000, False)


def now() -> int:
    return int(time.time())


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "00000003-0000-0000-c000-000000000000"},
        {"aud": None},
        {"aud": [Issuer.claims()["aud"], "another"]},
        {"iss": f"{LOGIN}/{FABRIKAM}/v2.0"},
        {"iss": f"https://evil.example/{CONTOSO}/v2.0"},
        {"iss": f"{LOGIN}/{CONTOSO}/v2.0/"},
        {"iss": None},
        {"tid": FABRIKAM},
        {"tid": CONTOSO.upper().replace("1", "A")},
        {"tid": "contoso.example"},
        {"tid": f"{CONTOSO}/../{FABRIKAM}"},
        {"tid": None},
        {"tid": [CONTOSO]},
        {"oid": None},
        {"oid": "adele"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ["n-1"]},
        {"ver": "1.0"},
        {"ver": None},
    ],
    ids=lambda changes: "-".join(f"{name}={str(value)[:40]}" for name, value in changes.items()),
)
def test_one_wrong_claim_proves_nothing(issuer, changes):
    with pytest.raises(InvalidIdToken):
        id_token.prove(issuer.token(**changes), nonce="n-1")


def test_a_forged_signature_proves_nothing(forger):
    with pytest.raises(InvalidIdToken):
        id_token.prove(forger.token(), nonce="n-1")


def test_a_token_without_a_signature_proves_nothing(issuer):
    unsigned = jwt.encode(issuer.claims(), None, "none", headers={"kid": issuer.kid})

    with pytest.raises(InvalidIdToken):
        id_token.prove(unsigned, nonce="n-1")


def test_a_public_key_used_as_a_secret_proves_nothing(issuer):
    secret = "n" * 64  # what the key is does not matter: the algorithm is refused first
    token = jwt.encode(issuer.claims(), secret, "HS256", headers={"kid": issuer.kid})

    with pytest.raises(InvalidIdToken):
        id_token.prove(token, nonce="n-1")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJSUzI1NiJ9..", "💥.💥.💥"])
def test_garbage_proves_nothing(token):
    with pytest.raises(InvalidIdToken):
        id_token.prove(token, nonce="n-1")


def test_a_key_that_belongs_to_one_tenant_signs_for_no_other(microsoft, issuer):
    microsoft.keys = [issuer.published(issuer=f"{LOGIN}/{FABRIKAM}/v2.0")]

    with pytest.raises(InvalidIdToken):
        id_token.prove(issuer.token(), nonce="n-1")


def test_clocks_may_differ_by_two_minutes(issuer):
    late = issuer.token(exp=now() - 90, nbf=now() - 4000)
    early = issuer.token(nbf=now() + 90, iat=now() + 90)

    assert id_token.prove(late, nonce="n-1")
    assert id_token.prove(early, nonce="n-1")


def test_a_time_of_sign_in_from_the_future_is_no_time(issuer):
    assert id_token.prove(issuer.token(auth_time=now() + 3600), nonce="n-1").auth_time is None


@pytest.mark.parametrize(
    "claims", [{"acct": 1}, {"acct": "1"}, {"idp": f"https://sts.windows.net/{FABRIKAM}/"}, {"idp": "live.com"}]
)
def test_a_guest_is_known_as_one(issuer, claims):
    assert id_token.prove(issuer.token(**claims), nonce="n-1").is_guest


def test_what_the_token_says_about_the_account_comes_before_who_checked_the_password(issuer):
    idp = "http://fs.contoso.example/adfs/services/trust"

    assert not id_token.prove(issuer.token(acct=0, idp=idp), nonce="n-1").is_guest
    assert id_token.prove(issuer.token(acct=1, idp=f"https://sts.windows.net/{CONTOSO}/"), nonce="n-1").is_guest


def test_new_keys_are_read_when_a_token_names_one(microsoft, issuer, monkeypatch):
    newer = Issuer("key-2")
    id_token.prove(issuer.token(), nonce="n-1")
    microsoft.keys = [issuer.published(), newer.published()]
    monkeypatch.setattr(signing_keys, "PATIENCE", 0.0)

    assert id_token.prove(newer.token(), nonce="n-1")
    assert id_token.prove(issuer.token(), nonce="n-1")
    assert len(microsoft.asked("/discovery/v2.0/keys")) == 2


def test_made_up_key_ids_do_not_make_us_ask_every_time(microsoft, issuer):
    for number in range(5):
        with pytest.raises(InvalidIdToken):
            id_token.prove(issuer.sign(issuer.claims(), kid=f"made-up-{number}"), nonce="n-1")

    assert len(microsoft.asked("/discovery/v2.0/keys")) == 1


@pytest.mark.parametrize("reply", [Reply(503, b"busy"), Reply(200, b"<html>"), Reply(200, {"keys": [{"kty": "RSA"}]})])
def test_keys_that_cannot_be_read_are_trouble_and_not_a_forgery(microsoft, issuer, reply):
    microsoft.keys_reply = reply

    with pytest.raises(TokenUnavailable):
        id_token.prove(issuer.token(), nonce="n-1")


def test_keys_that_are_not_for_signatures_are_not_used(microsoft, issuer):
    microsoft.keys = [issuer.published(use="enc")]

    with pytest.raises(InvalidIdToken):
        id_token.prove(issuer.token(), nonce="n-1")


def test_a_key_that_a_token_brings_along_is_not_looked_at(microsoft, issuer, forger):
    """ASVS 9.1.3."""
    microsoft.keys = [issuer.published()]
    own = {"jwk": forger.published(), "jku": "https://evil.example/keys", "x5u": "https://evil.example/chain"}

    with pytest.raises(InvalidIdToken):
        id_token.prove(forger.sign(forger.claims(), **own), nonce="n-1")

    assert {one.host for one in microsoft.received} == {"login.microsoftonline.com"}
