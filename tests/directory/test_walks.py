"""Reading a whole directory from the sandbox into the copy."""

from collections import Counter
from concurrent.futures import wait
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from accounts import locks
from accounts.tenancy import tenant_context
from audit.models import AuditEntry, AuditEvent
from directory import sync
from directory.models import (
    AppRoleAssignment,
    Collection,
    PermissionDefinition,
    PermissionGrant,
    Person,
    Progress,
    Risk,
    ServicePrincipal,
)
from directory.sync import recent
from directory.sync.ahead import Ahead
from directory.sync.lists import _List
from directory.sync.turns import ORDER
from directory.tasks import sync_tenant as sync_task
from graph.errors import Unavailable
from tests.factories import make_tenant
from tests.sandbox_client import CONTOSO

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
TAILSPIN = "33333333-3333-4333-8333-333333333333"


def ids(items: list[dict]) -> set[str]:
    return {item["id"] for item in items}


def copied(rows: QuerySet) -> set[str]:
    return {str(pk) for pk in rows.values_list("pk", flat=True)}


def last_entry() -> AuditEntry:
    return AuditEntry.objects.order_by("-sequence").first()


@pytest.fixture
def copy(entra, inside):
    """Contoso, read once."""
    report = sync.sync_tenant(inside)
    assert report.complete, report.facts()
    return inside


def test_the_copy_is_the_directory(entra, copy):
    apps = ServicePrincipal.objects
    assert copied(apps.filter(deleted_at__isnull=True)) == ids(entra.all("servicePrincipals"))
    deleted = entra.all("directory/deletedItems/microsoft.graph.servicePrincipal")
    assert copied(apps.filter(deleted_at__isnull=False)) == ids(deleted)
    assert copied(Person.objects.all()) == ids(entra.all("users"))
    stored = {grant.graph_id: grant for grant in PermissionGrant.objects.all()}
    assert set(stored) == set(entra.grants())
    for grant_id, grant in entra.grants().items():
        assert stored[grant_id].scopes == list(dict.fromkeys(grant["scope"].split()))
        assert str(stored[grant_id].client_id) == grant["clientId"]
    expected = set()
    for app in entra.all("servicePrincipals"):
        expected |= ids(entra.all(f"servicePrincipals/{app['id']}/appRoleAssignedTo"))
    assert set(AppRoleAssignment.objects.values_list("graph_id", flat=True)) == expected


def test_every_kind_says_when_it_was_complete(copy):
    kinds = {row.kind: row for row in Collection.objects.all()}
    assert set(kinds) == set(Collection.Kind.values)
    assert all(row.complete_at and row.first_complete_at and not row.error for row in kinds.values())
    assert kinds["grants"].graph_count == kinds["grants"].row_count == PermissionGrant.objects.count()
    assert last_entry().event == AuditEvent.DIRECTORY_SYNCED


def test_what_apps_come_to_is_computed(copy):
    sidekick = ServicePrincipal.objects.get(display_name="Mail Sidekick")
    assert sidekick.risk == Risk.HIGH
    assert sidekick.works_offline
    assert sidekick.user_consent_count > 0
    api = ServicePrincipal.objects.get(display_name="Microsoft Graph")
    assert PermissionDefinition.objects.filter(resource=api, value="Mail.ReadWrite").exists()


def test_directory_roles_are_known(copy):
    megan = Person.objects.get(display_name="Megan Bowen")
    assert GLOBAL_ADMINISTRATOR in map(str, megan.role_template_ids)
    assert Person.objects.get(display_name="Adele Vance").role_template_ids == []


def test_guests_are_known_with_their_home(copy):
    lynne = Person.objects.get(display_name="Lynne Robbins")
    assert (lynne.is_guest, lynne.home_domain) == (True, "fabrikam.example")


def test_what_left_the_directory_leaves_the_copy(entra, copy):
    grant_id = next(iter(entra.grants()))
    assert entra.graph("DELETE", f"oauth2PermissionGrants/{grant_id}").status_code == 204
    report = sync.sync_tenant(copy, [Collection.Kind.GRANTS])
    assert [kind.removed for kind in report.kinds] == [1]
    assert not PermissionGrant.objects.filter(graph_id=grant_id).exists()


