"""What came into a tenant since a moment, and what of it went: consents and apps. Read through `directory.selectors`.

What was taken back here is in the requests and the record.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import Tenant
from directory.app_filters import alive
from directory.models import Collection, PermissionGrant, Person, ServicePrincipal, WithdrawnGrant
from directory.paging import Page, merged, page
from directory.upkeep_models import LISTS_LAG


@dataclass(frozen=True)
class Changes:
    """What came since then, and what went.

    Attributes:
        since: from when it is told: later than was asked for where the copy is younger.
        known_since: None while the grants were never read in full: then nothing is known to be new.
        apps: how many apps were added to the tenant since then.
        consents: grants given since then, newest first, each with its app and its person. When one was given is what
            Microsoft's log says, and where that says nothing when it was first seen.
        deleted: apps in the recycle bin that came there since then, by whoever's doing, the last first; 25 at the most.
        deleted_count: how many those are in all.
        withdrawn: consents that were taken back at Microsoft, outside of the portal, the last first; 25 at the most.
            Each with its person, or None for one that an administrator had given for everyone.
        withdrawn_count: how many those are in all.
    """

    since: datetime
    known_since: datetime | None
    apps: int
    consents: Page[PermissionGrant]
    deleted: list[ServicePrincipal]
    deleted_count: int
    withdrawn: list[tuple[WithdrawnGrant, Person | None]]
    withdrawn_count: int


MOST = 25  # deleted apps, and consents that went


def changes_since(tenant: Tenant, since: datetime, after: str = "") -> Changes:
    """In nine queries, whatever the number of rows."""
    walk = Collection.objects.filter(tenant=tenant, kind=Collection.Kind.GRANTS)
    known = walk.values_list("first_complete_at", flat=True).first()
    found: Page = Page([]) if known is None else _consents(tenant, since, known, after)
    added = alive(tenant).filter(created_at__gte=since).count()
    gone = ServicePrincipal.objects.filter(tenant=tenant, deleted_at__gte=since).order_by("-deleted_at", "id")
    taken = _withdrawn(tenant, since)
    shown = _with_people(tenant, taken[:MOST])
    return Changes(since, known, added, found, list(gone[:MOST]), gone.count(), shown, taken.count())


def _consents(tenant: Tenant, since: datetime, known: datetime, after: str) -> Page[PermissionGrant]:
    """Those that Microsoft's log tells of, and of the others those that were not there at the first whole reading."""
    grants = PermissionGrant.objects.filter(tenant=tenant).select_related("client", "principal")
    told = grants.filter(consented_at__gte=since).annotate(moment=F("consented_at"))
    seen = grants.filter(consented_at__isnull=True, first_seen_at__gte=since, first_seen_at__gt=known)
    seen = seen.annotate(moment=F("first_seen_at"))
    order = ("-moment", "-id")
    return merged([page(told, order, after), page(seen, order, after)], order)


def _withdrawn(tenant: Tenant, since: datetime) -> QuerySet[WithdrawnGrant]:
    """Of apps and people who are still there: else they went with those, and it is told of them.

    What Microsoft named again within the lag of its lists was there all the time.
    """
    app = alive(tenant).filter(pk=OuterRef("client_id"))
    person = Person.objects.filter(tenant=tenant, pk=OuterRef("principal_id"))
    back = PermissionGrant.objects.filter(
        tenant=tenant, graph_id=OuterRef("graph_id"), first_seen_at__lte=OuterRef("gone_at") + LISTS_LAG
    )
    rows = WithdrawnGrant.objects.filter(Exists(app), ~Exists(back), tenant=tenant, gone_at__gte=since)
    return rows.filter(Q(principal_id=None) | Exists(person)).order_by("-gone_at", "-id")


def _with_people(tenant: Tenant, rows: QuerySet[WithdrawnGrant]) -> list[tuple[WithdrawnGrant, Person | None]]:
    ids = [one.principal_id for one in rows if one.principal_id]
    people = Person.objects.filter(tenant=tenant).in_bulk(ids)
    return [(one, people.get(one.principal_id)) for one in rows]
