"""What agents inherit from a blueprint that was changed here."""

from collections.abc import Iterable
from uuid import UUID

from accounts.models import Tenant
from directory.models import InheritedGrant

Kind = InheritedGrant.Kind


def forget(
    tenant: Tenant, blueprint_id: UUID, resource_id: UUID, *, scopes: Iterable[str] = (), role_id: UUID | None = None
) -> set[UUID]:
    """What a blueprint's principal lost its agents inherit no longer. Returns the agents; none of any other app."""
    lost, touched = set(scopes), set()
    rows = InheritedGrant.objects.filter(tenant=tenant, blueprint_id=blueprint_id, resource_id=resource_id)
    for row in rows.filter(kind=Kind.APPLICATION if role_id else Kind.DELEGATED):
        if role_id:
            kept = [pair for pair in zip(row.scopes, row.app_role_ids, strict=True) if pair[1] != role_id]
            row.app_role_ids = [one for _name, one in kept]
            left = [name for name, _one in kept]
        else:
            left = [scope for scope in row.scopes if scope not in lost]
        if left != row.scopes:
            row.scopes = left
            touched.add(row.agent_id)
            row.save(update_fields=["scopes", "app_role_ids"]) if left else row.delete()
    return touched