def test_a_deleted_app_moves_to_the_deleted_ones_and_keeps_its_history(entra, copy):
    notes = ServicePrincipal.objects.get(display_name="Wingtip Notes")
    assert entra.graph("DELETE", f"servicePrincipals/{notes.pk}").status_code == 204
    sync.sync_tenant(copy)
    again = ServicePrincipal.objects.get(pk=notes.pk)
    assert again.deleted_at is not None
    assert again.first_seen_at == notes.first_seen_at
    assert entra.graph("POST", f"directory/deletedItems/{notes.pk}/restore").status_code == 200
    sync.sync_tenant(copy)
    again.refresh_from_db()
    assert again.deleted_at is None
    assert again.first_seen_at == notes.first_seen_at


def test_a_list_that_breaks_off_leaves_the_old_copy_and_says_so(entra, copy):
    before = set(PermissionGrant.objects.values_list("graph_id", flat=True))
    complete = Collection.objects.get(kind="grants").complete_at
    gone = min(before)
    entra.graph("DELETE", f"oauth2PermissionGrants/{gone}")
    entra.faults({"method": "GET", "path": "oauth2PermissionGrants$", "status": 503})
    report = sync.sync_tenant(copy, full=True)
    assert [kind.kind for kind in report.kinds if not kind.complete] == ["grants"]
    assert set(PermissionGrant.objects.values_list("graph_id", flat=True)) == before
    row = Collection.objects.get(kind="grants")
    assert row.complete_at == complete
    assert row.started_at > complete
    assert row.error
    assert last_entry().event == AuditEvent.DIRECTORY_SYNC_FAILED

    entra.faults()
    assert sync.sync_tenant(copy).complete
    assert set(PermissionGrant.objects.values_list("graph_id", flat=True)) == before - {gone}
    assert Collection.objects.get(kind="grants").error == ""


def test_a_tenant_that_has_not_consented_is_told_so(entra, db):
    tailspin = make_tenant(TAILSPIN, "Tailspin", "tailspin.example")
    report = sync.sync_tenant(tailspin)
    assert len(report.kinds) == len(ORDER)
    assert {kind.error.partition(".")[0] for kind in report.kinds if kind.kind != "assignments"} == {
        "The portal has no service principal in this organisation"
    }
    with tenant_context(tailspin.pk):
        assert {row.kind for row in Collection.objects.all() if row.complete_at or not row.error} == set()


def test_our_own_change_survives_a_lagging_list(entra, copy):
    grant = PermissionGrant.objects.filter(consent_type="Principal").first()
    sync.forget_grants(copy, [grant.graph_id])  # as if deleted and proved; the directory below still lists it
    sync.sync_tenant(copy, [Collection.Kind.GRANTS], full=True)
    assert not PermissionGrant.objects.filter(graph_id=grant.graph_id).exists()
    recent.RecentChange.objects.all().update(expires_at=timezone.now())  # now Microsoft's word counts, and is asked for
    sync.sync_tenant(copy, [Collection.Kind.GRANTS])
    assert PermissionGrant.objects.filter(graph_id=grant.graph_id).exists()


def test_only_one_process_reads_a_tenant_at_a_time(entra, inside):
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [locks.key(f"directory.sync:{CONTOSO}")])
            assert sync.sync_tenant(inside).busy
            cursor.execute("SELECT pg_advisory_unlock_all()")
    finally:
        other.close()
    assert sync.sync_tenant(inside, [Collection.Kind.PEOPLE]).complete


def test_the_task_leaves_suspended_tenants_alone(entra, contoso):
    contoso.state = contoso.State.SUSPENDED
    contoso.save()
    sync_task(str(contoso.pk))
    assert entra.requests() == []


def asked(entra) -> list[str]:
    """Every Graph request, batches opened."""
    found = [one["path"].removeprefix("/v1.0") for one in entra.requests() if "/oauth2/" not in one["path"]]
    return [path for path in found if path != "/$batch"]


