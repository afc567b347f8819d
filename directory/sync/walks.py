"""Reading a tenant's whole directory into the copy, one kind of object after the other.

A kind's rows that were not seen are taken out only after its list was read to the end. A list that breaks off leaves
the old copy as it was, with newer facts for what had been read, and its `Collection` says that it is not complete.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import locks, permissions
from accounts.access import Actor
from accounts.ids import id_or_none
from accounts.models import Tenant
from accounts.tenancy import in_tenant
from audit import services as audit
from audit.models import AuditEvent
from directory.models import AppRoleAssignment, Collection, PermissionGrant, Person, ServicePrincipal
from directory.sync import activity, agents, consents, recent, roles, rows
from directory.sync.assignments import assignments_of
from directory.sync.derive import derive
from directory.sync.report import KindReport, SyncReport, explain
from directory.sync.unknown import fetch_all_unknown
from graph.client import GraphClient
from graph.errors import Forbidden, GraphError, TokenError
from graph.types import Unreadable

logger = logging.getLogger(__name__)
Kind = Collection.Kind

# The recycle bin comes right after the apps: what left one list is looked for in the other before it is taken out.
# Roles come after both: whoever is neither an app nor a person and holds one may be a group.
ORDER = [Kind.SERVICE_PRINCIPALS, Kind.DELETED_APPS, Kind.PEOPLE, Kind.ROLES, Kind.GRANTS, Kind.ASSIGNMENTS]
# A list that grows or shrinks while it is read may miss its own count by a little; more is a broken list.
TOLERANCE = 0.01


class Incomplete(Exception):
    """Graph listed fewer objects than it says there are."""


def sync_tenant(tenant: Tenant, kinds: Iterable[str] | None = None, *, actor: Actor | None = None) -> SyncReport:
    """Read these kinds (all of them by default) in full, and record what came of it.

    Only one process reads a tenant at a time; a second one is told `busy`. A kind that fails does not stop the next:
    the reasons are in the report, on the `Collection` rows and in the audit record. Raises no `GraphError`.
    """
    wanted = [str(kind) for kind in ORDER if kinds is None or kind in set(kinds)]
    with in_tenant(tenant.pk), locks.first_free([f"directory.sync:{tenant.pk}"]) as free:
        if not free:
            return SyncReport(tenant.pk, busy=True)
        client = GraphClient(str(tenant.pk), priority="low")
        _renew_permissions(tenant, client)
        report = SyncReport(tenant.pk)
        for kind in wanted:
            report.kinds.append(_walk(tenant, client, kind))
        _finish(tenant, client, report, actor or Actor.system())
        if Kind.PEOPLE in wanted:
            activity.read_if_due(tenant, client)
        consents.read(tenant, client)
    return report


def refresh_roles(tenant: Tenant, *, older_than: timedelta, priority: str = "high") -> str:
    """Read who holds which directory role, unless that was done lately.

    Returns:
        why it could not be read, in words; empty where what the copy holds is as young as that.
    """
    with in_tenant(tenant.pk):
        known = Collection.objects.filter(tenant=tenant, kind=Kind.ROLES)
        if known.filter(complete_at__gt=timezone.now() - older_than).exists():
            return ""
        return _walk(tenant, GraphClient(str(tenant.pk), priority=priority), Kind.ROLES).error


def _renew_permissions(tenant: Tenant, client: GraphClient) -> None:
    """What an administrator granted or took back meanwhile switches features on or off."""
    try:
        permissions.renew(tenant, client)
    except GraphError as error:
        logger.info("What %s granted could not be read: %s", tenant.pk, explain(error))


def _finish(tenant: Tenant, client: GraphClient, report: SyncReport, actor: Actor) -> None:
    with rows.writing(tenant):
        recent.forget_old(tenant)
        derive(tenant)
    event = AuditEvent.DIRECTORY_SYNCED if report.complete else AuditEvent.DIRECTORY_SYNC_FAILED
    audit.record(
        event,
        tenant_id=tenant.pk,
        actor=actor,
        target_type="tenant",
        target_id=str(tenant.pk),
        target_label=tenant.name,
        outcome="complete" if report.complete else "incomplete",
        after=report.facts(),
    )


def _walk(tenant: Tenant, client: GraphClient, kind: str) -> KindReport:
    started = timezone.now()
    collection, _made = Collection.objects.get_or_create(tenant=tenant, kind=kind)
    Collection.objects.filter(pk=collection.pk).update(started_at=started)
    walk = _Walk(tenant, client, kind, started)
    try:
        walk.read()
        walk.check()
    except (GraphError, Incomplete) as error:
        problem = explain(error) if isinstance(error, GraphError) else str(error)
        known = isinstance(error, Forbidden | TokenError)
        logger.log(logging.INFO if known else logging.WARNING, "Reading %s of %s: %s", kind, tenant.pk, problem)
        Collection.objects.filter(pk=collection.pk).update(error=problem)
        return KindReport(kind, walk.seen, walk.count, error=problem)
    with transaction.atomic():
        removed = walk.remove_unseen()
        Collection.objects.filter(pk=collection.pk).update(
            complete_at=walk.started,
            first_complete_at=collection.first_complete_at or timezone.now(),  # later than every row of this walk
            graph_count=walk.count,
            row_count=walk.rows().count(),
            unreadable=walk.unreadable,
            error="",
            **walk.facts,
        )
    return KindReport(kind, walk.seen, walk.count, removed, unreadable=walk.unreadable)


class _Walk:
    """One reading of one kind."""

    def __init__(self, tenant: Tenant, client: GraphClient, kind: str, started: datetime):
        self.tenant, self.client, self.kind, self.started = tenant, client, kind, started
        self.seen = 0
        self.count: int | None = None
        self.unreadable = 0  # rows that Graph listed and nobody could make sense of
        self.kept: set[str] = set()  # their ids: they are there, so what the copy holds of them stays
        self.facts: dict = {}  # more for the `Collection` row

    def read(self) -> None:
        {
            Kind.SERVICE_PRINCIPALS: self._read_service_principals,
            Kind.DELETED_APPS: self._read_deleted_apps,
            Kind.PEOPLE: self._read_people,
            Kind.ROLES: self._read_roles,
            Kind.GRANTS: self._read_grants,
            Kind.ASSIGNMENTS: self._read_assignments,
        }[self.kind]()

    def check(self) -> None:
        if self.count is not None and self.seen < self.count * (1 - TOLERANCE):
            raise Incomplete(
                _("Microsoft listed %(seen)d of %(count)d; the rest of the copy is older.")
                % {"seen": self.seen, "count": self.count}
            )

    def rows(self) -> QuerySet:
        """The rows of the copy this kind is about."""
        apps = ServicePrincipal.objects.filter(tenant=self.tenant)
        return {
            Kind.SERVICE_PRINCIPALS: apps.filter(deleted_at__isnull=True),
            Kind.DELETED_APPS: apps.filter(deleted_at__isnull=False),
            Kind.PEOPLE: Person.objects.filter(tenant=self.tenant),
            Kind.ROLES: Person.objects.filter(tenant=self.tenant).exclude(role_template_ids=[]),
            Kind.GRANTS: PermissionGrant.objects.filter(tenant=self.tenant),
            Kind.ASSIGNMENTS: AppRoleAssignment.objects.filter(tenant=self.tenant),
        }[self.kind]

    def remove_unseen(self) -> int:
        """Take out what the complete list did not name, except what we ourselves just put there."""
        if self.kind == Kind.ROLES:
            return 0  # they stand on people's rows, and were replaced there
        unseen = self._unkept(self.rows().filter(synced_at__lt=self.started))
        with rows.writing(self.tenant):
            if self.kind in (Kind.GRANTS, Kind.ASSIGNMENTS):
                kind = recent.Changed.GRANT if self.kind == Kind.GRANTS else recent.Changed.ASSIGNMENT
                unseen = unseen.exclude(graph_id__in=list(recent.states(self.tenant, kind)))
                if self.kind == Kind.GRANTS:
                    binned = unseen.filter(client__deleted_at__isnull=False)
                    recent.remember_first_seen(self.tenant, binned, with_app=True)
            elif self.kind in (Kind.SERVICE_PRINCIPALS, Kind.DELETED_APPS):
                unseen = unseen.exclude(pk__in=list(recent.states(self.tenant, recent.Changed.APP)))
                if self.kind == Kind.SERVICE_PRINCIPALS:
                    unseen = self._without_binned(unseen)
            return unseen.delete()[1].get(unseen.model._meta.label, 0)

    def _unkept(self, unseen: QuerySet) -> QuerySet:
        if not self.kept:
            return unseen
        if self.kind in (Kind.GRANTS, Kind.ASSIGNMENTS):
            return unseen.exclude(graph_id__in=self.kept)
        return unseen.exclude(pk__in=[pk for one in self.kept if (pk := id_or_none(one))])

    def _without_binned(self, unseen: QuerySet) -> QuerySet:
        """Apps that left the list for the recycle bin keep their row and their history."""
        gone = set(unseen.values_list("pk", flat=True))
        if not gone:
            return unseen
        try:
            binned = [app for app in self.client.deleted_service_principals() if app.id in gone]
        except GraphError:
            return unseen.none()  # the next reading decides
        rows.save_apps(rows.app(self.tenant, app, timezone.now()) for app in binned)
        return unseen.exclude(pk__in=[app.id for app in binned])

    def _read_service_principals(self) -> None:
        for page in self._counted(self.client.service_principals()):
            with rows.writing(self.tenant):
                found = (rows.app(self.tenant, item, self.started) for item in page.items)
                rows.save_apps(recent.corrected_apps(self.tenant, found))
        agents.read(self.tenant, self.client)
        self._read_activity()

    def _read_activity(self) -> None:
        """When apps were last used; unknown without the permission or the licence, and never in the way."""
        try:
            for page in self.client.app_activities():
                with rows.writing(self.tenant):
                    rows.save_activity(self.tenant, page.items)
        except GraphError as error:
            logger.info("Last use of apps of %s cannot be read: %s", self.tenant.pk, error.code or error.status)

    def _read_deleted_apps(self) -> None:
        items = self.client.deleted_service_principals()
        self.seen = len(items)
        self._note(items.unreadable)
        with rows.writing(self.tenant):
            found = (rows.app(self.tenant, item, self.started) for item in items)
            rows.save_apps(recent.corrected_apps(self.tenant, found))

    def _read_people(self) -> None:
        for page in self._counted(self.client.users()):
            with rows.writing(self.tenant):
                rows.save_people(rows.person(self.tenant, item, self.started) for item in page.items)

    def _read_roles(self) -> None:
        ids = {
            model: set(model.objects.filter(tenant=self.tenant).values_list("pk", flat=True))
            for model in (Person, ServicePrincipal)
        }
        found = roles.of_tenant(self.client, ids[Person], ids[ServicePrincipal])
        self.seen, self.unreadable = found.count, found.unreadable
        with rows.writing(self.tenant):
            rows.save_roles(self.tenant, found.held, ids[Person], self.started)
        self.facts = {
            "possible_roles": sorted(found.possible),
            "role_groups_known": found.groups_known,
            "role_group_people": sorted(found.group_people),
        }

    def _read_grants(self) -> None:
        for page in self._counted(self.client.grants()):
            with rows.writing(self.tenant):
                found = (rows.grant(self.tenant, item, self.started) for item in page.items)
                rows.save_grants(recent.corrected_grants(self.tenant, found))
        fetch_all_unknown(self.tenant, self.client)

    def _read_assignments(self) -> None:
        known = Collection.objects.filter(tenant=self.tenant, kind=Kind.SERVICE_PRINCIPALS).first()
        if known is None or known.complete_at is None or known.error:
            raise Incomplete(_("Apps could not be listed in full, and assignments are read app by app."))
        apps = ServicePrincipal.objects.filter(tenant=self.tenant, deleted_at__isnull=True).order_by("pk")
        for part in rows.in_parts(apps.values_list("pk", flat=True).iterator(chunk_size=rows.BATCH), 20):
            items = assignments_of(self.client, part)
            self.seen += len(items)
            self._note(items.unreadable)
            with rows.writing(self.tenant):
                found = (rows.assignment(self.tenant, item, self.started) for item in items)
                rows.save_assignments(recent.corrected_assignments(self.tenant, found))
        fetch_all_unknown(self.tenant, self.client)

    def _counted(self, pages):
        for page in pages:
            if page.restarted:
                # What only the abandoned part named is not vouched for by the list that follows.
                self.seen, self.started = 0, timezone.now()
                self.unreadable = 0
            self.seen += len(page.items)
            self._note(page.unreadable)
            self.count = page.count if page.count is not None else self.count
            yield page

    def _note(self, unreadable: Sequence[Unreadable]) -> None:
        """Rows that cannot be read are there all the same: they are counted, and not taken for deleted."""
        self.seen += len(unreadable)
        self.unreadable += len(unreadable)
        self.kept |= {one.id for one in unreadable if one.id}
