"""What the operator decides about a tenant: whether its people may work here at all."""

from django.db import transaction

from accounts import services as accounts
from accounts.access import Actor
from accounts.models import Tenant, User
from accounts.tenancy import tenant_context
from audit import services as audit
from audit.models import AuditEvent


class NotNow(Exception):
    """The tenant is in no state for it; nothing was changed. The message says in which it is."""


def suspend(tenant: Tenant, actor: Actor, reason: str = "") -> int:
    """Let nobody of this tenant in, end their portal sessions, and begin no step of it. Says how many sessions ended.

    Nothing is deleted; what is under way stops where it is and goes on after `resume`. The gate goes on answering.

    Raises:
        NotNow: it is not active.
    """
    _change(tenant, Tenant.State.ACTIVE, Tenant.State.SUSPENDED, actor, reason)
    with tenant_context(tenant.pk):
        people = list(User.objects.filter(tenant=tenant))
    return accounts.end_portal_sessions(people, reason="ended_by_operator", actor=actor)


def resume(tenant: Tenant, actor: Actor, reason: str = "") -> None:
    """Let its people in again, and go on with what was under way.

    Raises:
        NotNow: it is not suspended.
    """
    _change(tenant, Tenant.State.SUSPENDED, Tenant.State.ACTIVE, actor, reason)


@transaction.atomic
def _change(tenant: Tenant, before: str, after: str, actor: Actor, reason: str) -> None:
    row = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if row.state != before:
        raise NotNow(f"{row.name} is {row.get_state_display()}.")
    row.state = tenant.state = Tenant.State(after)
    row.save(update_fields=["state"])
    with tenant_context(row.pk):
        audit.record_on_tenant(
            AuditEvent.TENANT_CHANGED,
            row.pk,
            row.name,
            actor=actor,
            outcome="saved",
            reason=reason,
            before={"state": before},
            after={"state": after},
        )
