"""What the spine writes into the copy once a change is proved, so that pages agree with the directory at once.

Each function takes what it is told as proved: it asks Graph nothing. Unknown ids are no error, since the copy may
not have seen the object yet. All of them may be called inside the caller's transaction and tenant context.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Tenant
from directory.models import AppRoleAssignment, PermissionGrant, RecentChange, ServicePrincipal
from directory.sync import inheriting, progress as going, withdrawn
from directory.sync.derive import derive
from directory.sync.recent import Changed, first_seen, remember, remember_first_seen
from directory.sync.rows import save_assignments, save_grants, writing


def forget_grants(tenant: Tenant, graph_ids: Iterable[str]) -> None:
    """These grants are gone."""
    graph_ids = list(graph_ids)
    grants = PermissionGrant.objects.filter(tenant=tenant, graph_id__in=graph_ids)
    with writing(tenant):
        apps = set(grants.values_list("client_id", flat=True))
        apps |= _inherited_no_longer(tenant, grants)
        remember_first_seen(tenant, grants)
        grants.delete()
        withdrawn.were_ours(tenant, graph_ids)
        remember(tenant, Changed.GRANT, graph_ids)
        derive(tenant, apps)


def put_grant(
    tenant: Tenant,
    graph_id: str,
    *,
    client_id: UUID | str,
    resource_id: UUID | str,
    principal_id: UUID | str | None,
    scopes: Iterable[str],
) -> None:
    """This grant exists, with exactly these scopes: after narrowing one, or putting one back.

    One put back was there before: it keeps the time since when it is known, and counts as no new grant.
    """
    now, scopes = timezone.now(), list(scopes)
    types = PermissionGrant.ConsentType
    row = PermissionGrant(
        tenant=tenant,
        graph_id=graph_id,
        client_id=UUID(str(client_id)),
        resource_id=UUID(str(resource_id)),
        principal_id=UUID(str(principal_id)) if principal_id else None,
        consent_type=types.ONE if principal_id else types.ALL,
        scopes=scopes,
        first_seen_at=first_seen(tenant, graph_id) or now,
        synced_at=now,
    )
    with writing(tenant):
        before = PermissionGrant.objects.filter(tenant=tenant, graph_id=graph_id)
        known = {scope for one in before for scope in one.scopes}
        agents = _inherited_no_longer(tenant, before, but=scopes)
        if not principal_id and set(scopes) - known:
            _inherited_anew(tenant, row.client_id)
        save_grants([row])
        remember(tenant, Changed.GRANT, [graph_id], {"scopes": scopes})
        derive(tenant, {row.client_id} | agents)


def forget_assignment(tenant: Tenant, graph_id: str) -> None:
    """This assignment, or application permission, is gone."""
    found = AppRoleAssignment.objects.filter(tenant=tenant, graph_id=graph_id)
    with writing(tenant):
        apps = {pk for pair in found.values_list("resource_id", "principal_id") for pk in pair}
        for one in found:
            apps |= inheriting.forget(tenant, one.principal_id, one.resource_id, role_id=one.app_role_id)
        found.delete()
        remember(tenant, Changed.ASSIGNMENT, [graph_id])
        derive(tenant, apps)


def put_assignment(
    tenant: Tenant,
    graph_id: str,
    *,
    resource_id: UUID | str,
    principal_id: UUID | str,
    principal_type: str,
    app_role_id: UUID | str,
    principal_name: str = "",
    created_at: datetime | None = None,
) -> None:
    """This assignment exists: after putting one back."""
    row = AppRoleAssignment(
        tenant=tenant,
        graph_id=graph_id,
        resource_id=UUID(str(resource_id)),
        principal_id=UUID(str(principal_id)),
        principal_type=principal_type,
        principal_name=principal_name,
        app_role_id=UUID(str(app_role_id)),
        created_at=created_at,
        synced_at=timezone.now(),
    )
    with writing(tenant):
        _inherited_anew(tenant, row.principal_id)
        save_assignments([row])
        remember(tenant, Changed.ASSIGNMENT, [graph_id], {"exists": True})
        derive(tenant, {row.resource_id, row.principal_id})


def mark_enabled(tenant: Tenant, app_id: UUID | str) -> None:
    """People can sign in to this app."""
    _mark(tenant, app_id, {"account_enabled": True}, account_enabled=True)


def mark_disabled(tenant: Tenant, app_id: UUID | str) -> None:
    """Nobody can sign in to this app, and it gets no new tokens."""
    _mark(tenant, app_id, {"account_enabled": False}, account_enabled=False)


def mark_deleted(tenant: Tenant, app_id: UUID | str, deleted_at: datetime | None = None) -> None:
    """The app is in the recycle bin. Its grants and assignments are hidden with it, and leave the copy."""
    deleted_at = deleted_at or timezone.now()
    with writing(tenant):
        _mark(tenant, app_id, {"deleted_at": deleted_at.isoformat()}, deleted_at=deleted_at)
        _forget_ties(tenant, app_id)


def mark_restored(tenant: Tenant, app_id: UUID | str) -> None:
    """The app is back from the recycle bin. What it may do comes back with `refresh_app`."""
    _mark(tenant, app_id, {"deleted_at": None}, deleted_at=None)


def forget_app(tenant: Tenant, app_id: UUID | str) -> None:
    """The app is gone for good."""
    with writing(tenant):
        _forget_ties(tenant, app_id)
        ServicePrincipal.objects.filter(tenant=tenant, pk=app_id).delete()
        remember(tenant, Changed.APP, [app_id])


def mark_all_sessions_revoked(tenant: Tenant, valid_from: Mapping[str, datetime]) -> None:
    """Tokens of these people (by object id) from before `valid_from` are worth nothing. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE directory_person p SET sessions_valid_from = v.at FROM unnest(%s::uuid[], %s::timestamptz[])"
            " AS v(id, at) WHERE p.id = v.id AND p.tenant_id = %s",
            [list(valid_from), list(valid_from.values()), tenant.pk],
        )


