"""What is left to do after connecting: ticked by what is so. And whom a worried person may ask."""

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.selectors import security_contact
from accounts.tenancy import tenant_context
from audit.models import AuditEntry
from directory.models import AppRoleAssignment, Collection, PermissionDefinition, ServicePrincipal
from tenants.first_steps import READ, first_steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def inside(contoso):
    with tenant_context(contoso.pk):
        yield contoso


def states(person) -> list[str]:
    return [str(step.state) for step in first_steps(person.membership)]


def test_nothing_is_ticked_before_it_is_so(inside, megan, isaiah, henrietta):
    isaiah.membership.delete()
    henrietta.membership.delete()

    assert states(megan) == ["open", "not_known", "open", "open", "open"]

    now = timezone.now()
    for kind in READ:
        Collection.objects.update_or_create(tenant=inside, kind=kind, defaults={"complete_at": now, "row_count": 1})

    assert states(megan) == ["done", "open", "open", "open", "open"]


def test_the_directory_says_who_was_given_a_role(inside, megan, henrietta, nestor):
    """Henrietta works as helpdesk already; the auditors were given their role in Entra and have not been here yet."""
    nestor.membership.delete()
    portal = ServicePrincipal.objects.create(
        id=uuid4(), tenant=inside, app_id=uuid4(), display_name="Consentry", synced_at=timezone.now()
    )
    inside.own_service_principal_id = portal.pk
    Collection.objects.create(tenant=inside, kind=Collection.Kind.ASSIGNMENTS, complete_at=timezone.now())
    role = PermissionDefinition.objects.create(
        tenant=inside, resource=portal, kind="application", permission_id=uuid4(), value="Portal.Auditor"
    )
    megan.membership.tenant = inside

    assert "Nobody has these roles yet: Auditor." in [step.text for step in first_steps(megan.membership)]

    AppRoleAssignment.objects.create(
        tenant=inside,
        graph_id="1",
        resource=portal,
        principal_id=uuid4(),
        principal_type="Group",
        app_role_id=role.permission_id,
        synced_at=timezone.now(),
    )

    assert first_steps(megan.membership)[1].is_done


@pytest.mark.parametrize(
    ("contact", "wrong"),
    [
        ({"contact_name": "Security desk"}, "a name alone reaches nobody"),
        ({"contact_phone": "call us"}, "This is no phone number"),
        ({"contact_mail": "security at contoso"}, "Enter a valid email address"),
    ],
    ids=["name alone", "words", "no address"],
)
def test_a_security_contact_that_reaches_nobody_is_refused(sign_in, client, inside, megan, contact, wrong):
    sign_in(client, megan)

    answer = _save(client, inside, **contact)

    assert answer.status_code == 422
    assert wrong in answer.content.decode()
    inside.refresh_from_db()
    assert security_contact(inside) is None


def test_a_security_contact_is_kept_on_the_record(sign_in, client, inside, megan):
    sign_in(client, megan)

    _save(client, inside, contact_name="Security desk", contact_phone="+49 (30)  123-456", contact_mail="sec@c.example")

    inside.refresh_from_db()
    contact = security_contact(inside)
    assert (contact.name, contact.phone, contact.dial) == ("Security desk", "+49 (30) 123-456", "+4930123456")
    entry = AuditEntry.objects.get(event="consent.tenant.changed")
    assert set(entry.after) >= {"contact_name", "contact_phone", "contact_mail"}


def _save(client, tenant, **values):
    kept = {"approval_threshold": tenant.approval_threshold, "write_share_percent": tenant.write_share_percent}
    return client.post(reverse("tenants:settings", args=[tenant.slug]), kept | values)
