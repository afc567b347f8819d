"""Who is assigned to apps, and which apps hold permissions. Graph has no list of all, and tells no changes of them.

They come along with the list of apps, up to twenty with each: that is a page for 999 apps instead of a request for
every one. Apps with more are asked singly. The list is gone through again and again, the rarer the longer it is, so
that its cost stays small beside what it is good for; an app that is new is asked about at once.

https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import Tenant
from directory.models import AppRoleAssignment, Collection, Progress, ServicePrincipal
from directory.sync import progress as going, recent, rows
from directory.sync.ahead import Ahead
from directory.sync.derive import derive
from directory.sync.progress import Deadline, Part
from directory.sync.report import KindReport
from directory.sync.unknown import fetch_all_unknown, fetch_unknown
from graph.client import GraphClient
from graph.errors import NotFound
from graph.paging import read_all
from graph.types import AppRoleAssignment as Assignment, Call, Items

AT_ONCE = 15  # apps named in one filter
EVERY, EVERY_PAGE = timedelta(minutes=15), timedelta(minutes=6)


def interval(tenant: Tenant) -> timedelta:
    """After how long the list is gone through again: for 20,000 apps, two hours."""
    known = Collection.objects.filter(tenant=tenant, kind=Part.APPS).values_list("row_count", flat=True).first()
    return max(EVERY, EVERY_PAGE * ((known or 0) // 999))


def read(tenant: Tenant, client: GraphClient, progress: Progress, until: Deadline) -> KindReport | None:
    """Go on through the list, or begin it; None where the time is up before its end.

    Raises:
        GraphError: what was read is stored, and so is the place.
    """
    if not progress.next_link:
        going.begin(progress)
    going.say(tenant, Part.ASSIGNMENTS, started_at=progress.started_at)
    start = progress.next_link
    for page in Ahead(client.apps_with_assigned(*([start] if start else [])), lambda: not until.passed):
        at = timezone.now()
        if page.restarted:
            progress.seen = progress.unreadable = 0
        found = {one.app.id: list(one.ties) for one in page.items if one.whole}
        odd = [UUID(one.id) for one in page.unreadable if one.id]
        unreadable = _ask_singly(client, [*(one.app.id for one in page.items if not one.whole), *odd], found)
        with rows.storing(tenant):
            touched = _replace(tenant, found, {one.id for one in unreadable}, at)
            if progress.done_at is not None:  # after the first reading of all, everything is rated
                derive(tenant, touched)
            progress.seen += sum(map(len, found.values())) + len(unreadable)
            progress.unreadable += len(unreadable)
            progress.next_link = page.next_link
            progress.save()
        if until.passed and page.next_link:
            return None
    fetch_all_unknown(tenant, client)
    return _finish(tenant, progress)


def _finish(tenant: Tenant, progress: Progress) -> KindReport:
    began, mine = progress.started_at, AppRoleAssignment.objects.filter(tenant=tenant)
    with rows.writing(tenant):
        live = ServicePrincipal.objects.filter(tenant=tenant, deleted_at__isnull=True).values("pk")
        gone = mine.exclude(resource_id__in=live).filter(synced_at__lt=began)
        protected = recent.still_there(tenant, recent.Changed.ASSIGNMENT)
        removed = gone.exclude(graph_id__in=protected).delete()[1].get(mine.model._meta.label, 0)
        known = Collection.objects.filter(tenant=tenant, kind=Part.ASSIGNMENTS).first()
        going.say(
            tenant,
            Part.ASSIGNMENTS,
            complete_at=began,
            first_complete_at=(known and known.first_complete_at) or timezone.now(),
            row_count=mine.count(),
            unreadable=progress.unreadable,
            error="",
        )
        going.done(progress, began)
    return KindReport(Part.ASSIGNMENTS, progress.seen, None, removed, unreadable=progress.unreadable)


def read_of_new_apps(tenant: Tenant, client: GraphClient, app_ids: Sequence[UUID]) -> None:
    """Which application permissions apps hold that came to the directory just now. Raises `GraphError`."""
    for part in rows.in_parts(app_ids, AT_ONCE):
        found: dict[UUID, list[Assignment]] = {}
        resources: set[UUID] = set()
        for one in client.apps_with_held(part):
            ties = list(one.ties) if one.whole else client.app_permissions_of(one.app.id)
            found[one.app.id] = list(ties)
            resources |= {tie.resource_id for tie in ties}
        at = timezone.now()
        with rows.writing(tenant):
            for ties in found.values():
                made = (rows.assignment(tenant, tie, at) for tie in ties)
                rows.save_assignments(recent.corrected_assignments(tenant, made))
        fetch_unknown(tenant, client, apps=(), resources=resources, people=())


def _ask_singly(client: GraphClient, app_ids: Sequence[UUID], found: dict[UUID, list[Assignment]]) -> list:
    """Put the whole of these apps' assignments into `found`. Returns the rows nobody can read."""
    unreadable = []
    for part in rows.in_parts(app_ids, 20):
        for app_id, items in each_of(client, part).items():
            found[app_id] = list(items)
            unreadable += items.unreadable
    return unreadable


def _replace(tenant: Tenant, found: dict[UUID, list[Assignment]], kept: Iterable[str], at) -> set[UUID]:
    """Make `found` all that these apps' assignments are. Returns the apps that this changes something for."""
    mine = AppRoleAssignment.objects.filter(tenant=tenant, resource_id__in=list(found))
    before = {graph_id: ends for graph_id, *ends in mine.values_list("graph_id", "resource_id", "principal_id")}
    made = [rows.assignment(tenant, tie, at) for ties in found.values() for tie in ties]
    rows.save_assignments(recent.corrected_assignments(tenant, made))
    now = {one.graph_id: (one.resource_id, one.principal_id) for one in made}
    if before.keys() - now.keys():
        protected = [*recent.still_there(tenant, recent.Changed.ASSIGNMENT), *kept]
        mine.filter(synced_at__lt=at).exclude(graph_id__in=protected).delete()
    return {pk for one in before.keys() ^ now.keys() for pk in (before.get(one) or now[one])}


def each_of(client: GraphClient, app_ids: Sequence[UUID]) -> dict[UUID, Items[Assignment]]:
    """All assignments to up to 20 apps: one batch, and further requests only for long lists and failed items.

    Apps deleted since are left out. Raises `GraphError`.
    """
    calls = [Call("GET", f"/servicePrincipals/{app_id}/appRoleAssignedTo?$top=999") for app_id in app_ids]
    found: dict[UUID, Items[Assignment]] = {}
    for app_id, answer in zip(app_ids, client.batch(calls), strict=True):
        if isinstance(answer.error, NotFound):
            continue
        if answer.ok and "@odata.nextLink" not in answer.body:
            found[app_id] = read_all(answer.body, Assignment.read)
            continue
        try:
            found[app_id] = client.assigned_to(app_id)
        except NotFound:
            continue
    return found


def assignments_of(client: GraphClient, app_ids: Sequence[UUID]) -> Items[Assignment]:
    """The same in one list."""
    found: Items[Assignment] = Items()
    for items in each_of(client, app_ids).values():
        found.extend(items)
        found.unreadable += items.unreadable
    return found
