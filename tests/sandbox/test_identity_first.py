"""The endpoints of the first version, which older clients still ask for.

https://learn.microsoft.com/previous-versions/azure/active-directory/azuread-dev/v1-protocols-oauth-code
"""

from urllib.parse import urlencode

import pytest

from sandbox.catalogue import CONTOSO, PORTAL_APP_ID, PORTAL_PERMISSIONS, PORTAL_SECRET
from tests.sandbox.client import REDIRECT, claims, refused

GRAPH = "https://graph.microsoft.com"
STS = f"https://sts.windows.net/{CONTOSO}/"


@pytest.fixture
def post(served, browser):
    def post(path, **values):
        sent = {"client_id": PORTAL_APP_ID, "client_secret": PORTAL_SECRET} | values
        return browser.http.post(f"{served.url}/{path}", data=sent, timeout=10)

    return post


@pytest.fixture
def code(served, browser):
    """Adele signs in to the portal in the words of the first version."""
    query = {"client_id": PORTAL_APP_ID, "response_type": "code", "redirect_uri": REDIRECT, "resource": GRAPH}
    page = browser.open(f"/{CONTOSO}/oauth2/authorize?{urlencode(query | {'nonce': 'n', 'state': 's'})}")
    answer = browser.press(page, "Adele Vance").answer
    assert answer["state"] == "s"
    return answer["code"]


def test_the_document_names_endpoints_that_are_there(served, browser):
    found = browser.http.get(f"{served.url}/{CONTOSO}/.well-known/openid-configuration", timeout=10).json()

    assert found["issuer"] == STS
    assert found["token_endpoint"] == f"{served.url}/{CONTOSO}/oauth2/token"
    keys = browser.http.get(found["jwks_uri"], timeout=10).json()["keys"]
    assert {"kid", "x5t", "n", "x5c"} <= set(keys[0])
    for name in ("authorization_endpoint", "end_session_endpoint"):
        assert browser.http.get(found[name], timeout=10).status_code in (200, 400)
    for name in ("token_endpoint", "device_authorization_endpoint"):
        assert browser.http.post(found[name], timeout=10).status_code == 400
    assert browser.http.get(found["userinfo_endpoint"], timeout=10).status_code == 401


def test_an_app_names_a_resource_and_gets_numbers_in_quotes(post):
    body = post(f"{CONTOSO}/oauth2/token", grant_type="client_credentials", resource=GRAPH).json()

    assert sorted(claims(body["access_token"])["roles"]) == sorted(PORTAL_PERMISSIONS)
    assert (body["expires_in"], body["ext_expires_in"], body["resource"]) == ("3599", "3599", GRAPH)
    assert int(body["expires_on"]) - int(body["not_before"]) == 3599
    assert "scope" not in body


def test_a_person_gets_everything_at_once_and_an_id_token_of_the_first_version(post, code):
    body = post(f"{CONTOSO}/oauth2/token", grant_type="authorization_code", code=code, redirect_uri=REDIRECT).json()

    identity = claims(body["id_token"])
    assert (identity["iss"], identity["ver"], identity["upn"]) == (STS, "1.0", "adele@contoso.example")
    assert (identity["aud"], identity["nonce"]) == (PORTAL_APP_ID, "n")
    assert "preferred_username" not in identity
    assert ".default" not in body["scope"]
    assert "User.Read" in body["scope"].split()
    again = post(
        f"{CONTOSO}/oauth2/token", grant_type="refresh_token", refresh_token=body["refresh_token"], resource=GRAPH
    )
    assert claims(again.json()["access_token"])["aud"] == GRAPH


@pytest.mark.parametrize(
    ("values", "number", "error"),
    [
        ({}, 900144, "invalid_request"),
        ({"resource": "https://nobody.example"}, 500011, "invalid_resource"),
        ({"resource": GRAPH, "client_secret": "wrong"}, 7000215, "invalid_client"),
    ],
)
def test_refusals_are_the_same(post, values, number, error):
    refused(post(f"{CONTOSO}/oauth2/token", grant_type="client_credentials", **values), number, error)
