"""What changed since the last look: the cost follows the changes, whatever the size of the directory.

A round is taken in whole before anything of it is stored, and its link is kept only with its last row, so a process
that ends in between leaves nothing half done: the round is asked for again, and storing it twice does no harm. Rows
come in any order and several times. What one round says in two ways is not guessed at: those objects are asked for.

https://learn.microsoft.com/graph/delta-query-overview
"""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.ids import id_or_none
from accounts.models import Tenant
from directory.models import AppRoleAssignment, Collection, PermissionGrant, Person, Progress, ServicePrincipal
from directory.sync import progress as going, recent, rows, told, withdrawn
from directory.sync.assignments import read_of_new_apps
from directory.sync.derive import derive
from directory.sync.lists import present
from directory.sync.progress import Part
from directory.sync.refresh import refresh_app, replace_grants_of_person
from directory.sync.report import KindReport
from directory.sync.unknown import fetch_unknown
from graph.changes import Change
from graph.client import GraphClient
from graph.errors import Expired

MOST = 50_000  # changes in one round; reading the list anew is cheaper then, and can be left off anywhere
AT_ONCE = 1000


@dataclass
class _Round:
    """What one round said: the last word on each object, and on which there were several."""

    said: dict[str, Change] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    unreadable: int = 0
    link: str = ""
    asked_at: datetime = field(default_factory=timezone.now)

    def add(self, change: Change) -> None:
        before = self.said.get(change.id)
        if before is not None and before.data != change.data:
            self.doubtful.add(change.id)
        self.said[change.id] = change


class Rounds:
    """What changed in several lists, asked for side by side: while one is stored, the answers about others come."""

    def __init__(self, client: GraphClient):
        self._client = client
        self._pool = ThreadPoolExecutor(len(KINDS), thread_name_prefix="rounds")
        self._coming: dict[str, Future[_Round]] = {}  # by link

    def ask(self, progress: Progress) -> None:
        self._coming[progress.delta_link] = self._pool.submit(_ask, self._client, progress.delta_link)

    def take(self, progress: Progress) -> _Round:
        """The round of this list, asked for now where it was not. Raises what `_ask` does."""
        coming = self._coming.pop(progress.delta_link, None)
        return coming.result() if coming else _ask(self._client, progress.delta_link)

    def end(self) -> None:
        """Leave what nobody took: it is asked for again. What is being asked is waited for."""
        self._pool.shutdown(cancel_futures=True)


def follow(tenant: Tenant, rounds: Rounds, client: GraphClient, progress: Progress) -> KindReport:
    """Bring one of the lists up to date.

    Raises:
        Expired: the link is worth nothing any more. The list is marked to be read in full; what is shown stays.
        GraphError: nothing was stored, or a part of it, and the round is asked for again.
    """
    try:
        found = rounds.take(progress)
    except Expired:
        progress.delta_link, progress.due = "", "expired"
        progress.save(update_fields=["delta_link", "due"])
        raise
    if len(found.said) > MOST:
        progress.delta_link, progress.due = "", "many"
        progress.save(update_fields=["delta_link", "due"])
        return KindReport(progress.part)
    kind = KINDS[progress.part](tenant, client)
    if found.said:
        kind.take_in(found)
    return _finish(tenant, progress, found, kind)


def _ask(client: GraphClient, link: str) -> _Round:
    """Raises: Expired, GraphError."""
    found = _Round()
    while True:
        page = client.changes(link)
        found.unreadable += page.unreadable
        for change in page.rows:
            found.add(change)
        if page.delta_link or len(found.said) > MOST:
            found.link = page.delta_link
            return found
        link = page.next_link


def _finish(tenant: Tenant, progress: Progress, found: _Round, kind: "_Kind") -> KindReport:
    began = found.asked_at
    columns = {"started_at": began, "complete_at": began, "error": progress.doubt}
    progress.delta_link, progress.delta_at = found.link, began
    progress.failures, progress.not_before = 0, None
    unread = found.unreadable + kind.unreadable
    if unread:
        progress.unreadable += unread
        columns["unreadable"] = progress.unreadable
    with rows.writing(tenant):
        if found.said:
            columns["row_count"] = count = present(tenant, progress.part).count()
            # Microsoft's own number is of another time, and says nothing beside this one.
            collection = Collection.objects.filter(tenant=tenant, kind=progress.part)
            collection.exclude(graph_count=count).update(graph_count=None)
        going.say(tenant, progress.part, **columns)
        progress.save()
    return KindReport(
        progress.part, len(found.said), None, kind.removed, error=progress.doubt, unreadable=progress.unreadable
    )


