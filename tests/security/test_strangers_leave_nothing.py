"""Strangers store nothing: no session, no row, no file; they send no more than a form, and learn nothing of others."""

import io

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client

from accounts import trips
from revocation.lists import parser
from tests.accounts.browser import onward
from tests.accounts.conftest import *  # noqa: F403
from tests.accounts.test_sign_in import ADELE, MEGAN

TARA = "tara@tailspin.example"
TAILSPIN = "33333333-3333-4333-8333-333333333333"


@pytest.fixture
def nothing_is_read(monkeypatch):
    """Reading a body, or opening a file for one, fails the test."""

    def read(*args, **kwargs):
        raise AssertionError("the body was read")

    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", read)
    monkeypatch.setattr("django.http.multipartparser.MultiPartParser.parse", read)


def announce(client: Client, address: str, megabytes: float):
    """A multipart form that says how long it is. A test client has to send as much as it says."""
    size = int(megabytes * 1024 * 1024)
    return client.generic(
        "POST", address, b"x" * size, content_type="multipart/form-data; boundary=b", headers={"X-CSRFToken": "x"}
    )


@pytest.mark.parametrize("address", ["/accounts/entra/login/", "/onboarding/", "/operator/login/", "/refresh/"])
def test_nobody_is_read_from_beyond_a_form(client, db, nothing_is_read, address):
    page = announce(client, address, 1.5)

    assert page.status_code == 413
    assert "Nothing was read" in page.content.decode()


@pytest.mark.parametrize(("who", "status"), [("adele", 413), ("nestor", 413), ("henrietta", 302), ("robin", 413)])
def test_lists_come_from_those_who_may_send_them(client, sign_in, request, contoso, entra, who, status):
    sign_in(client, request.getfixturevalue(who))
    many = io.BytesIO(b"\n" * (2 * 1024 * 1024))
    many.name = "people.csv"

    page = client.post("/t/contoso/revocations/new/", {"source": "file", "recipe": "sign_out", "file": many})

    assert page.status_code == status


def test_nor_do_they_send_without_end(client, sign_in, henrietta, monkeypatch, nothing_is_read):
    monkeypatch.setattr("revocation.views.lists.new.takes", 2 * 1024 * 1024)
    sign_in(client, henrietta)

    assert announce(client, "/t/contoso/revocations/new/", 2.5).status_code == 413
    assert parser.MAX_BYTES == 64 * 1024 * 1024


def test_beginning_to_sign_in_or_to_connect_stores_no_session(contoso, browser):
    for _ in range(3):
        browser.leave_to_sign_in()
        page = browser.open("/onboarding/")
        assert onward(browser.send(page, "/onboarding/")).startswith(browser.sandbox_url)
        browser.open("/onboarding/callback/?admin_consent=True&tenant=x&state=y")
        browser.open("/accounts/entra/login/callback/?code=1&state=y")

    assert not Session.objects.exists()


def test_two_tabs_sign_in_beside_each_other(contoso, browser):
    first, second = browser.leave_to_sign_in(), browser.leave_to_sign_in()

    assert browser.open(browser.at_microsoft(first, ADELE)).status_code == 302
    assert browser.open(browser.at_microsoft(second, ADELE)).status_code == 302


def test_what_a_browser_keeps_is_signed_and_ends(contoso, browser, another_browser, monkeypatch):
    back = browser.at_microsoft(browser.leave_to_sign_in(), ADELE)
    (name,) = [one for one in browser.portal.cookies if one.startswith("consentry_trip_")]
    kept = browser.portal.cookies[name]
    assert (kept["httponly"], kept["samesite"], kept["path"], kept["max-age"]) == (True, "Lax", "/accounts/", 600)

    browser.portal.cookies[name] = kept.value[:-1] + ("A" if kept.value[-1] != "A" else "B")
    assert browser.open(back).status_code == 400
    browser.portal.cookies[name] = kept.value
    monkeypatch.setattr(trips, "LIFETIME", -1)
    assert browser.open(back).status_code == 400


def connect(browser, upn: str):
    """Both trips to Microsoft, and what the portal says at their end."""
    page = browser.send(browser.open("/onboarding/"), "/onboarding/")
    if page.status_code != 200:
        return page
    away = browser.open(browser.at_microsoft(onward(page), upn))
    came = browser.open(browser.at_microsoft(away["Location"], upn))
    return browser.open(came["Location"]) if came.status_code == 302 else came


@pytest.mark.parametrize("allowed", [["open"], [TAILSPIN]])
def test_an_organisation_that_may_is_connected(browser, db, settings, allowed):
    settings.ONBOARDING = allowed

    assert connect(browser, TARA).status_code == 200
    assert not Session.objects.exists()


def test_one_that_is_not_listed_is_told_so_once_it_is_proved(browser, contoso, settings):
    settings.ONBOARDING = ["99999999-9999-4999-8999-999999999999"]

    assert "has not opened it to your organisation" in connect(browser, TARA).content.decode()
    contoso.granted_permissions = []
    contoso.save()


def test_closed_is_closed_but_to_those_who_are_here(contoso, browser, settings):
    settings.ONBOARDING = ["closed"]
    page = browser.open("/onboarding/")
    assert "cannot be connected here" in page.content.decode()
    assert browser.portal.post("/onboarding/", {}).status_code == 403

    browser.sign_in(MEGAN)

    assert onward(browser.send(browser.open("/onboarding/"), "/onboarding/"))


def test_a_callback_says_the_same_about_every_organisation(contoso, browser):
    def told(tenant: str) -> tuple:
        page = browser.send(browser.open("/onboarding/"), "/onboarding/")
        state = onward(page).rpartition("state=")[2].partition("&")[0]
        answer = browser.open(f"/onboarding/callback/?admin_consent=True&tenant={tenant}&state={state}")
        return answer.status_code, answer["Location"].partition("?")[0], "hint" in answer["Location"]

    assert len({told(str(contoso.pk)), told(TAILSPIN), told("99999999-9999-4999-8999-999999999999")}) == 1
