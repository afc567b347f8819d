"""After a backup was restored: nothing goes on by itself, and nothing that was done meanwhile is done again.

The database is then older than its own record: steps it calls waiting may have been carried out after the backup was
made. A signed head outside knows that, and the executor stands still (`spine.executor`) until somebody says here that
the restore was meant.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.ids import OPERATOR
from accounts.models import Tenant
from accounts.tenancy import in_tenant
from audit import heads, services as audit
from audit.models import AuditEntry, AuditEvent
from revocation.models import RevocationRequest, RevocationStep

State = RevocationRequest.State
StepState = RevocationStep.State


@dataclass(frozen=True)
class Restored:
    """What a restore left of a tenant.

    Attributes:
        common: the number of the newest entry that a signed head and the database both know.
        lost: the number of the newest entry that only the head knows.
        requests: how many are open, and were paused where they were under way.
        steps: how many are read back before they are asked for again.
    """

    common: int
    lost: int
    requests: int
    steps: int


def after_restore(tenant: Tenant, actor: Actor) -> Restored | None:
    """Take the restored database for the tenant's record from now on; None where it is not older than its record.

    What is under way is paused, and every step that was not asked for yet is looked for in the directory before it is.
    The record goes on as a fork that a signed line outside names, so that verification holds again and says why.

    Raises:
        OSError: the signed line could not be written. Nothing is carried out until it is: call this again.
    """
    with in_tenant(tenant.pk):
        lost = heads.ahead(tenant.pk)
        if lost is None:
            return None
        common = heads.in_common(tenant.pk)
        with transaction.atomic():
            requests = list(RevocationRequest.objects.open().filter(tenant=tenant).select_for_update())
            steps = sum(_read_back_first(request, _time_of(tenant, common)) for request in requests)
            for request in requests:
                if request.state == State.RUNNING:
                    _pause(request, actor)
            audit.record_on_tenant(
                AuditEvent.TENANT_RESTORED,
                tenant.pk,
                tenant.name,
                actor=actor,
                after={"common": common, "lost": lost.sequence, "requests": len(requests), "steps": steps},
            )
        heads.fork(tenant.pk)
        return Restored(common, lost.sequence, len(requests), steps)


def after_restore_of_operator(actor: Actor) -> bool:
    """The same for the record of the operator's sign-ins, which has no requests. False where it is not older.

    Raises:
        OSError: the signed line could not be written.
    """
    with in_tenant(OPERATOR):
        lost = heads.ahead(OPERATOR)
        if lost is None:
            return False
        after = {"common": heads.in_common(OPERATOR), "lost": lost.sequence}
        audit.record_on_tenant(AuditEvent.TENANT_RESTORED, OPERATOR, actor=actor, after=after)
        heads.fork(OPERATOR)
        return True


def _time_of(tenant: Tenant, sequence: int) -> datetime | None:
    """When this entry was written: what the database does not know of was done after it."""
    found = AuditEntry.objects.filter(tenant_id=tenant.pk, sequence=sequence)
    return found.values_list("at", flat=True).first()


def _read_back_first(request: RevocationRequest, since: datetime | None) -> int:
    """Make of every step that nobody asked for yet one whose answer was lost."""
    called = max(since or request.created_at, request.created_at)
    pending: QuerySet[RevocationStep] = request.steps.pending()
    asked = pending.filter(state=StepState.CLAIMED, called_at__isnull=False)
    return asked.update(lease_until=timezone.now()) + pending.exclude(pk__in=asked.values("pk")).update(
        state=StepState.CLAIMED, called_at=called, lease_until=timezone.now(), not_before=None, proofs=0
    )


def _pause(request: RevocationRequest, actor: Actor) -> None:
    request.state = State.PAUSED
    request.save(update_fields=["state"])
    audit.record(
        AuditEvent.REVOCATION_PAUSED,
        tenant_id=request.tenant_id,
        actor=actor,
        action=request.kind,
        target_type="request",
        target_id=str(request.pk),
        target_label=request.title,
        reason=_("The database of the portal was restored from a backup."),
        ticket=request.ticket,
        request_id=request.pk,
    )
