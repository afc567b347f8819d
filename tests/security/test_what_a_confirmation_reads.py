"""A fresh sign-in says who somebody is now; a session has an end that nothing moves, and ends when it is left alone."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.utils import timezone

from accounts.models import Membership
from accounts.tenancy import tenant_context
from tests.accounts.conftest import *  # noqa: F403
from tests.accounts.test_sign_in import ADELE, MEGAN
from tests.accounts.test_step_up import make_old


def roles(tenant) -> list[str]:
    with tenant_context(tenant.pk):
        return Membership.objects.get().roles


def set_roles(entra, tenant, upn: str, *names: str) -> None:
    entra.control("POST", "world", json={"tenant": str(tenant.pk), "do": "set_roles", "user": upn, "roles": names})


def test_a_role_that_is_gone_ends_the_session_that_was_opened_with_it(contoso, browser, entra, announced):
    set_roles(entra, contoso, ADELE, "Helpdesk Administrator")
    browser.sign_in(ADELE)
    make_old(browser)
    set_roles(entra, contoso, ADELE)

    response = browser.step_up(ADELE, "/t/contoso/people/")

    assert response.status_code == 403
    assert "Your role has changed" in response.content.decode()
    assert not browser.signed_in
    assert roles(contoso) == ["user"]
    assert [(name, heard["reason"]) for name, heard in announced][-2:] == [
        ("session_ended", "role_gone"),
        ("sign_in_refused", "role_gone"),
    ]


def test_a_new_role_counts_at_once(contoso, browser, entra):
    browser.sign_in(ADELE)
    make_old(browser)
    set_roles(entra, contoso, ADELE, "Helpdesk Administrator")

    assert browser.step_up(ADELE, "/activity/")["Location"] == "/activity/"
    assert roles(contoso) == ["helpdesk", "user"]


def test_whoever_became_a_guest_is_out_everywhere(contoso, browser, another_browser, monkeypatch):
    other = another_browser()
    for one in (browser, other):
        one.sign_in(MEGAN)
    make_old(browser)
    monkeypatch.setattr("accounts.oidc.id_token._is_guest", lambda claims, tenant_id: True)

    response = browser.step_up(MEGAN)

    assert response.status_code == 403
    assert "guest" in response.content.decode()
    assert not browser.signed_in
    assert not UserSession.objects.exists()


def test_confirming_moves_no_end(contoso, browser):
    browser.sign_in(MEGAN)
    end = browser.portal.session.get_expiry_date()
    make_old(browser)

    browser.step_up(MEGAN)

    assert browser.portal.session.get_expiry_date() == end
    assert timedelta(hours=11, minutes=58) < end - timezone.now() <= timedelta(hours=12)


@pytest.mark.parametrize(("upn", "minutes", "left"), [(MEGAN, 29, True), (MEGAN, 31, False), (ADELE, 600, True)])
def test_a_session_that_may_act_on_others_ends_when_it_is_left_alone(contoso, browser, announced, upn, minutes, left):
    browser.sign_in(upn)
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(minutes=minutes))

    page = browser.open("/activity/")

    assert (page.status_code, browser.signed_in) == ((200, True) if left else (401, False))
    if not left:
        assert "Nothing was done here for a while" in page.content.decode()
        assert announced[-1][1]["reason"] == "idle"
