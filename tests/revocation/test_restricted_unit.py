"""Somebody in a restricted unit: told before, refused by Microsoft, and not counted as signed out."""

import pytest
from django.urls import reverse

from accounts.tenancy import tenant_context
from directory import sync
from directory.models import Person
from revocation.models import RevocationStep
from revocation.spine import executor
from tests.factories import make_person, make_tenant

WOODGROVE = "44444444-4444-4444-8444-444444444444"


@pytest.mark.django_db(transaction=True)
def test_who_is_in_a_restricted_unit_is_told_before_microsoft_refuses(client, sign_in, entra):
    tenant = make_tenant(WOODGROVE, "Woodgrove", "woodgrove.example")
    with tenant_context(tenant.pk):
        assert sync.sync_tenant(tenant).complete
        hugo, iris = (Person.objects.get(display_name__startswith=name) for name in ("Hugo", "Iris"))
    sign_in(client, make_person(tenant, "11111111-2222-4333-8444-555555555555", "Wendy", "tenant_admin"))

    def page(name, *args):
        return client.get(reverse(f"revocation:{name}", args=["woodgrove", *args])).content.decode()

    listed = client.post(
        reverse("revocation:new", args=["woodgrove"]),
        {"source": "paste", "recipe": "sign_out", "text": f"{hugo.upn}\n{iris.upn}"},
        follow=True,
    )
    answer = client.post(reverse("revocation:sign-out", args=["woodgrove", hugo.pk]), {"reason": "Stolen phone"})
    with tenant_context(tenant.pk):
        executor.turn(tenant.pk, seconds=5, linger=0)
        state = RevocationStep.objects.get(action="revoke_sessions").state

    for name in ("person", "sign-out"):
        assert "restricted administrative unit" in page(name, hugo.pk)
        assert "restricted administrative unit" not in page(name, iris.pk)
    assert "In a restricted unit 1" in " ".join(listed.content.decode().split())
    assert listed.context["included"] == 2
    assert answer.status_code == 302
    assert state == "failed"