class _Kind:
    """One of the three lists."""

    def __init__(self, tenant: Tenant, client: GraphClient):
        self.tenant, self.client = tenant, client
        self.removed = 0
        self.unreadable = 0
        self.touched: set[UUID] = set()  # apps whose computed columns follow from what changed

    def take_in(self, found: _Round) -> None:
        doubtful, gone = set(found.doubtful), []
        present_ones = [one for one in found.said.values() if not one.gone and one.id not in doubtful]
        for part in rows.in_parts(present_ones, AT_ONCE):
            doubtful |= self._put(part)
        if doubtful:
            gone += self._ask(doubtful)
        gone += [one for one in found.said.values() if one.gone and one.id not in doubtful]
        for part in rows.in_parts(gone, AT_ONCE):
            self._take_out(part)
        self._complete()
        if self.touched:
            with rows.writing(self.tenant):
                derive(self.tenant, self.touched)

    def _put(self, changes: list[Change]) -> set[str]:
        """Store them. Returns the ids of those that cannot be stored from what is said alone."""
        known = self._known([one.id for one in changes])
        made, unclear = [], set()
        for change in changes:
            try:
                made.append(self._made(change, known.get(self._key(change.id))))
            except told.NOT_ENOUGH:
                unclear.add(change.id)
        self._save(made, known)
        return unclear

    def _ask(self, ids: set[str]) -> list[Change]:
        """Ask for these by themselves, and store what there is. Returns the others: they are gone."""
        items = self._ask_for(sorted(ids))
        known = self._known(ids)
        at = timezone.now()
        self._save([self._row(item, at) for item in items], known)
        self.unreadable += len(items.unreadable)
        there = {str(item.id) for item in items} | {one.id for one in items.unreadable}
        return [Change(one, gone=True, in_bin=False, data={"id": one}) for one in ids if one not in there]

    def _key(self, text: str):
        return id_or_none(text)

    def _complete(self) -> None:
        """What else has to be asked for."""


class _Apps(_Kind):
    def __init__(self, tenant: Tenant, client: GraphClient):
        super().__init__(tenant, client)
        self.new: set[UUID] = set()
        self.returned: set[UUID] = set()

    def _known(self, ids: Iterable[str]) -> dict:
        keys = [key for one in ids if (key := id_or_none(one))]
        return ServicePrincipal.objects.filter(tenant=self.tenant).in_bulk(keys)

    def _made(self, change: Change, known: ServicePrincipal | None) -> ServicePrincipal:
        return rows.app(self.tenant, told.app(change.data, known), timezone.now())

    def _row(self, item, at: datetime) -> ServicePrincipal:
        return rows.app(self.tenant, item, at)

    def _ask_for(self, ids: list[str]):
        return self.client.service_principals_by_ids(ids)

    def _save(self, made: list[ServicePrincipal], known: dict) -> None:
        if not made:
            return
        with rows.writing(self.tenant):
            kept = recent.corrected_apps(self.tenant, made)
            rows.save_apps(kept)
        for app in kept:
            before = known.get(app.pk)
            self.touched.add(app.pk)
            if before is None:
                self.new.add(app.pk)
            elif before.deleted_at and not app.deleted_at:
                self.returned.add(app.pk)

    def _take_out(self, gone: list[Change]) -> None:
        apps = ServicePrincipal.objects.filter(tenant=self.tenant)
        with rows.writing(self.tenant):
            ids = recent.is_gone(self.tenant, recent.Changed.APP, [one.id for one in gone])
            live = dict.fromkeys(apps.filter(pk__in=_uuids(ids)).values_list("pk", flat=True))
            binned = set(_uuids(one.id for one in gone if one.in_bin and one.id in ids)) & live.keys()
            self.touched |= take_out_ties(self.tenant, apps=live.keys())
            apps.filter(pk__in=binned, deleted_at__isnull=True).update(deleted_at=timezone.now())
            for_good = apps.filter(pk__in=live.keys() - binned)
            # Whether one asked for by itself is in the bin is told by the bin.
            unsure = for_good.filter(pk__in=_uuids(one.id for one in gone if not told.says_why(one)))
            self.removed += len(live)
            if binned or unsure:
                going.ask_for(self.tenant, [Part.DELETED_APPS], "changed")
            unsure_ids = set(unsure.values_list("pk", flat=True))
            unsure.filter(deleted_at__isnull=True).update(deleted_at=timezone.now())
            for_good.exclude(pk__in=unsure_ids).delete()
            self.touched |= binned | unsure_ids

    def _complete(self) -> None:
        for app_id in self.returned:
            refresh_app(self.tenant, app_id, client=self.client)
        if self.new:
            read_of_new_apps(self.tenant, self.client, sorted(self.new))


