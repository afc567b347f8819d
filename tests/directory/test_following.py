"""The copy beside the directory it is of: through changes, crashes, odd answers, and what nobody tells."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest

from audit.models import AuditEntry
from directory import sync
from directory.models import AppRoleAssignment, Collection, PermissionGrant, Person, Progress, ServicePrincipal
from graph import transport
from graph.requesting import Requester
from tests.sandbox_client import CONTOSO

ADELE, ALEX, DIEGO = (f"{name}@contoso.example" for name in ("adele", "alex", "diego"))
SOON = 120  # seconds of lag, which pass before the end


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def small_pages(monkeypatch) -> None:
    monkeypatch.setitem(Requester.pages.__kwdefaults__, "page_size", 7)


@pytest.fixture
def copy(entra, inside):
    report = sync.sync_tenant(inside)
    assert report.complete, report.facts()
    return inside


def work(tenant, turns: int = 50) -> None:
    """Turns until nothing is due, some time after the last ones."""
    Progress.objects.update(not_before=None)
    for one in Progress.objects.filter(delta_at__isnull=False):
        one.delta_at -= timedelta(minutes=1)
        one.save()
    for _turn in range(turns):
        if not sync.work(tenant, 30):
            return
    raise AssertionError("there is no end of it")


def held(model, key: str, *names: str) -> dict:
    return {str(row[0]): row[1:] for row in model.objects.values_list(key, *names)}


def the_copy() -> dict[str, dict]:
    apps = ServicePrincipal.objects.all()
    binned = set(map(str, apps.filter(deleted_at__isnull=False).values_list("pk", flat=True)))
    facts = held(ServicePrincipal, "pk", "display_name", "account_enabled")
    return {
        "apps": {pk: row for pk, row in facts.items() if pk not in binned},
        "bin": dict.fromkeys(binned),
        "people": held(Person, "pk", "display_name", "upn", "account_enabled"),
        "grants": {pk: tuple(scopes) for pk, (scopes,) in held(PermissionGrant, "graph_id", "scopes").items()},
        "assignments": dict.fromkeys(AppRoleAssignment.objects.values_list("graph_id", flat=True)),
    }


def the_directory(entra) -> dict[str, dict]:
    apps = entra.all("servicePrincipals?$top=999")
    assigned = [entra.all(f"servicePrincipals/{app['id']}/appRoleAssignedTo") for app in apps]
    users = entra.all("users?$top=999&$select=id,displayName,userPrincipalName,accountEnabled")
    return {
        "apps": {one["id"]: (one["displayName"], one["accountEnabled"]) for one in apps},
        "bin": dict.fromkeys(one["id"] for one in entra.all("directory/deletedItems/microsoft.graph.servicePrincipal")),
        "people": {one["id"]: (one["displayName"], one["userPrincipalName"], one["accountEnabled"]) for one in users},
        "grants": {pk: tuple(dict.fromkeys(one["scope"].split())) for pk, one in entra.grants().items()},
        "assignments": dict.fromkeys(one["id"] for ties in assigned for one in ties),
    }


def change(entra, do: str, **given) -> None:
    entra.control("POST", "world", json={"tenant": CONTOSO, "do": do, **given})


def some_changes(entra) -> Iterator[None]:
    """What happens in a directory: given, widened, taken back, disabled, deleted, restored, renamed."""
    grants = list(entra.grants().values())
    apps = sorted({one["clientId"] for one in grants})
    first, second, third = apps[:3]
    withdrawn = next(one for one in grants if one["principalId"] and one["clientId"] == third)
    alex = entra.get(f"users/{ALEX}")["id"]
    steps = [
        lambda: change(entra, "consent", app=first, user=DIEGO, scopes=["User.Read"]),
        lambda: change(entra, "consent", app=first, user=DIEGO, scopes=["Mail.Read", "Mail.Send"]),
        lambda: change(entra, "delete_app", app=second),
        lambda: change(entra, "withdraw", app=third, user=withdrawn["principalId"]),
        lambda: change(entra, "disable_user", user=ADELE),
        lambda: change(entra, "delete_user", user=ALEX),
        lambda: change(entra, "restore_app", app=second),
        lambda: change(entra, "disable_app", app=first),
        lambda: change(entra, "assign", app=first, user=ADELE),
        lambda: change(entra, "restore_user", user=alex),
        lambda: change(entra, "delete_app", app=third),
        lambda: change(entra, "enable_user", user=ADELE),
        lambda: change(entra, "consent", app=first, scopes=["openid"]),
    ]
    for step in steps:
        step()
        yield


@pytest.mark.parametrize(
    ("ways", "lag", "every"),
    [
        ({}, {}, 1),
        ({"partial": False, "replays": True}, {}, 4),
        ({"shuffled": True, "replays": True}, {}, 5),
        ({"silent_ties": True, "untracked": ["isManagementRestricted"]}, {}, 3),
        ({}, {"seconds": SOON}, 4),
    ],
    ids=["in part", "replays", "any order", "untold ties", "lag"],
)
def test_the_copy_comes_to_what_the_directory_is(entra, inside, ways, lag, every):
    entra.control("POST", "delta", json=ways)
    entra.control("POST", "lag", json=lag)
    work(inside)
    for number, _changed in enumerate(some_changes(entra)):
        if number % every == 0:
            work(inside)
    if lag:
        entra.clock(advance=SOON + 1)
    work(inside)
    sync.sync_tenant(inside, ["assignments", "deleted_apps"])

    entra.control("POST", "lag", json={"seconds": 0})
    assert the_copy() == the_directory(entra)
    assert not Collection.objects.exclude(error="").exists()


@pytest.mark.parametrize("at", random.Random(11).sample(range(1, 34), 3))
def test_killed_at_any_request_of_the_first_reading_it_goes_on_and_ends_with_the_same_rows(
    entra, inside, small_pages, at
):
    seen = 0

    def kill(request, response) -> None:
        nonlocal seen
        seen += "graph.microsoft.com" in request.url
        if seen == at:
            raise Killed

    with transport.witnessed(kill), pytest.raises(Killed):
        work(inside)
    work(inside)

    assert the_copy() == the_directory(entra)


@pytest.mark.parametrize("why", ["reset", "week"])
def test_a_link_that_is_worth_nothing_starts_over_and_empties_no_page(entra, copy, why):
    before = the_copy()
    change(entra, "withdraw", app=next(iter(entra.grants().values()))["clientId"])
    if why == "reset":
        entra.control("POST", "delta", json={"reset": True})
    else:
        entra.clock(advance=7 * 24 * 3600 + 60)
    entra.faults({"method": "GET", "path": "oauth2PermissionGrants$", "status": 503})
    work(copy)
    assert the_copy()["grants"] == before["grants"]
    assert Collection.objects.get(kind="grants").error

    entra.faults()
    work(copy)
    assert the_copy() == the_directory(entra)


def test_what_a_recovery_job_did_is_read_although_no_delta_tells_of_it(entra, copy):
    grant = next(one for one in entra.grants().values() if one["principalId"])
    work(copy)
    changes = [
        {"do": "disable_user", "user": ADELE},
        {"do": "withdraw", "app": grant["clientId"], "user": grant["principalId"]},
    ]
    change(entra, "recover", changes=changes)
    work(copy)
    assert Person.objects.get(upn=ADELE).account_enabled

    Progress.objects.filter(part="recovery").update(done_at=None)  # five minutes later
    work(copy)  # notices
    work(copy)  # reads

    assert not Person.objects.get(upn=ADELE).account_enabled
    assert the_copy() == the_directory(entra)


@pytest.mark.parametrize("counted", [True, False])
def test_rows_that_microsofts_list_leaves_out_come_from_apps_own_lists(entra, inside, counted):
    whole = the_directory(entra)
    entra.control("POST", "lag", json={"omitted_grants": 3, "omitted_are_counted": counted})
    sync.sync_tenant(inside)
    assert ("Microsoft" in Collection.objects.get(kind="grants").error) == counted
    for _check in range(2):
        Progress.objects.filter(part="counts").update(done_at=None)
        work(inside)

    assert the_copy() == whole
    assert Collection.objects.get(kind="grants").error == ""

    sync.sync_tenant(inside, full=True)  # the list leaves the same ones out again
    assert the_copy() == whole


def test_an_app_that_went_without_a_word_takes_its_consents_along_though_the_list_leaves_rows_out(entra, inside):
    entra.control("POST", "lag", json={"omitted_grants": 3})
    sync.sync_tenant(inside)
    for _check in range(2):
        Progress.objects.filter(part="counts").update(done_at=None)
        work(inside)
    app = PermissionGrant.objects.filter(client__deleted_at=None).values_list("client_id", flat=True).first()
    change(entra, "recover", changes=[{"do": "delete_app", "app": str(app)}])
    sync.sync_tenant(inside, full=True)

    entra.control("POST", "lag", json={"omitted_grants": 0})
    assert not PermissionGrant.objects.filter(client_id=app).exists()
    assert the_copy() == the_directory(entra)


def test_more_assignments_than_come_along_are_asked_for_singly(entra, inside):
    app = next(one for one in entra.all("servicePrincipals?$top=999") if one["displayName"] == "Mail Sidekick")
    for user in entra.all("users?$top=999")[:25]:
        if user.get("userPrincipalName", "").endswith("@contoso.example"):
            change(entra, "assign", app=app["id"], user=user["id"])
    sync.sync_tenant(inside)

    assert the_copy()["assignments"] == the_directory(entra)["assignments"]
    assert any(one["path"].endswith(f"{app['id']}/appRoleAssignedTo") for one in entra.requests())


def test_microsofts_number_is_not_shown_beside_one_of_another_time(entra, copy):
    grants = Collection.objects.get(kind="grants")
    assert grants.graph_count == grants.row_count
    change(entra, "consent", app=next(iter(entra.grants().values()))["clientId"], user=DIEGO, scopes=["Notes.Read"])
    work(copy)
    grants.refresh_from_db()
    assert grants.graph_count in (None, grants.row_count)
    assert grants.row_count == len(entra.grants())


def test_a_look_for_changes_is_no_event_and_a_part_that_begins_to_fail_is_one(entra, copy):
    entries = AuditEntry.objects.count()
    work(copy)
    assert AuditEntry.objects.count() == entries
    entra.faults({"method": "GET", "path": "users/delta$", "status": 403, "code": "Authorization_RequestDenied"})
    work(copy)
    work(copy)
    assert AuditEntry.objects.count() == entries + 1
    assert Progress.objects.get(part="people").not_before is not None
