"""What a tenant sees right after it was connected: its apps, and not the portal among what it should worry about."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from consent import services
from directory import selectors, sync
from directory.models import ServicePrincipal
from revocation.rules.refusals import Protected
from tenants import arrival
from tests.accounts.browser import Browser
from tests.factories import make_person
from tests.tenants.test_onboarding import TAILSPIN, TARA, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def portal_there(entra) -> ServicePrincipal:
    """Tailspin as Tara connected it, read once; the portal's own entry in it."""
    session: dict = {}
    signed_in(Browser(entra.url), session, TARA)
    tenant = arrival.proceed(session).tenant
    with tenant_context(tenant.pk):
        sync.sync_tenant(tenant)
        yield ServicePrincipal.objects.get(tenant=tenant, pk=tenant.own_service_principal_id)


def test_the_portal_is_no_risk_of_a_new_tenant(portal_there, client: Client, sign_in):
    tenant = Tenant.objects.get(pk=TAILSPIN)
    tara = make_person(tenant, "0" * 8 + "-0000-4000-8000-000000000001", "Tara Nowak", "tenant_admin")
    sign_in(client, tara)

    overview = client.get(reverse("consent:overview", args=[tenant.slug])).content.decode()
    page = client.get(reverse("consent:app", args=[tenant.slug, portal_there.pk])).content.decode()

    assert reverse("consent:app", args=[tenant.slug, portal_there.pk]) not in overview
    assert selectors.overview(tenant).by_risk[3] == 0
    assert "This is Consentry itself" in page
    assert reverse("consent:delete-app", args=[tenant.slug, portal_there.pk]) not in page


def test_nobody_takes_the_portal_out_of_a_new_tenant(portal_there):
    tenant = Tenant.objects.get(pk=TAILSPIN)
    with pytest.raises(Protected, match="Consentry itself"):
        services.disable_app(tenant, portal_there, actor=Actor.command_line(tenant.pk))
