"""Single sign-out: what it ends, what it leaves alone, and whom it tells."""

from urllib.parse import parse_qsl, urlsplit

from sandbox.catalogue import CONTOSO
from tests.sandbox.client import REDIRECT, claims


def sign_out(browser, **values):
    return browser.open("/organizations/oauth2/v2.0/logout", **values)


def test_signing_out_ends_the_browser_session_and_no_token(portal, browser):
    body = portal.sign_in("Adele Vance")

    page = sign_out(browser)

    assert "You signed out" in page.text
    assert portal.authorize(prompt="none").answer["error"] == "login_required"
    assert portal.refresh(body).status_code == 200


def test_every_app_of_the_session_is_told_by_its_sid(portal, browser):
    identity = claims(portal.sign_in("Adele Vance")["id_token"])

    page = sign_out(browser)

    assert len(page.frames) == 1
    frame = urlsplit(page.frames[0])
    assert f"{frame.scheme}://{frame.netloc}{frame.path}" == "http://127.0.0.1:8000/accounts/front-channel-logout/"
    assert dict(parse_qsl(frame.query)) == {"sid": identity["sid"]}
    assert f"frame-src {frame.scheme}://{frame.netloc}" in page.headers["Content-Security-Policy"]
    assert identity["iss"].endswith(f"/{CONTOSO}/v2.0")


def test_a_registered_address_is_offered_and_no_other(portal, browser):
    portal.code("Adele Vance")
    page = sign_out(browser, post_logout_redirect_uri=REDIRECT, state="s")
    assert "Continue" in page.text

    assert "Continue" not in sign_out(browser, post_logout_redirect_uri="https://evil.example/").text


def test_with_two_accounts_the_page_asks_which(portal, browser):
    portal.code("Adele Vance")
    portal.code("Megan Bowen", prompt="select_account")

    page = sign_out(browser)
    assert "Which account" in page.text
    browser.press(page, "Adele Vance")

    assert claims(portal.sign_in("Megan Bowen", prompt="none")["id_token"])["name"] == "Megan Bowen"


def test_a_hint_says_which(portal, browser):
    hint = claims(portal.sign_in("Adele Vance")["id_token"])["login_hint"]
    portal.code("Megan Bowen", prompt="select_account")

    sign_out(browser, logout_hint=hint)

    assert claims(portal.sign_in("x", prompt="none")["id_token"])["name"] == "Megan Bowen"


def test_signing_out_without_a_session_says_so_calmly(browser):
    assert sign_out(browser).status == 200


def test_an_app_in_a_tenant_where_the_person_is_a_guest_is_told_too(portal, browser):
    identity = claims(portal.sign_in("Lynne Robbins", authority=CONTOSO)["id_token"])

    page = sign_out(browser)

    assert dict(parse_qsl(urlsplit(page.frames[0]).query)) == {"sid": identity["sid"]}
