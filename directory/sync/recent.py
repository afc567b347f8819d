"""What we changed and proved a moment ago outlives a read that lags behind it.

Graph answers an app from any of several replicas; one that has not heard of our change yet would bring the old state
back. For a few minutes our own proof counts for more than a list. Kept short: within it, a change somebody else makes
to the same object stays unseen.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Tenant
from directory.models import AppRoleAssignment, PermissionGrant, RecentChange, ServicePrincipal

PROTECTED_FOR = timedelta(minutes=3)
Kind = RecentChange.Kind


def remember(tenant: Tenant, kind: Kind, target_ids: Iterable, state: dict | None = None) -> None:
    """Protect these objects' present state; without `state`, that they are gone."""
    until = timezone.now() + PROTECTED_FOR
    changes = {
        str(target_id): RecentChange(
            tenant=tenant, kind=kind, target_id=str(target_id), state=state or {}, expires_at=until
        )
        for target_id in target_ids
    }
    RecentChange.objects.bulk_create(
        [changes[key] for key in sorted(changes)],
        update_conflicts=True,
        unique_fields=["tenant", "kind", "target_id"],
        update_fields=["state", "expires_at"],
    )


def states(tenant: Tenant, kind: Kind) -> dict[str, dict]:
    """The protected states of a kind, by target id. Few: what was changed within the last minutes."""
    changes = RecentChange.objects.filter(tenant=tenant, kind=kind, expires_at__gt=timezone.now())
    return dict(changes.values_list("target_id", "state"))


def forget_old(tenant: Tenant) -> None:
    RecentChange.objects.filter(tenant=tenant, expires_at__lte=timezone.now()).delete()


def corrected_grants(tenant: Tenant, grants: Iterable[PermissionGrant]) -> list[PermissionGrant]:
    """The grants a list gave, without those we deleted, and with the permissions we left others."""
    known, kept = states(tenant, Kind.GRANT), []
    for grant in grants:
        state = known.get(grant.graph_id)
        if state == {}:
            continue
        if state:
            grant.scopes = state["scopes"]
        kept.append(grant)
    return kept


def corrected_assignments(tenant: Tenant, rows: Iterable[AppRoleAssignment]) -> list[AppRoleAssignment]:
    known = states(tenant, Kind.ASSIGNMENT)
    return [row for row in rows if known.get(row.graph_id) != {}]


def corrected_apps(tenant: Tenant, apps: Iterable[ServicePrincipal]) -> list[ServicePrincipal]:
    """The apps a list gave, without those we purged, enabled and deleted as we left them."""
    known, kept = states(tenant, Kind.APP), []
    for app in apps:
        state = known.get(str(app.id))
        if state == {}:
            continue
        if state:
            if "account_enabled" in state:
                app.account_enabled = state["account_enabled"]
            if "deleted_at" in state:
                deleted_at = state["deleted_at"]
                app.deleted_at = datetime.fromisoformat(deleted_at) if deleted_at else None
        kept.append(app)
    return kept
