"""The parts that are read as a whole each time: the recycle bin, who holds which role, when apps were last used."""

import logging
from datetime import timedelta

from django.utils import timezone

from accounts.models import Tenant
from directory.models import Collection, Person, Progress, ServicePrincipal
from directory.sync import progress as going, recent, roles, rows
from directory.sync.progress import Part
from directory.sync.report import KindReport
from directory.sync.unknown import refetch_words
from graph.client import GraphClient
from graph.errors import GraphError

logger = logging.getLogger(__name__)
JUST_NOW = timedelta(minutes=5)  # the bin may not show yet what was deleted since


def deleted_apps(tenant: Tenant, client: GraphClient, progress: Progress) -> KindReport:
    """Raises `GraphError`."""
    started = timezone.now()
    items = client.deleted_service_principals()
    with rows.writing(tenant):
        rows.save_apps(recent.corrected_apps(tenant, (rows.app(tenant, item, started) for item in items)))
        binned = ServicePrincipal.objects.filter(tenant=tenant, deleted_at__isnull=False)
        unseen = binned.filter(synced_at__lt=started).exclude(deleted_at__gt=started - JUST_NOW)
        unseen = unseen.exclude(pk__in=[one.id for one in items.unreadable if one.id])
        unseen = unseen.exclude(pk__in=recent.still_there(tenant, recent.Changed.APP))
        removed = unseen.delete()[1].get(ServicePrincipal._meta.label, 0)
        _say_complete(tenant, Part.DELETED_APPS, started, binned.count(), len(items.unreadable))
        going.done(progress, started)
    seen = len(items) + len(items.unreadable)
    return KindReport(Part.DELETED_APPS, seen, None, removed, unreadable=len(items.unreadable))


def directory_roles(tenant: Tenant, client: GraphClient, progress: Progress) -> KindReport:
    """Raises `GraphError`."""
    started = timezone.now()
    ids = {
        model: set(model.objects.filter(tenant=tenant).values_list("pk", flat=True))
        for model in (Person, ServicePrincipal)
    }
    found = roles.of_tenant(client, ids[Person], ids[ServicePrincipal])
    with rows.writing(tenant):
        rows.save_roles(tenant, found.held, ids[Person], started)
        holders = Person.objects.filter(tenant=tenant).exclude(role_template_ids=[]).count()
        _say_complete(
            tenant,
            Part.ROLES,
            started,
            holders,
            found.unreadable,
            possible_roles=sorted(found.possible),
            role_groups_known=found.groups_known,
            role_group_people=sorted(found.group_people),
        )
        going.done(progress, started)
    return KindReport(Part.ROLES, found.count, unreadable=found.unreadable)


def use_of_apps(tenant: Tenant, client: GraphClient, progress: Progress) -> None:
    """When apps were last used; unknown without the permission or the licence, and never in the way."""
    try:
        for page in client.app_activities():
            with rows.writing(tenant):
                rows.save_activity(tenant, page.items)
    except GraphError as error:
        logger.info("Last use of apps of %s cannot be read: %s", tenant.pk, error.code or error.status)
    going.done(progress)


def words(tenant: Tenant, client: GraphClient, progress: Progress) -> None:
    """What the permissions of resources mean: of that no list tells a change. Raises `GraphError`."""
    refetch_words(tenant, client)
    going.done(progress)


def _say_complete(tenant: Tenant, kind: str, started, count: int, unreadable: int, **more) -> None:
    known = Collection.objects.filter(tenant=tenant, kind=kind).first()
    first = (known and known.first_complete_at) or timezone.now()
    more |= {"started_at": started, "complete_at": started, "first_complete_at": first, "row_count": count}
    going.say(tenant, kind, unreadable=unreadable, error="", **more)
