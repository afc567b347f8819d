"""Grants from apps' own lists, for where Microsoft's list of all leaves rows out.

A request for every app is dear, and nothing is asked so until a sample shows that the list cannot be believed. Then all
apps are gone through once, some seconds at a time; what came to light so is not taken out because the list of all
does not name it.
"""

from collections.abc import Collection as Sized, Sequence
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Tenant
from directory.models import Collection, PermissionGrant, Progress, ServicePrincipal
from directory.sync import progress as going, recent, rows
from directory.sync.derive import derive
from directory.sync.progress import Deadline, Part
from directory.sync.refresh import replace_grants_of_app
from directory.sync.report import KindReport
from graph.batch import LIMIT
from graph.client import GraphClient
from graph.errors import Forbidden, Rejected
from graph.types import Call, Grant


def ask_for_all(tenant: Tenant) -> None:
    """Have every app's own list read, unless that is under way."""
    if not going.of(tenant, Part.OWN_LISTS).due:
        going.ask_for(tenant, [Part.OWN_LISTS], "left out")


def only_there(tenant: Tenant) -> int:
    """How many grants came to light by apps' own lists, and not by the list of all."""
    return going.of(tenant, Part.OWN_LISTS).count or 0


def read_all(tenant: Tenant, client: GraphClient, progress: Progress, until: Deadline) -> KindReport | None:
    """Go on through the apps, or begin; None where the time is up before the last. Raises `GraphError`."""
    apps = ServicePrincipal.objects.filter(tenant=tenant, deleted_at__isnull=True).order_by("pk").values_list("pk")
    while True:
        after = apps.filter(pk__gt=UUID(progress.next_link)) if progress.next_link else apps
        ids = [pk for (pk,) in after[:LIMIT]]
        if not ids:
            break
        read(tenant, client, ids)
        progress.next_link = str(ids[-1])
        progress.save(update_fields=["next_link"])
        if until.passed:
            return None
    progress.refresh_from_db(fields=["count"])
    going.done(progress)
    return KindReport(Part.OWN_LISTS, progress.count or 0)


def read(tenant: Tenant, client: GraphClient, app_ids: Sequence[UUID]) -> int:
    """Make the own lists of up to 20 apps what the copy holds of their grants. Raises `GraphError`.

    Returns:
        how many grants the copy lacked.
    """
    return _read(tenant, client, app_ids)[0]


def _read(tenant: Tenant, client: GraphClient, app_ids: Sequence[UUID]) -> tuple[int, list[UUID]]:
    """The same, and the apps that were there to be asked."""
    calls = [Call("GET", f"/servicePrincipals/{one}/oauth2PermissionGrants?$top=999") for one in app_ids]
    lacked, there, touched, asked_at = 0, [], set(), timezone.now()
    grants = PermissionGrant.objects.filter(tenant=tenant)
    for app_id, call, answer in zip(app_ids, calls, client.batch(calls), strict=True):
        if isinstance(answer.error, Rejected) and not isinstance(answer.error, Forbidden):
            continue  # it has gone meanwhile
        there.append(app_id)
        found = client.finish(call, answer, Grant.read)
        had = dict(grants.filter(client_id=app_id).values_list("graph_id", "scopes"))
        ours = recent.states(tenant, recent.Changed.GRANT)
        lacked += sum(1 for one in found if one.id not in had and one.id not in ours)
        differing = [one for one in found if sorted(had.get(one.id, ())) != sorted(one.scopes)]
        if differing or len(found) != len(had):
            touched |= replace_grants_of_app(tenant, app_id, found, asked_at)
    if touched:
        with rows.writing(tenant):
            derive(tenant, touched)
            Collection.objects.filter(tenant=tenant, kind=Part.GRANTS).update(row_count=grants.count())
    if lacked:
        going.of(tenant, Part.OWN_LISTS)
        Progress.objects.filter(tenant=tenant, part=Part.OWN_LISTS).update(count=Coalesce(F("count"), 0) + lacked)
    return lacked, there


def confirm(tenant: Tenant, client: GraphClient, app_ids: Sized[UUID]) -> None:
    """Ask the apps themselves whose grants the list of all did not name; without any, it is whole again.

    Raises `GraphError`.
    """
    if not app_ids:
        Progress.objects.filter(tenant=tenant, part=Part.OWN_LISTS).update(count=0)
    for part in rows.in_parts(app_ids, LIMIT):
        _lacked, there = _read(tenant, client, part)
        with rows.writing(tenant):  # what is there now was named by its app
            PermissionGrant.objects.filter(tenant=tenant, client_id__in=there).update(synced_at=timezone.now())
