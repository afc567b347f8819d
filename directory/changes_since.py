"""What came into a tenant since a moment: consents, newest first, and apps. Read through `directory.selectors`."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.db.models.functions import Coalesce

from accounts.models import Tenant
from directory.app_filters import alive
from directory.models import NEVER, Collection, PermissionGrant
from directory.paging import Page, page


@dataclass(frozen=True)
class Changes:
    """What came since then.

    Attributes:
        since: from when it is told: later than was asked for where the copy is younger.
        known_since: None while the grants were never read in full: then nothing is known to be new.
        apps: how many apps were added to the tenant since then.
        consents: grants given since then, newest first, each with its app and its person. When one was given is what
            Microsoft's log says, and where that says nothing when it was first seen.
    """

    since: datetime
    known_since: datetime | None
    apps: int
    consents: Page[PermissionGrant]


def changes_since(tenant: Tenant, since: datetime, after: str = "") -> Changes:
    """In three queries, whatever the number of rows."""
    walk = Collection.objects.filter(tenant=tenant, kind=Collection.Kind.GRANTS)
    known = walk.values_list("first_complete_at", flat=True).first()
    grants = PermissionGrant.objects.filter(tenant=tenant).select_related("client", "principal")
    if known is None:
        found: Page = Page([])
    else:
        # What the first whole reading found is older than anybody knows, but for what the log tells.
        told = Q(consented_at__isnull=False) | Q(first_seen_at__gt=known)
        moments = grants.annotate(moment=Coalesce("consented_at", "first_seen_at"))
        found = page(moments.filter(told, moment__gte=since), ("-moment", "-id"), after)
    added = alive(tenant).annotate(added_key=Coalesce("created_at", NEVER)).filter(added_key__gte=since)  # as indexed
    return Changes(since, known, added.count(), found)
