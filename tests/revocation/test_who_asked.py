"""The actor of every entry in the record is the one who asked, also of what happens to others on the way."""

import pytest
from django.urls import reverse

from accounts.tenancy import tenant_context
from audit import personal
from audit.models import AuditEntry, AuditEvent
from directory.models import Person as DirectoryPerson
from tests.accounts.browser import Browser
from tests.accounts.test_sign_in import ADELE
from tests.copied import read_directory
from tests.factories import make_person
from tests.revocation.spine import one_round

# Done by those they name, and not by who asks for something in these tests.
BESIDE = [AuditEvent.SIGNED_IN, AuditEvent.DIRECTORY_SYNCED]


@pytest.fixture
def adele_is_here(entra, contoso) -> Browser:
    browser = Browser(entra.url)
    browser.sign_in(ADELE)
    return browser


def actors(tenant) -> dict[str, set[str]]:
    """Whom the record names for each event."""
    found: dict[str, set[str]] = {}
    with tenant_context(tenant.pk):
        entries = AuditEntry.objects.filter(tenant_id=tenant.pk).exclude(event__in=BESIDE)
        for entry in personal.reveal(tenant.pk, list(entries)):
            found.setdefault(entry.event, set()).add(entry.actor_label)
    return found


@pytest.mark.django_db(transaction=True)
def test_who_signs_somebody_out_is_the_actor_of_all_that_follows(client, sign_in, contoso, adele_is_here):
    with tenant_context(contoso.pk):
        read_directory(contoso)
        adele = DirectoryPerson.objects.get(tenant=contoso, upn=ADELE)
    hanna = make_person(contoso, "99999999-0000-4000-8000-00000000000a", "Hanna Desk", "helpdesk")
    sign_in(client, hanna)

    client.post(reverse("revocation:sign-out", args=["contoso", adele.pk]), {"reason": "Stolen phone"})
    with tenant_context(contoso.pk):
        one_round(contoso)

    asked_by = actors(contoso)
    assert asked_by[AuditEvent.SIGNED_OUT] == {"Hanna Desk"}
    del asked_by[AuditEvent.REVOCATION_FINISHED]  # that nothing is left to do is what the portal itself saw
    assert all(names == {"Hanna Desk"} for names in asked_by.values()), asked_by


@pytest.mark.django_db(transaction=True)
def test_who_signs_themselves_out_is_the_actor(contoso, adele_is_here):
    page = adele_is_here.open(reverse("consent:sign-out-everywhere"))
    adele_is_here.send(page, reverse("consent:sign-out-everywhere"))

    assert actors(contoso)[AuditEvent.SIGNED_OUT] == {"Adele Vance"}


def test_what_nobody_asked_for_is_the_portals_own_doing(contoso, adele_is_here):
    type(contoso).objects.filter(pk=contoso.pk).update(state="suspended")

    adele_is_here.open("/")

    assert actors(contoso)[AuditEvent.SIGNED_OUT] == {"Consentry"}
