"""A sandbox that plays a national cloud: its hosts, its issuers, and nothing of the others.

https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
"""

import pytest

from sandbox.catalogue import CONTOSO
from sandbox.clouds import CLOUDS
from tests.sandbox.client import Client, claims, refused

NATIONAL = [
    ("us_gov", "login.microsoftonline.us", "https://graph.microsoft.us", "sts.windows.net"),
    ("us_dod", "login.microsoftonline.us", "https://dod-graph.microsoft.us", "sts.windows.net"),
    ("china", "login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn", "sts.chinacloudapi.cn"),
]


@pytest.fixture
def cloud(served):
    """Make the running sandbox play a cloud for one test."""
    before = served.world.cloud

    def play(name):
        served.world.cloud = CLOUDS[name]

    yield play
    served.world.cloud = before


def as_host(host):
    return {"Host": host, "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(("name", "login", "graph", "sts"), NATIONAL)
def test_issuers_and_hosts_are_the_clouds_own(cloud, served, browser, name, login, graph, sts):
    cloud(name)
    portal = Client(served.url, browser)

    path = f"{served.url}/{CONTOSO}/v2.0/.well-known/openid-configuration"
    found = browser.http.get(path, headers=as_host(login), timeout=10).json()
    assert found["issuer"] == f"https://{login}/{CONTOSO}/v2.0"
    assert found["token_endpoint"] == f"https://{login}/{CONTOSO}/oauth2/v2.0/token"
    assert found["userinfo_endpoint"] == f"{graph}/oidc/userinfo"
    assert claims(portal.sign_in("Adele Vance")["id_token"])["iss"] == found["issuer"]

    token = portal.app_only(CONTOSO, scope=f"{graph}/.default").json()["access_token"]
    assert (claims(token)["aud"], claims(token)["iss"]) == (graph, f"https://{sts}/{CONTOSO}/")
    headers = {"Authorization": f"Bearer {token}"}
    assert browser.http.get(f"{served.url}/v1.0/users?$top=1", headers=headers, timeout=10).status_code == 200
    refused(portal.app_only(CONTOSO, scope="https://graph.microsoft.com/.default"), 500011, "invalid_resource")


def test_another_clouds_sign_in_host_knows_no_tenant_of_this_one(served, browser, portal):
    """AADSTS90002: "signing into the correct cloud"."""
    host = as_host("login.microsoftonline.us")

    refused(portal.token("client_credentials", authority=CONTOSO, headers=host), 90002, "invalid_request")
    path = f"{served.url}/{CONTOSO}/v2.0/.well-known/openid-configuration"
    refused(browser.http.get(path, headers=host, timeout=10), 90002, "invalid_request")
    page = browser.http.get(f"{served.url}/{CONTOSO}/oauth2/v2.0/authorize", headers=host, timeout=10)
    assert "AADSTS90002" in page.text


def test_a_token_of_another_cloud_opens_nothing(cloud, served, browser, portal):
    token = portal.app_only(CONTOSO).json()["access_token"]
    cloud("china")

    headers = {"Authorization": f"Bearer {token}"}

    assert browser.http.get(f"{served.url}/v1.0/users", headers=headers, timeout=10).status_code == 401


def test_china_answers_under_its_older_name_too(cloud, served, browser):
    cloud("china")

    path = f"{served.url}/{CONTOSO}/v2.0/.well-known/openid-configuration"
    found = browser.http.get(path, headers=as_host("login.chinacloudapi.cn"), timeout=10).json()

    assert found["issuer"] == f"https://login.partner.microsoftonline.cn/{CONTOSO}/v2.0"
