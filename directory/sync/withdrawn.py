"""Grants that go without our doing: what was taken back at Microsoft is noted as its row leaves the copy.

What goes with its app or its person is none of them: that is told by the app, or the person, who went.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Tenant
from directory.models import PermissionGrant, WithdrawnGrant
from directory.sync.rows import in_parts

AT_ONCE = 1000
OURS_WITHIN = timedelta(hours=1)  # that Microsoft tells of what we did before we have proved it


def take_out(tenant: Tenant, grants: QuerySet[PermissionGrant]) -> int:
    """Delete rows of grants that Microsoft names no more. Returns how many. Call inside `rows.writing`."""
    now = timezone.now()
    there = grants.filter(client__display_name__isnull=False, client__deleted_at__isnull=True)
    columns = there.values_list("graph_id", "client_id", "client__display_name", "principal_id", "scopes")
    names = ("graph_id", "client_id", "app_name", "principal_id", "scopes")
    for part in in_parts(columns.iterator(AT_ONCE), AT_ONCE):
        made = (WithdrawnGrant(tenant=tenant, gone_at=now, **dict(zip(names, row, strict=True))) for row in part)
        WithdrawnGrant.objects.bulk_create(made)
    return grants.delete()[1].get(PermissionGrant._meta.label, 0)


def were_ours(tenant: Tenant, graph_ids: Iterable[str]) -> None:
    """We took these back ourselves, and Microsoft told of it first."""
    lately = WithdrawnGrant.objects.filter(tenant=tenant, gone_at__gt=timezone.now() - OURS_WITHIN)
    lately.filter(graph_id__in=list(graph_ids)).delete()
