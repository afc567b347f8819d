"""One installation lives in one of Microsoft's clouds, and asks no other.

https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
"""

from urllib.parse import urlsplit

import pytest

from accounts.oidc import id_token
from graph.client import GraphClient
from graph.clouds import CLOUDS
from graph.errors import GraphError
from tests.accounts.test_forgeries import LOGIN, Visit, nobody_is_in
from tests.sandbox_client import CONTOSO, PORTAL_CLIENT_ID

SIGN_IN = {
    "global": "https://login.microsoftonline.com",
    "us_gov": "https://login.microsoftonline.us",
    "us_dod": "https://login.microsoftonline.us",
    "china": "https://login.partner.microsoftonline.cn",
}
each_cloud = pytest.mark.parametrize("cloud", SIGN_IN)


def published(issuer, cloud: str) -> dict:
    return issuer.published(issuer=f"{SIGN_IN[cloud]}/{{tenantid}}/v2.0")


@each_cloud
def test_sign_in_asks_the_clouds_own_host_and_believes_its_issuer(contoso, microsoft, issuer, settings, cloud):
    settings.ENTRA_CLOUD = cloud
    microsoft.keys = [published(issuer, cloud)]
    visit = Visit(microsoft)

    response = visit.answer(issuer, iss=f"{SIGN_IN[cloud]}/{CONTOSO}/v2.0")

    assert response["Location"] == "/"
    assert visit.browser.signed_in
    assert {one.host for one in microsoft.received} == {urlsplit(SIGN_IN[cloud]).netloc}


def test_a_token_of_another_cloud_proves_nobody(contoso, microsoft, issuer, settings):
    settings.ENTRA_CLOUD = "china"
    microsoft.keys = [published(issuer, "china")]
    visit = Visit(microsoft)

    response = visit.answer(issuer, iss=f"{LOGIN}/{CONTOSO}/v2.0")

    assert response.status_code == 400
    assert nobody_is_in(visit)


@pytest.mark.parametrize("host", ["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"])
def test_chinas_two_hosts_are_one_place(contoso, microsoft, issuer, settings, host):
    """Its documents call the one, and discovery may name the other; the issuer is the first under both."""
    settings.ENTRA_CLOUD = "china"
    microsoft.keys = [published(issuer, "china")]
    microsoft.speaks_as = host
    visit = Visit(microsoft)

    response = visit.answer(issuer, iss=f"{SIGN_IN['china']}/{CONTOSO}/v2.0")

    assert response["Location"] == "/"
    assert host in {one.host for one in microsoft.asked("/oauth2/v2.0/token")}


@each_cloud
def test_the_issuer_of_a_sign_out_is_the_clouds(settings, cloud):
    settings.ENTRA_CLOUD = cloud

    assert str(id_token.issuer_tenant(f"{SIGN_IN[cloud]}/{CONTOSO}/v2.0")) == CONTOSO
    assert id_token.issuer_tenant(f"https://sts.windows.net/{CONTOSO}/v2.0") is None


@each_cloud
def test_graph_is_asked_on_the_clouds_own_host(db, microsoft, settings, cloud):
    settings.ENTRA_CLOUD = cloud
    with pytest.raises(GraphError):
        GraphClient(CONTOSO).user("00000000-0000-4000-8000-000000000001")

    assert CLOUDS[cloud].graph_host in {one.host for one in microsoft.received}
    token = microsoft.asked("/oauth2/v2.0/token")[0]
    assert f"scope={CLOUDS[cloud].graph.replace(':', '%3A').replace('/', '%2F')}%2F.default" in token.body


def test_keys_are_asked_for_by_tenant_and_for_this_app(microsoft, issuer):
    """A tenant may sign this app's tokens with a key of its own, which only its own address shows to who names the app.

    https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signature
    """
    microsoft.keys = [issuer.published()]

    id_token.prove(issuer.token(), nonce="n-1")

    asked = microsoft.asked("/discovery/v2.0/keys")
    assert [one.path for one in asked] == [f"/{CONTOSO}/discovery/v2.0/keys?appid={PORTAL_CLIENT_ID}"]
