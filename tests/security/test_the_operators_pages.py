"""The operator runs the portal and is nobody in any tenant: no page of theirs hands over a person's session."""

import pytest
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from accounts.tenancy import operator_context, tenant_context
from audit import chain
from audit.models import AuditEntry

PASSWORD = "a long passphrase"


@pytest.fixture
def operator(db, client) -> Client:
    with operator_context():
        User.objects.create_superuser("operator", PASSWORD)
    client.post(reverse("admin:login"), {"username": "operator", "password": PASSWORD})
    return client


def test_no_page_shows_the_key_of_somebodys_session(operator, adele, sign_in):
    browser = sign_in(Client(), adele)
    key = browser.session.session_key
    UserSession.objects.get_or_create(
        user=adele.user, session_key=key, defaults={"ip": "192.0.2.1", "user_agent": "Firefox"}
    )
    assert Session.objects.filter(session_key=key).exists()
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for row in [*model.objects.all()[:5]]:
            try:
                page = operator.get(reverse(f"{name}_change", args=[row.pk]))
            except NoReverseMatch:
                continue
            assert key not in page.content.decode(), name


def test_the_operator_is_offered_tenants_accounts_and_memberships_only():
    # Whoever edits a social account can lead one person's sign-in to another's account.
    assert {model._meta.label for model in admin.site._registry} == {
        "accounts.Tenant",
        "accounts.Membership",
        "accounts.User",
    }


def test_somebody_signed_in_from_entra_is_led_away_from_the_operators_pages(client, adele, sign_in):
    response = sign_in(client, adele).get("/operator/accounts/tenant/")

    assert response.status_code == 302
    assert "/operator/login/" in response["Location"]


def test_what_the_operator_changes_about_a_tenant_stands_in_its_own_record(operator, contoso):
    form = {"slug": "contoso", "name": "Contoso", "domain": "contoso.example", "state": "suspended"}

    operator.post(reverse("admin:accounts_tenant_change", args=[contoso.pk]), form)

    with tenant_context(contoso.pk):
        entry = AuditEntry.objects.get(event="consent.tenant.changed")
        assert (entry.actor_id, entry.actor_label, entry.target_type) == ("operator", "operator", "tenant")
        assert entry.reason == "state: active → suspended"
        assert chain.verify(contoso.pk).ok
