"""A session's key cannot be guessed or given, and one from before a sign-in is worth nothing after it (ASVS 7.2)."""

from math import log2

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.base import VALID_KEY_CHARS

from accounts.models import TokenCache
from accounts.tenancy import tenant_context
from tests.accounts.browser import Browser, onward

ADELE = "adele@contoso.example"


def again(browser: Browser, upn: str) -> None:
    """Sign in where somebody is signed in already."""
    token = browser.portal.cookies["csrftoken"].value
    leave = browser.portal.post("/accounts/entra/login/", {"csrfmiddlewaretoken": token})
    browser.open(browser.at_microsoft(onward(leave), upn))


def test_who_signs_in_again_has_a_new_key_and_the_one_before_opens_nothing(contoso, browser, another_browser):
    browser.sign_in(ADELE)
    before = browser.portal.session.session_key
    thief = another_browser()
    thief.portal.cookies["consentry_session"] = before
    assert thief.open("/").status_code == 200

    again(browser, ADELE)

    assert browser.open("/").status_code == 200
    assert browser.portal.session.session_key != before
    assert thief.open("/").status_code == 302
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [browser.portal.session.session_key]
    with tenant_context(contoso.pk):
        assert TokenCache.objects.count() == 1


def test_a_key_is_made_here_from_more_than_128_bits_and_is_not_one_that_a_browser_brings(contoso, browser):
    given = browser.portal.cookies["consentry_session"] = "a" * 32

    browser.sign_in(ADELE)

    key = browser.portal.session.session_key
    assert key != given
    assert set(key) <= set(VALID_KEY_CHARS)
    assert len(key) * log2(len(VALID_KEY_CHARS)) > 128