def _mark(tenant: Tenant, app_id: UUID | str, state: dict, **columns) -> None:
    with writing(tenant):
        ServicePrincipal.objects.filter(tenant=tenant, pk=app_id).update(**columns)
        known = RecentChange.objects.filter(
            tenant=tenant, kind=Changed.APP, target_id=str(app_id), expires_at__gt=timezone.now()
        )
        earlier = known.values_list("state", flat=True).first() or {}
        remember(tenant, Changed.APP, [app_id], {**earlier, **state})


def _inherited_no_longer(tenant: Tenant, grants: QuerySet[PermissionGrant], but: Iterable[str] = ()) -> set[UUID]:
    """Agents whose blueprint held these grants for everybody, and keeps `but` alone. They hold less at once."""
    of_blueprints = grants.filter(
        consent_type=PermissionGrant.ConsentType.ALL, client__kind=ServicePrincipal.Kind.BLUEPRINT
    )
    agents: set[UUID] = set()
    for one in of_blueprints:
        agents |= inheriting.forget(tenant, one.client_id, one.resource_id, scopes=set(one.scopes) - set(but))
    return agents


def _inherited_anew(tenant: Tenant, app_id: UUID) -> None:
    """What a blueprint passes on of what it holds more is Microsoft's to say: its agents are asked soon."""
    if ServicePrincipal.objects.filter(tenant=tenant, pk=app_id, kind=ServicePrincipal.Kind.BLUEPRINT).exists():
        going.ask_for(tenant, [going.Part.AGENTS], "changed")


def _forget_ties(tenant: Tenant, app_id: UUID | str) -> None:
    grants = PermissionGrant.objects.filter(tenant=tenant)
    remember_first_seen(tenant, grants.filter(client_id=app_id) | grants.filter(resource_id=app_id), with_app=True)
    PermissionGrant.objects.filter(tenant=tenant, client_id=app_id).delete()
    PermissionGrant.objects.filter(tenant=tenant, resource_id=app_id).delete()
    AppRoleAssignment.objects.filter(tenant=tenant, resource_id=app_id).delete()
    AppRoleAssignment.objects.filter(tenant=tenant, principal_id=app_id).delete()
    derive(tenant, {UUID(str(app_id))})
