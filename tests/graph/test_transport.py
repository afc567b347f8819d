"""Where requests may go, and what goes with them."""

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured

from graph import transport
from tests.graph.scripted import Reply

LOGIN = "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize?client_id=1"
ORGANIZATION = "https://graph.microsoft.com/v1.0/organization"
BEARER = {"Authorization": "Bearer x"}


@pytest.mark.parametrize(
    "address",
    ["http://192.0.2.7:9400", "http://sandbox.example", "http://127.0.0.1.example:9400", "http://[2001:db8::1]:9400"],
)
def test_a_sandbox_on_another_machine_is_refused(settings, address):
    settings.SANDBOX_URL = address

    with pytest.raises(ImproperlyConfigured):
        transport.session()


@pytest.mark.parametrize("address", ["http://127.0.0.1:9400", "http://localhost:9400", "http://[::1]:9400"])
def test_a_sandbox_on_this_machine_is_taken(settings, address):
    settings.SANDBOX_URL = address

    assert transport.sandbox_base() == address


def test_microsofts_hosts_are_led_to_the_sandbox_under_their_own_names(microsoft):
    microsoft.answers(Reply(body={"ok": 1}))

    response = transport.session().get(f"{ORGANIZATION}?$select=id", headers=BEARER)

    assert response.json() == {"ok": 1}
    assert response.url == "https://graph.microsoft.com/v1.0/organization?$select=id"
    assert [(one.host, one.path) for one in microsoft.received] == [
        ("graph.microsoft.com", "/v1.0/organization?$select=id")
    ]


@pytest.mark.parametrize("address", ["https://example.com/", "http://graph.microsoft.com/v1.0/me", "http://127.0.0.1/"])
def test_sandbox_mode_reaches_nothing_else(microsoft, address):
    with pytest.raises(requests.exceptions.InvalidURL):
        transport.session().get(address)

    assert microsoft.received == []


def test_a_redirect_is_not_followed_so_that_no_token_travels_along(microsoft):
    microsoft.answers(Reply(302, headers={"Location": "https://graph.microsoft.com/elsewhere"}))

    response = transport.session().get(ORGANIZATION, headers=BEARER)

    assert response.status_code == 302
    assert len(microsoft.received) == 1


def test_the_environment_cannot_put_a_proxy_or_certificates_in_between(microsoft, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://192.0.2.7:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    microsoft.answers(Reply(body={}))

    assert transport.session().get(ORGANIZATION, headers=BEARER).status_code == 200


def test_cookies_of_one_answer_do_not_go_with_the_next_request(microsoft):
    microsoft.answers(Reply(body={}, headers={"Set-Cookie": "x-ms-gateway-slice=one; Path=/"}), Reply(body={}))

    for _ in range(2):
        transport.session().get(ORGANIZATION, headers=BEARER)

    assert "Cookie" not in microsoft.received[1].headers


def test_the_browser_is_led_to_the_sandbox_for_sign_in_only(settings):
    settings.SANDBOX_URL = "http://127.0.0.1:9400"

    assert transport.browser_url(LOGIN).startswith("http://127.0.0.1:9400/organizations/oauth2/v2.0/authorize?")
    assert transport.browser_url("https://example.com/") == "https://example.com/"


def test_without_a_sandbox_the_browser_goes_to_microsoft(settings):
    settings.SANDBOX_URL = ""

    assert transport.browser_url(LOGIN) == LOGIN
