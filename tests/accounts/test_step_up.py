"""Confirming who one is before something destructive."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from accounts.models import TokenCache
from accounts.tenancy import tenant_context
from tests.accounts.browser import onward
from tests.accounts.test_sign_in import ADELE, MEGAN

GUARDED = "/t/contoso/deleted-apps/"


def auth_time(browser) -> int | None:
    return browser.portal.session.get("auth_time")


def make_old(browser) -> None:
    session = browser.portal.session
    session["auth_time"] = int(timezone.now().timestamp()) - 3600
    session.save()


def test_microsoft_is_asked_to_check_the_credentials_again(contoso, browser):
    browser.sign_in(MEGAN)
    make_old(browser)
    page = browser.open("/accounts/step-up/?next=/activity/")

    asked = parse_qs(urlsplit(onward(browser.send(page, "/accounts/step-up/"))).query)

    assert asked["prompt"] == ["login"]
    assert asked["max_age"] == ["300"]
    assert asked["login_hint"] == [browser.portal.session["login_hint"]]


def test_who_confirms_is_back_where_they_came_from_with_a_fresh_sign_in(contoso, browser, announced):
    browser.sign_in(MEGAN)
    make_old(browser)
    before = browser.portal.session.session_key

    response = browser.step_up(MEGAN, "/activity/")

    assert response["Location"] == "/activity/"
    assert abs(auth_time(browser) - timezone.now().timestamp()) < 60
    assert browser.portal.session.session_key != before
    assert [name for name, _ in announced] == ["signed_in", "stepped_up"]
    assert browser.open("/accounts/step-up/?next=/activity/")["Location"] == "/activity/"
    assert browser.open("/accounts/sessions/").content.decode().count("/end/") == 1


def test_somebody_else_cannot_confirm(contoso, browser, announced):
    browser.sign_in(MEGAN)
    make_old(browser)
    browser.microsoft.cookies.clear()

    response = browser.step_up(ADELE)

    assert response.status_code == 403
    assert "That was another account" in response.content.decode()
    assert auth_time(browser) < timezone.now().timestamp() - 3000
    assert "Megan Bowen" in browser.open("/").content.decode()
    assert announced[-1][0] == "sign_in_refused"


def test_an_old_check_is_no_confirmation(contoso, browser, entra, monkeypatch):
    """Whoever strips `prompt=login` from the address comes back with the sign-in of an hour ago."""
    browser.sign_in(MEGAN)
    make_old(browser)
    monkeypatch.setattr("accounts.entra.views.time", lambda: timezone.now().timestamp() + 301)

    response = browser.step_up(MEGAN)

    assert response.status_code == 403
    assert "did not ask you again" in response.content.decode()
    assert auth_time(browser) < timezone.now().timestamp() - 3000


def test_a_confirmation_leaves_the_stored_tokens_alone(contoso, browser):
    """Other sessions of the person stand on them; new ones would hide that those were revoked."""
    browser.sign_in(MEGAN)
    make_old(browser)
    with tenant_context(contoso.id):
        before = bytes(TokenCache.objects.get().blob)

    browser.step_up(MEGAN)

    with tenant_context(contoso.id):
        assert bytes(TokenCache.objects.get().blob) == before


def test_who_is_not_signed_in_any_more_is_simply_signed_in(contoso, browser):
    browser.sign_in(MEGAN)
    make_old(browser)
    leave = onward(browser.send(browser.open("/accounts/step-up/"), "/accounts/step-up/"))
    session = browser.portal.session
    del session["_auth_user_id"]
    session.save()

    browser.open(browser.at_microsoft(leave, MEGAN))

    assert browser.signed_in


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere_after_confirming(contoso, browser, next_url):
    browser.sign_in(MEGAN)
    make_old(browser)
    page = browser.open("/accounts/step-up/")
    leave = browser.send(page, "/accounts/step-up/", next=next_url)

    assert browser.open(browser.at_microsoft(onward(leave), MEGAN))["Location"] == "/"


def test_a_stranger_cannot_begin(client, db):
    assert "/accounts/sign-in/" in client.get("/accounts/step-up/")["Location"]
