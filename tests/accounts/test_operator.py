"""The operator's pages: tenants, accounts and memberships, and no way into a tenant."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts import second_factor
from accounts.models import Bucket, Tenant, User
from accounts.tenancy import tenant_context
from tests.accounts.test_sign_in import ADELE, MEGAN
from tests.signing_in import make_operator, sign_in_operator

PASSWORD = "a long passphrase"


@pytest.fixture
def operator(db, client) -> Client:
    sign_in_operator(client, make_operator(PASSWORD), PASSWORD)
    return client


def test_the_operator_signs_in_with_a_password_and_a_code(operator):
    assert operator.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("page", ["tenant", "membership", "user"])
def test_the_operator_sees_every_tenants_rows(operator, adele, robin, page):
    response = operator.get(reverse(f"admin:accounts_{page}_changelist"))

    assert response.status_code == 200
    assert "Fabrikam" in response.content.decode()


def test_the_operator_suspends_a_tenant(operator, contoso, browser):
    browser.sign_in(ADELE)
    form = {"slug": "contoso", "name": "Contoso", "domain": "contoso.example", "state": "suspended"}

    operator.post(reverse("admin:accounts_tenant_change", args=[contoso.pk]), form)

    assert Tenant.objects.get().state == "suspended"
    assert browser.open("/").status_code == 403


def test_switching_an_account_off_ends_its_sessions(operator, contoso, browser):
    browser.sign_in(ADELE)
    with tenant_context(contoso.id):
        adele = User.objects.get()

    operator.post(reverse("admin:accounts_user_change", args=[adele.pk]), {})

    with tenant_context(contoso.id):
        assert not User.objects.get().is_active
    assert browser.open("/").status_code == 401


def test_people_have_no_password_even_when_somebody_gave_them_one(client, contoso, adele):
    with tenant_context(contoso.id):
        adele.user.set_password(PASSWORD)
        adele.user.is_staff = adele.user.is_superuser = True
        adele.user.save()

    with tenant_context(contoso.id):
        second_factor.enrol(adele.user)
        sign_in_operator(client, adele.user, PASSWORD)

    assert "_auth_user_id" not in client.session


def test_memberships_are_for_looking_only(operator, contoso, adele):
    address = reverse("admin:accounts_membership_change", args=[adele.membership.pk])

    assert operator.post(address, {"roles": "tenant_admin"}).status_code == 403
    assert operator.post(reverse("admin:accounts_membership_delete", args=[adele.membership.pk])).status_code == 403


def test_passwords_cannot_be_tried_for_ever(client, db):
    user = make_operator(PASSWORD)
    for _ in range(10):
        sign_in_operator(client, user, "wrong")

    sign_in_operator(client, user, PASSWORD)
    assert "_auth_user_id" not in client.session

    Bucket.objects.all().delete()
    sign_in_operator(client, user, PASSWORD)
    assert "_auth_user_id" in client.session


def test_the_operator_ends_the_sessions_of_some_people_and_of_no_other(operator, contoso, browser, another_browser):
    """ASVS 7.4.5."""
    other = another_browser()
    browser.sign_in(ADELE)
    other.sign_in(MEGAN)
    with tenant_context(contoso.id):
        adele = User.objects.get(upn=ADELE)

    chosen = {"action": "end_sessions", "_selected_action": [str(adele.pk)]}
    operator.post(reverse("admin:accounts_user_changelist"), chosen)

    assert browser.open("/").status_code == 401
    assert other.open("/").status_code == 200
