"""What agents inherit beside what they were granted, for what is computed from it: risk, and who holds what."""

from collections.abc import Iterable
from uuid import UUID

from accounts.models import Tenant
from directory.models import InheritedGrant

Kind = InheritedGrant.Kind


def with_scopes(tenant: Tenant, ids: list[UUID] | None, pairs: Iterable[tuple]) -> list[tuple]:
    """(app, resource, scope, people, for everyone): an agent holds for everyone what it inherits."""
    found = {pair[:3]: pair for pair in pairs}
    for agent, resource, scopes, _roles in _rows(tenant, ids, Kind.DELEGATED):
        for scope in scopes:
            key = (agent, resource, scope)
            people = found[key][3] if key in found else 0
            found[key] = (*key, people, True)
    return list(found.values())


def with_roles(tenant: Tenant, ids: list[UUID] | None, roles: Iterable[tuple]) -> list[tuple]:
    """(app, resource, app role)."""
    found = dict.fromkeys(roles)
    for agent, resource, _values, app_roles in _rows(tenant, ids, Kind.APPLICATION):
        found |= dict.fromkeys((agent, resource, role) for role in app_roles)
    return list(found)


def _rows(tenant: Tenant, ids: list[UUID] | None, kind: str) -> list[tuple]:
    rows = InheritedGrant.objects.filter(tenant=tenant, kind=kind)
    if ids is not None:
        rows = rows.filter(agent_id__in=ids)
    columns = ("agent_id", "resource_id", "scopes", "app_role_ids")
    return list(rows.order_by("agent_id", "resource_id").values_list(*columns))