class _Grants(_Kind):
    def __init__(self, tenant: Tenant, client: GraphClient):
        super().__init__(tenant, client)
        self.named: list[PermissionGrant] = []

    def _key(self, text: str):
        return text

    def _known(self, ids: Iterable[str]) -> dict:
        found = PermissionGrant.objects.filter(tenant=self.tenant, graph_id__in=list(ids))
        return {one.graph_id: one for one in found}

    def _made(self, change: Change, known: PermissionGrant | None) -> PermissionGrant:
        return rows.grant(self.tenant, told.grant(change.data, known), timezone.now())

    def _row(self, item, at: datetime) -> PermissionGrant:
        return rows.grant(self.tenant, item, at)

    def _ask_for(self, ids: list[str]):
        return self.client.grants_by_ids(ids)

    def _save(self, made: list[PermissionGrant], known: dict) -> None:
        if not made:
            return
        with rows.writing(self.tenant):
            kept = recent.corrected_grants(self.tenant, made)
            rows.save_grants(kept)
        self.named += kept
        self.touched |= {one.client_id for one in kept}

    def _take_out(self, gone: list[Change]) -> None:
        with rows.writing(self.tenant):
            ids = recent.is_gone(self.tenant, recent.Changed.GRANT, [one.id for one in gone])
            found = PermissionGrant.objects.filter(tenant=self.tenant, graph_id__in=ids)
            self.touched |= set(found.values_list("client_id", flat=True))
            recent.remember_first_seen(self.tenant, found.filter(client__deleted_at__isnull=False), with_app=True)
            self.removed += withdrawn.take_out(self.tenant, found)

    def _complete(self) -> None:
        if self.named:
            fetch_unknown(
                self.tenant,
                self.client,
                apps={one.client_id for one in self.named},
                resources={one.resource_id for one in self.named},
                people={one.principal_id for one in self.named if one.principal_id},
            )


class _People(_Kind):
    def __init__(self, tenant: Tenant, client: GraphClient):
        super().__init__(tenant, client)
        self.new: set[UUID] = set()

    def _known(self, ids: Iterable[str]) -> dict:
        keys = [key for one in ids if (key := id_or_none(one))]
        return Person.objects.filter(tenant=self.tenant).in_bulk(keys)

    def _made(self, change: Change, known: Person | None) -> Person:
        made = rows.person(self.tenant, told.person(change.data, known), timezone.now())
        if "isManagementRestricted" not in change.data:
            made.is_restricted = known.is_restricted if known else None  # not told is not known
        return made

    def _row(self, item, at: datetime) -> Person:
        return rows.person(self.tenant, item, at)

    def _ask_for(self, ids: list[str]):
        return self.client.users_by_ids(ids)

    def _save(self, made: list[Person], known: dict) -> None:
        if made:
            with rows.writing(self.tenant):
                rows.save_people(made)
            self.new |= {one.pk for one in made if one.pk not in known}

    def _take_out(self, gone: list[Change]) -> None:
        people = Person.objects.filter(tenant=self.tenant, pk__in=_uuids(one.id for one in gone))
        with rows.writing(self.tenant):
            ids = set(people.values_list("pk", flat=True))
            recent.remember_people(self.tenant, ids)
            self.touched |= take_out_ties(self.tenant, people=ids)
            self.removed += people.delete()[1].get(Person._meta.label, 0)

    def _complete(self) -> None:
        for person_id in recent.returned_people(self.tenant, self.new):
            self.touched |= replace_grants_of_person(self.tenant, self.client, UUID(person_id))


KINDS: dict[str, type[_Kind]] = {Part.APPS: _Apps, Part.PEOPLE: _People, Part.GRANTS: _Grants}


def take_out_ties(tenant: Tenant, *, apps: Iterable[UUID] = (), people: Iterable[UUID] = ()) -> set[UUID]:
    """What hangs on objects in the bin is hidden with them, whether Microsoft tells of it or not.

    Returns:
        the apps that hold less by it.
    """
    apps, people = list(apps), list(people)
    grants = PermissionGrant.objects.filter(tenant=tenant)
    mine = grants.filter(Q(client_id__in=apps) | Q(resource_id__in=apps) | Q(principal_id__in=people))
    recent.remember_first_seen(tenant, mine, with_app=True)
    touched = set(mine.values_list("client_id", flat=True))
    mine.delete()
    ties = AppRoleAssignment.objects.filter(tenant=tenant)
    ties = ties.filter(Q(resource_id__in=apps) | Q(principal_id__in=[*apps, *people]))
    touched |= {pk for pair in ties.values_list("resource_id", "principal_id") for pk in pair}
    ties.delete()
    return touched - set(people)


def _uuids(ids: Iterable[str]) -> list[UUID]:
    return [key for one in ids if (key := id_or_none(one))]
