"""What a tenant's admin decides about the gate: how it behaves, and what B2C proves itself with. All on the record."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import locks
from accounts.access import Actor
from accounts.models import Tenant
from audit.models import AuditEvent
from audit.services import record
from b2c import selectors
from b2c.gate import credentials
from b2c.models import GateCredential

FIELDS = (
    "is_b2c",
    "fails",
    "tolerance",
    "authentication",
    "id_prefix",
    "apps_by_policy",
    "messages",
    "country_attribute",
    "extension_app_id",
    "extension_host",
)


class TwoAlready(Exception):
    """Two credentials are valid: one has to end before a third can be made."""


def change(tenant: Tenant, values: Mapping[str, Any], *, actor: Actor) -> list[str]:
    """Save what differs and return its names. Nothing differs: nothing is saved or recorded."""
    with transaction.atomic():
        locks.wait(f"gate:{tenant.pk}")
        row = selectors.setting(tenant)
        changed = [name for name in FIELDS if name in values and getattr(row, name) != values[name]]
        if not changed:
            return []
        before = {name: _plain(getattr(row, name)) for name in changed}
        for name in changed:
            setattr(row, name, values[name])
        row.save()
        after = {name: _plain(values[name]) for name in changed}
        _record(AuditEvent.TENANT_CHANGED, tenant, actor, before=before, after=after)
    return changed


def make_credential(tenant: Tenant, *, actor: Actor) -> tuple[GateCredential, str]:
    """A new credential and its secret, which nobody can be shown again. The one before it stays valid beside it.

    Raises:
        TwoAlready: nothing was made.
    """
    with transaction.atomic():
        locks.wait(f"gate:{tenant.pk}")
        if selectors.credentials(tenant).count() >= GateCredential.VALID_AT_A_TIME:
            raise TwoAlready
        secret = credentials.fresh()
        digest = credentials.digest(secret, tenant.pk)
        made = GateCredential.objects.create(tenant=tenant, digest=digest, created_by=actor.label[:256])
        _record(AuditEvent.GATE_CREDENTIAL_CREATED, tenant, actor, target_id=str(made.pk), target_label=str(made))
    return made, secret


def end_credential(tenant: Tenant, credential_id: UUID, *, actor: Actor) -> GateCredential | None:
    """Let a credential open nothing any more, within seconds. None where there is none such, or it was ended before."""
    with transaction.atomic():
        found = selectors.credentials(tenant).select_for_update(of=("self",)).filter(pk=credential_id).first()
        if found is None:
            return None
        found.ended_at, found.ended_by = timezone.now(), actor.label[:256]
        found.save(update_fields=["ended_at", "ended_by"])
        _record(AuditEvent.GATE_CREDENTIAL_ENDED, tenant, actor, target_id=str(found.pk), target_label=str(found))
    return found


def _record(event: AuditEvent, tenant: Tenant, actor: Actor, **about) -> None:
    about = {"target_id": str(tenant.pk), "target_label": tenant.name, **about}
    record(event, tenant_id=tenant.pk, actor=actor, target_type="gate", outcome="saved", **about)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value
