"""Comes round every few seconds and does what no message asked for: enough by itself when the broker loses everything.

Two sweepers at once are harmless: every step is claimed, every request locked before it is closed.
"""

import logging
import time
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Membership, Tenant
from accounts.tenancy import tenant_context
from audit import keys
from audit.keys import OVERLAP
from revocation import nudges
from revocation.models import Heartbeat, ListUpload, RevocationRequest, RevocationStep
from revocation.nudges import nudge
from revocation.rules import approval, two_persons
from revocation.spine import claims, executor, turns
from revocation.spine.finishing import OPEN, finish_if_done

logger = logging.getLogger(__name__)

BEAT = "sweep"
TURN = 2.0  # seconds for one tenant before the next has its turn

_began = time.monotonic()
_renewed: set[UUID] = set()  # tenants whose seals this process has looked at


def sweep(seconds: float | None = None) -> int:
    """Look after every active tenant: lapsed leases, due calls and proofs, expired approvals, finished requests.

    Args:
        seconds: how long to work at most; the default leaves the rest of REVOCATION_SWEEP_SECONDS to others.

    Returns:
        how many answers were written down.
    """
    Heartbeat.objects.update_or_create(name=BEAT, defaults={"at": timezone.now(), "database_at": Now()})
    budgeted = settings.REVOCATION_SWEEP_SECONDS * 0.6 if seconds is None else seconds
    end = time.monotonic() + budgeted
    busy = [tenant_id for tenant_id in _tenants() if _look_after(tenant_id)]
    done, soon = 0, set()
    while busy and (left := end - time.monotonic()) > 0:
        tenant_id = busy.pop(0)
        try:
            with tenant_context(tenant_id), turns.place(tenant_id) as mine:
                result = executor.turn(tenant_id, seconds=min(TURN, left), linger=0.0) if mine else None
        except Exception:
            logger.exception("The sweep of a tenant failed; the others go on.")
            continue
        if result:
            done += result.done
            if result.is_due_within(0):
                busy.append(tenant_id)
            elif result.is_due_within(executor.QUOTA_LINGER):
                soon.add(tenant_id)
    for tenant_id in {*busy, *soon}:
        nudge(tenant_id)  # whoever came for the first nudge found the place taken
    return done


def _tenants() -> list[UUID]:
    return list(Tenant.objects.filter(state=Tenant.State.ACTIVE).order_by("pk").values_list("pk", flat=True))


def _look_after(tenant_id: UUID) -> bool:
    """Housekeeping of one tenant. True where steps are due; workers are told as well."""
    try:
        with tenant_context(tenant_id):
            approval.expire_due(tenant_id)
            _cancel_left_over(tenant_id)
            finish_if_done(tenant_id, _maybe_done(tenant_id))
            due = claims.pending(tenant_id)
            _warn_of_foreign_seals(tenant_id)
            _renew_seals(tenant_id)
            for upload in ListUpload.objects.lost().filter(tenant_id=tenant_id).values_list("pk", flat=True)[:5]:
                nudges.read(tenant_id, upload)
        if due:
            nudge(tenant_id)
        return due
    except Exception:
        logger.exception("The sweep of a tenant failed; the others go on.")
        return False


def _cancel_left_over(tenant_id: UUID) -> None:
    """Steps that came back to waiting in the very moment their request was cancelled."""
    closed = [RevocationRequest.State.CANCELLED, RevocationRequest.State.REJECTED, RevocationRequest.State.EXPIRED]
    left = RevocationStep.objects.filter(
        tenant_id=tenant_id, state=RevocationStep.State.WAITING, request__state__in=closed
    )
    left.update(state=RevocationStep.State.CANCELLED, finished_at=timezone.now(), not_before=None)


def _renew_seals(tenant_id: UUID) -> None:
    """Seal under the newest key what an older one sealed, so that the older one can be retired.

    Once for each process and tenant, and an hour after it began: by then no other process is without the key.
    """
    if tenant_id in _renewed or time.monotonic() - _began < OVERLAP.total_seconds():
        return
    _renewed.add(tenant_id)
    tenant = Tenant.objects.get(pk=tenant_id)
    if not tenant.rule_seal.startswith(keys.newest()) and two_persons.is_sealed(tenant):
        Tenant.objects.filter(pk=tenant_id, rule_seal=tenant.rule_seal).update(rule_seal=two_persons.seal(tenant))
    granted = Membership.objects.filter(tenant=tenant, source=Membership.Source.GRANTED)
    for member in granted.exclude(seal__startswith=keys.newest()):
        if member.holds(None):
            granted.filter(pk=member.pk, seal=member.seal).update(seal=member.sealed())


def _warn_of_foreign_seals(tenant_id: UUID) -> None:
    for request in claims.sealed_elsewhere(tenant_id):
        logger.warning("Request %s waits: this process does not have the key it is sealed under.", request.pk)


def _maybe_done(tenant_id: UUID) -> list[UUID]:
    running = [RevocationRequest.State.RUNNING, RevocationRequest.State.PAUSED]
    open_steps = RevocationStep.objects.filter(request=OuterRef("pk"), state__in=OPEN)
    found = RevocationRequest.objects.filter(tenant_id=tenant_id, state__in=running)
    return list(found.exclude(Exists(open_steps)).values_list("pk", flat=True)[:200])
