"""`accounts` announces sign-ins and ended sessions by signals, without knowing the record; this writes them down."""

from typing import Any
from uuid import UUID

from django.dispatch import Signal

from accounts import signals
from accounts.access import Actor
from accounts.tenancy import tenant_context
from audit import services
from audit.models import AuditEvent

EVENTS: dict[Signal, AuditEvent] = {
    signals.signed_in: AuditEvent.SIGNED_IN,
    signals.sign_in_refused: AuditEvent.SIGN_IN_REFUSED,
    signals.session_ended: AuditEvent.SIGNED_OUT,
    signals.stepped_up: AuditEvent.STEPPED_UP,
    signals.membership_granted: AuditEvent.MEMBERSHIP_GRANTED,
    signals.membership_revoked: AuditEvent.MEMBERSHIP_REVOKED,
    signals.tenant_changed: AuditEvent.TENANT_CHANGED,
}


def connect() -> None:
    """Listen to every signal of `accounts`."""
    for signal, event in EVENTS.items():
        signal.connect(_receiver(event), weak=False, dispatch_uid=f"consentry.audit.{event}")


def _receiver(event: AuditEvent):
    def receive(
        sender: Any = None,
        *,
        tenant_id: UUID | None,
        actor_id: Any = "",
        actor_label: str = "",
        reason: str = "",
        **details: Any,
    ) -> None:
        if tenant_id is None:
            return  # A stranger from a tenant we do not know has no chain to be written into.
        person = str(details.get("target_id") or actor_id or "")
        label = str(details.get("target_label") or actor_label or "")
        with tenant_context(tenant_id):
            services.record(
                event,
                tenant_id=tenant_id,
                actor=Actor(str(actor_id or ""), str(actor_label or "")),
                target_type=str(details.get("target_type") or ("user" if person else "")),
                target_id=person,
                target_label=label,
                outcome="refused" if event == AuditEvent.SIGN_IN_REFUSED else "",
                reason=str(reason or ""),
            )

    return receive
