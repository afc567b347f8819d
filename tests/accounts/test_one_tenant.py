"""A registration for one organisation only: everything goes by that tenant's own address, and nobody else is let in.

At an address shared by all organisations Microsoft refuses such a registration (AADSTS50194).

https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.tenancy import tenant_context
from tests.accounts.browser import onward
from tests.accounts.test_forgeries import LOGIN, Visit, nobody_is_in
from tests.accounts.test_freshness import account, make_old
from tests.accounts.test_sign_in import ADELE, MEGAN, ROBIN
from tests.accounts.test_step_up import make_old as make_sign_in_old
from tests.sandbox_client import CONTOSO, FABRIKAM, PORTAL_CLIENT_ID


@pytest.fixture
def single(entra) -> None:
    """The portal's registration is Contoso's alone."""
    change = {"tenant": CONTOSO, "do": "registration", "app": PORTAL_CLIENT_ID, "multi_tenant": False}
    entra.control("POST", "world", json=change)


@pytest.fixture
def one_tenant(settings) -> None:
    settings.ENTRA_TENANT = CONTOSO


def test_microsoft_refuses_it_where_any_organisation_may_come(single, contoso, browser):
    page = browser.microsoft.get(browser.leave_to_sign_in(), timeout=10)

    assert "AADSTS50194" in page.text


def test_by_its_own_address_its_people_sign_in_and_out(single, one_tenant, contoso, browser):
    assert browser.sign_in(ADELE)["Location"] == "/"

    out = browser.send(browser.open("/"), "/accounts/sign-out/")

    assert f"/{CONTOSO}/oauth2/v2.0/logout?" in browser.open(out["Location"]).content.decode()


def test_who_they_are_is_asked_again_there_too(single, one_tenant, contoso, browser):
    browser.sign_in(ADELE)
    make_old(contoso, 700)

    assert browser.open("/").status_code == 200
    assert timezone.now() - account(contoso).identity_checked_at < timedelta(minutes=1)


def test_they_confirm_there_too(single, one_tenant, contoso, browser):
    browser.sign_in(MEGAN)
    make_sign_in_old(browser)

    assert browser.step_up(MEGAN, "/activity/")["Location"] == "/activity/"


def test_its_administrator_consents_there(single, one_tenant, client, db):
    answer = client.post(reverse("tenants:onboarding"))

    assert f"/{CONTOSO}/v2.0/adminconsent?" in onward(answer)


def test_who_was_signed_in_before_the_portal_served_one_only_may_not_stay(contoso, fabrikam, browser, settings):
    browser.sign_in(ROBIN)
    settings.ENTRA_TENANT = CONTOSO

    response = browser.open("/")

    assert response.status_code == 403
    assert "serves one organisation only" in response.content.decode()
    assert not browser.signed_in


def test_somebody_of_another_organisation_is_told_whom_the_portal_serves(
    one_tenant, contoso, fabrikam, microsoft, issuer
):
    microsoft.keys = [issuer.published()]
    visit = Visit(microsoft)

    response = visit.answer(issuer, tid=FABRIKAM, iss=f"{LOGIN}/{FABRIKAM}/v2.0")

    assert response.status_code == 403
    assert "serves one organisation only" in response.content.decode()
    assert nobody_is_in(visit)
    with tenant_context(FABRIKAM):
        assert not User.objects.exists()
