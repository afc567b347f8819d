"""What a tenant's admin decides about the portal, and whom they let in."""

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Tenant
from accounts.tenancy import tenant_context
from audit.models import AuditEntry, AuditEvent
from directory.models import Person as DirectoryPerson
from tests.factories import make_person
from tests.revocation.copies import in_copy

pytestmark = pytest.mark.django_db

CHOSEN = {
    "approval_threshold": "20",
    "approve_app_deletion": "on",
    "allow_emergency_override": "on",
    "write_share_percent": "60",
    "break_glass_ids": "",
    "notify_subject": "",
    "notify_body": "",
}


@pytest.fixture
def megan(contoso):
    return make_person(contoso, uuid4(), "Megan Bowen", "tenant_admin")


@pytest.fixture
def robin(fabrikam):
    return make_person(fabrikam, uuid4(), "Robin Counts", "tenant_admin", upn="robin@fabrikam.example")


@pytest.fixture
def admin(client, sign_in, megan):
    return sign_in(client, megan)


def entries(tenant, event):
    with tenant_context(tenant.pk):
        return list(AuditEntry.objects.filter(tenant_id=tenant.pk, event=event).order_by("sequence"))


def test_settings_are_saved_and_recorded_with_what_was_there_before(admin, contoso, megan):
    glass = uuid4()

    answer = admin.post(reverse("tenants:settings", args=["contoso"]), {**CHOSEN, "break_glass_ids": f"{glass}"})

    contoso.refresh_from_db()
    assert answer.status_code == 302
    assert (contoso.approval_threshold, contoso.write_share_percent) == (20, 60)
    assert contoso.break_glass_ids == [glass]
    (entry,) = entries(contoso, AuditEvent.TENANT_CHANGED)
    assert entry.actor_id == str(megan.object_id)
    assert entry.before["approval_threshold"] == 50
    assert entry.after["break_glass_ids"] == [str(glass)]


def test_break_glass_accounts_are_named_by_their_address_and_kept_by_their_id(admin, contoso):
    glass = in_copy(contoso, "Glenn Glass", upn="glenn@contoso.example", mail="glenn.glass@contoso.example")
    where = reverse("tenants:settings", args=["contoso"])

    for address in ("GLENN@contoso.example", "glenn.glass@contoso.example"):
        admin.post(where, {**CHOSEN, "break_glass_ids": address})
        contoso.refresh_from_db()
        assert contoso.break_glass_ids == [glass.pk]

    assert "Glenn Glass" in admin.get(where).text


def test_an_address_that_two_people_share_names_nobody(admin, contoso):
    for name in ("Glenn Glass", "Gloria Glass"):
        in_copy(contoso, name, mail="glass@contoso.example")

    answer = admin.post(
        reverse("tenants:settings", args=["contoso"]), {**CHOSEN, "break_glass_ids": "glass@contoso.example"}
    )

    assert answer.status_code == 422
    assert "more than one person" in answer.text
    contoso.refresh_from_db()
    assert contoso.break_glass_ids == []


def test_saving_what_is_there_already_records_nothing(admin, contoso):
    where = reverse("tenants:settings", args=["contoso"])

    for _ in range(2):
        admin.post(where, CHOSEN)

    assert len(entries(contoso, AuditEvent.TENANT_CHANGED)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"approval_threshold": "0"},
        {"approval_threshold": "many"},
        {"write_share_percent": "101"},
        {"write_share_percent": "0"},
        {"break_glass_ids": "megan@contoso.example"},
        {"notify_people": "on"},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_not_saved(admin, contoso, wrong):
    answer = admin.post(reverse("tenants:settings", args=["contoso"]), CHOSEN | wrong)

    contoso.refresh_from_db()
    assert answer.status_code == 422
    assert "Nothing was saved" in answer.content.decode()
    assert contoso.approval_threshold == 50
    assert entries(contoso, AuditEvent.TENANT_CHANGED) == []


def test_only_what_the_admin_decides_can_be_set(admin, contoso):
    admin.post(reverse("tenants:settings", args=["contoso"]), {**CHOSEN, "state": "suspended", "slug": "mine"})

    contoso.refresh_from_db()
    assert (contoso.state, contoso.slug) == (Tenant.State.ACTIVE, "contoso")


