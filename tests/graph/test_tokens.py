"""App-only tokens: asked for once, kept in memory, under the credential the operator chose."""

import datetime
import threading
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.core.exceptions import ImproperlyConfigured

from graph import tokens
from graph.errors import TokenError
from tests.graph.scripted import Reply, app_token
from tests.sandbox_client import CONTOSO, FABRIKAM

TOKEN = "/oauth2/v2.0/token"
DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def certificate(tmp_path, settings) -> rsa.RSAPrivateKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "consentry")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (tmp_path / "portal.crt").write_bytes(pem)
    (tmp_path / "portal.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    settings.ENTRA_CERTIFICATE = str(tmp_path / "portal.crt")
    settings.ENTRA_PRIVATE_KEY = str(tmp_path / "portal.key")
    return key


def sent(microsoft) -> list[dict]:
    return [{name: values[0] for name, values in parse_qs(one.body).items()} for one in microsoft.asked(TOKEN)]


def test_the_certificate_comes_before_the_secret(microsoft, certificate):
    tokens.app_token(CONTOSO)

    (form,) = sent(microsoft)
    assert "client_secret" not in form
    proved = jwt.decode(
        form["client_assertion"],
        certificate.public_key(),
        algorithms=["PS256"],
        audience=f"https://login.microsoftonline.com/{CONTOSO}/oauth2/v2.0/token",
    )
    assert proved["iss"] == proved["sub"]


def test_without_a_certificate_the_secret_is_used(microsoft):
    tokens.app_token(CONTOSO)

    (form,) = sent(microsoft)
    assert form["client_secret"] == "sandbox-portal-secret"
    assert form["scope"] == "https://graph.microsoft.com/.default"


def test_a_portal_without_any_credential_says_which_setting_is_missing(microsoft, settings):
    settings.ENTRA_CLIENT_SECRET = ""

    with pytest.raises(ImproperlyConfigured, match="ENTRA_CERTIFICATE"):
        tokens.app_token(CONTOSO)


def test_a_certificate_that_cannot_be_read_is_said(microsoft, settings):
    settings.ENTRA_CERTIFICATE = "/nowhere/portal.crt"

    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        tokens.app_token(CONTOSO)


def test_a_token_is_kept_and_says_which_permissions_it_carries(microsoft):
    microsoft.token_replies.append(Reply(body=app_token("User.Read.All", "Application.Read.All")))

    assert tokens.app_token(CONTOSO).hint == {"User.Read.All", "Application.Read.All"}
    assert tokens.app_token(CONTOSO).hint == {"User.Read.All", "Application.Read.All"}
    assert len(microsoft.asked(TOKEN)) == 1


def test_every_tenant_has_its_own(microsoft):
    microsoft.token_replies.extend([Reply(body=app_token(number=1)), Reply(body=app_token(number=2))])

    assert tokens.app_token(CONTOSO).value != tokens.app_token(FABRIKAM).value
    assert [one.path.split("/")[1] for one in microsoft.asked(TOKEN)] == [CONTOSO, FABRIKAM]


def test_a_forgotten_one_is_asked_for_again_and_other_tenants_keep_theirs(microsoft):
    for tenant in (CONTOSO, FABRIKAM):
        tokens.app_token(tenant)

    tokens.forget_app_token(CONTOSO)
    for tenant in (CONTOSO, FABRIKAM):
        tokens.app_token(tenant)

    assert [one.path.split("/")[1] for one in microsoft.asked(TOKEN)] == [CONTOSO, FABRIKAM, CONTOSO]


def test_many_threads_that_find_no_token_ask_once(microsoft):
    found = []
    threads = [threading.Thread(target=lambda: found.append(tokens.app_token(CONTOSO).value)) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)

    assert len(set(found)) == 1
    assert len(found) == 8
    assert len(microsoft.asked(TOKEN)) == len(microsoft.asked(DISCOVERY)) == 1


def test_a_national_cloud_has_hosts_of_its_own(microsoft, settings):
    settings.ENTRA_CLOUD = "us_gov"
    tokens.app_token(CONTOSO)

    assert microsoft.asked(TOKEN)[0].host == "login.microsoftonline.us"
    assert sent(microsoft)[0]["scope"] == "https://graph.microsoft.us/.default"


def test_a_tenant_microsoft_does_not_know_is_said_in_words(microsoft, monkeypatch):
    unknown = {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant 'x' not found."}
    answer = microsoft.reply_to
    monkeypatch.setattr(
        microsoft, "reply_to", lambda one: Reply(400, unknown) if "configuration" in one.path else answer(one)
    )

    with pytest.raises(TokenError) as caught:
        tokens.app_token(CONTOSO)

    assert (caught.value.error, caught.value.code) == ("invalid_tenant", "AADSTS90002")