def test_a_reading_costs_pages_and_nothing_per_row_and_a_look_for_changes_costs_less(entra, inside):
    sync.sync_tenant(inside)
    first = Counter(asked(entra))

    lists = ("/servicePrincipals", "/users", "/oauth2PermissionGrants")
    # Each list is a page here, and a request for its number. Apps once more with who is assigned to them, and people
    # with when they were active.
    assert [first[one] for one in lists] == [3, 3, 2]
    assert all(first[f"{one}/delta"] == 2 for one in lists)  # a link before the list, and what changed meanwhile
    singly = [one for one in first if one.endswith("/appRoleAssignedTo")]
    assert len(singly) <= ServicePrincipal.objects.filter(assigned_count__gte=15).count() + 2  # of more than came along

    sync.work(inside, seconds=30)  # what nobody asked for above: whether there was a recovery job
    before = len(asked(entra))
    for _turn in range(3):
        for one in Progress.objects.filter(delta_at__isnull=False):  # some time later
            one.delta_at -= timedelta(minutes=1)
            one.save()
        assert sync.work(inside, seconds=30) is False
    assert Counter(asked(entra)[before:]) == {f"{one}/delta": 3 for one in lists}


def test_the_command_says_what_came_of_it(entra, contoso, capsys):
    call_command("sync_directory", tenant="contoso")
    assert "apps: " in capsys.readouterr().out
    entra.faults({"method": "GET", "path": "/users/delta$", "status": 403, "code": "Authorization_RequestDenied"})
    with pytest.raises(CommandError):
        call_command("sync_directory", tenant="contoso.example")
    assert "has not granted" in capsys.readouterr().out


def test_a_row_nobody_can_read_costs_no_list_and_is_not_taken_for_deleted(entra, copy):
    """New kinds keep coming: a row without what every app has is counted, left out, and there all the same."""
    shown = entra.get("servicePrincipals?$select=id,appId,displayName&$top=999")["value"]
    odd = next(one for one in shown if one["displayName"] == "Mail Sidekick")
    rest = [one for one in shown if one["id"] != odd["id"]]
    entra.faults(
        {
            "method": "GET",
            "path": "/servicePrincipals$",
            "body": {
                "@odata.count": len(shown),
                "value": [*rest, odd | {"createdDateTime": "the day before yesterday"}],
            },
        }
    )

    (report,) = sync.sync_tenant(copy, [Collection.Kind.SERVICE_PRINCIPALS], full=True).kinds

    assert (report.complete, report.unreadable, report.rows) == (True, 1, len(shown))
    assert Collection.objects.get(kind="service_principals").unreadable == 1
    assert ServicePrincipal.objects.filter(pk=odd["id"], deleted_at=None).exists()
    assert last_entry().after["service_principals"]["unreadable"] == 1


def test_a_grant_we_took_out_does_not_return_with_a_list_that_lags_but_one_given_anew_shows(entra, copy, adele):
    grant = PermissionGrant.objects.filter(principal_id=adele.object_id).first()
    sync.forget_grants(copy, [grant.graph_id])  # proved; the index behind the list has not heard of it
    some_minutes_ago = timezone.now() + recent.PROTECTED_FOR - timedelta(minutes=5)
    recent.RecentChange.objects.filter(kind="grant").update(expires_at=some_minutes_ago)

    sync.sync_tenant(copy, [Collection.Kind.GRANTS])
    assert not PermissionGrant.objects.filter(graph_id=grant.graph_id).exists()

    sync.refresh_person(copy, adele.object_id)
    assert PermissionGrant.objects.filter(graph_id=grant.graph_id).exists()


def test_what_lies_ready_is_taken_at_once_and_an_error_keeps_its_place():
    def pages():
        yield from (1, 2, 3)
        raise Unavailable("Graph is busy.", sent=True)

    ahead = Ahead(pages(), lambda: True, most=4)
    wait(ahead._coming)
    assert ahead.some(2) == [1, 2]
    assert ahead.some(4) == [3]
    with pytest.raises(Unavailable):
        ahead.some(4)


def test_a_list_of_unknown_length_goes_before_all_others(inside):
    def a_list(part: str, **columns) -> _List:
        return _List(inside, None, Progress(tenant=inside, part=part, **columns))

    apps, grants = a_list("service_principals", count=4000, seen=999), a_list("grants")
    assert max((apps, grants), key=lambda one: one.left) is grants
