"""Woodgrove through the portal's own pages, down to the wire: whom helpdesk cannot reach is not asked about."""

import pytest
from django.urls import reverse

from accounts.tenancy import tenant_context
from directory import sync
from directory.models import Person, ServicePrincipal
from tests.factories import make_person, make_tenant

WOODGROVE = "44444444-4444-4444-8444-444444444444"
OUT_OF_REACH = {
    "Paula": "a role of the tenant's own",
    "Ines": "a role in an administrative unit",
    "Karl": "a role through a group",
    "Greta": "a member of a group that can hold roles",
    "Allan": "a member who signs in elsewhere",
}


@pytest.mark.django_db(transaction=True)
def test_whom_helpdesk_may_not_sign_out_is_refused_by_the_page_and_microsoft_never_asked(client, sign_in, entra):
    tenant = make_tenant(WOODGROVE, "Woodgrove", "woodgrove.example")
    with tenant_context(tenant.pk):
        assert sync.sync_tenant(tenant).complete
        people = {name: Person.objects.get(display_name__startswith=name) for name in (*OUT_OF_REACH, "Iris")}
        (managed, *_more) = ServicePrincipal.objects.filter(kind=ServicePrincipal.Kind.MANAGED_IDENTITY)
    sign_in(client, make_person(tenant, "11111111-2222-4333-8444-555555555555", "Hanna Desk", "helpdesk"))

    answers = {
        name: client.post(reverse("revocation:sign-out", args=["woodgrove", one.pk]), {"reason": "x"}).status_code
        for name, one in people.items()
    }
    sign_in(client, make_person(tenant, "11111111-2222-4333-8444-666666666666", "Wendy", "tenant_admin"))
    client.post(reverse("consent:disable-app", args=["woodgrove", managed.pk]), {"reason": "x"})

    assert answers == {**dict.fromkeys(OUT_OF_REACH, 403), "Iris": 302}  # an internal guest is signed out like anybody
    sent = [
        one["path"] for one in entra.requests() if one["method"] in ("POST", "PATCH") and "batch" not in one["path"]
    ]
    written = [path for path in sent if "/users/" in path or "/servicePrincipals/" in path]
    assert [path for path in written if str(people["Iris"].pk) not in path] == []
    assert len(written) == 1