def test_settings_need_a_fresh_sign_in(client, sign_in, contoso, megan):
    sign_in(client, megan, auth_age=3600)

    answer = client.post(reverse("tenants:settings", args=["contoso"]), CHOSEN)

    assert answer["Location"].startswith(reverse("accounts:step-up"))
    assert entries(contoso, AuditEvent.TENANT_CHANGED) == []


def test_a_providers_person_is_let_in_works_here_and_is_let_out(client, admin, sign_in, contoso, megan, robin):
    wanted = {"who": robin.upn.upper(), "roles": ["helpdesk"]}

    looked_up = admin.post(reverse("tenants:providers", args=["contoso"]), wanted).content.decode()
    with tenant_context(contoso.pk):
        assert not Membership.objects.filter(tenant=contoso, user_id=robin.user.pk).exists()
    assert "This is Robin Counts" in looked_up
    assert "Fabrikam" in looked_up
    admin.post(reverse("tenants:providers", args=["contoso"]), wanted | {"seen": str(robin.user.pk)})
    with tenant_context(contoso.pk):
        membership = Membership.objects.get(tenant=contoso, user_id=robin.user.pk)
    listed = admin.get(reverse("tenants:providers", args=["contoso"])).content.decode()
    sign_in(client, robin)
    led = client.get(reverse("consent:my-apps")).content.decode()
    inside = client.get(reverse("consent:overview", args=["contoso"])).status_code
    sign_in(client, megan)
    client.post(reverse("tenants:end-provider", args=["contoso", membership.pk]))
    sign_in(client, robin)

    assert "Robin Counts" in listed
    assert "Helpdesk" in listed
    assert 'href="/t/fabrikam/"' in led
    assert 'href="/t/contoso/"' in led
    assert inside == 200
    assert client.get(reverse("consent:overview", args=["contoso"])).status_code == 404
    assert len(entries(contoso, AuditEvent.MEMBERSHIP_GRANTED)) == 1
    assert len(entries(contoso, AuditEvent.MEMBERSHIP_REVOKED)) == 1


@pytest.mark.parametrize("home", ["contoso.example", "nowhere.example", "", "00000000-0000-4000-8000-000000000000"])
def test_unknown_people_and_ones_own_get_the_same_answer(admin, contoso, megan, robin, home):
    wanted = {"home": home, "who": str(megan.object_id), "roles": ["tenant_admin"]}

    answer = admin.post(reverse("tenants:providers", args=["contoso"]), wanted)

    assert answer.status_code == 422
    with tenant_context(contoso.pk):
        assert Membership.objects.filter(tenant=contoso, source=Membership.Source.GRANTED).count() == 0


def test_ones_own_membership_cannot_be_ended(admin, contoso, megan):
    answer = admin.post(reverse("tenants:end-provider", args=["contoso", megan.membership.pk]))

    assert answer.status_code == 404
    with tenant_context(contoso.pk):
        assert Membership.objects.filter(pk=megan.membership.pk).exists()


def test_somebody_is_found_by_mail_address_or_object_id_too_and_one_that_was_not_seen_is_not_let_in(
    admin, contoso, fabrikam, robin
):
    with tenant_context(fabrikam.pk):
        DirectoryPerson.objects.create(
            tenant=fabrikam,
            pk=robin.object_id,
            display_name="Robin Counts",
            upn=robin.upn,
            mail="r.counts@books.example",
            synced_at=timezone.now(),
        )
    page = reverse("tenants:providers", args=["contoso"])
    for who in (
        {"who": "R.Counts@books.example", "home": "fabrikam.example"},
        {"who": str(robin.object_id), "home": str(fabrikam.pk)},
    ):
        found = admin.post(page, {**who, "roles": ["helpdesk"], "seen": str(uuid4())})
        assert "This is Robin Counts" in found.content.decode()
    with tenant_context(contoso.pk):
        assert not Membership.objects.filter(tenant=contoso, user_id=robin.user.pk).exists()


@pytest.mark.parametrize("who", ["nobody@fabrikam.example", "megan@contoso.example", "nonsense", "x@nowhere.example"])
def test_who_is_not_found_is_told_in_words(admin, contoso, megan, robin, who):
    answer = admin.post(reverse("tenants:providers", args=["contoso"]), {"who": who, "roles": ["helpdesk"]})

    assert answer.status_code == 422
    assert "Nobody was let in" in answer.content.decode()
    assert "UUID" not in answer.content.decode()
