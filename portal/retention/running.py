"""Going over the rules in slices, and writing down what went."""

import time
from collections import Counter
from uuid import UUID

from accounts.access import Actor
from accounts.ids import OPERATOR
from accounts.models import Tenant
from accounts.tenancy import no_context, tenant_context
from audit import services as audit
from audit.models import AuditEvent
from portal.retention.rules import OF_TENANTS, SHARED, Rule

SLICE = 2000  # rows of one rule at a time; a request goes whole, however many steps it has


def prune_tenant(tenant: Tenant, actor: Actor, *, seconds: float = float("inf")) -> tuple[Counter[str], bool]:
    """Delete what this tenant's rows were kept long enough for; at most for so long.

    Returns:
        How many rows of what went, and whether more is due. What went is on the tenant's record.
    """
    with tenant_context(tenant.pk):
        gone, more = _apply(OF_TENANTS, tenant, seconds)
        if gone:
            audit.record_on_tenant(AuditEvent.TENANT_PRUNED, tenant.pk, tenant.name, actor=actor, after=dict(gone))
    return gone, more


def prune_shared(actor: Actor, *, seconds: float = float("inf")) -> tuple[Counter[str], bool]:
    """The same for what belongs to no tenant. What went of it is on the operator's record, but for sessions."""
    with no_context(), tenant_context(OPERATOR):
        gone, more = _apply(SHARED, None, seconds)
        told = {name: count for name, count in gone.items() if name not in ("sessions", "buckets")}
        if told:
            audit.record(AuditEvent.TENANT_PRUNED, tenant_id=OPERATOR, actor=actor, after=told)
    return gone, more


def _apply(rules: list[Rule], tenant: Tenant | None, seconds: float) -> tuple[Counter[str], bool]:
    until, gone = time.monotonic() + seconds, Counter()
    for rule in rules:
        while rule.is_on and (count := rule.delete(tenant, rule.before(), SLICE)):
            gone[rule.name] += count
            if time.monotonic() > until:
                return gone, True
            if count < SLICE:
                break
    return gone, False


def tenant_ids() -> list[UUID]:
    """Every tenant, suspended ones too."""
    return list(Tenant.objects.order_by("created_at").values_list("pk", flat=True))
