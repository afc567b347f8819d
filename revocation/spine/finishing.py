"""Closing a request once nothing of it is open any more, with its counts in the record."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from accounts.access import Actor
from audit import services as audit
from audit.models import AuditEvent
from revocation.models import RevocationRequest, RevocationStep

State = RevocationRequest.State
OPEN = [RevocationStep.State.WAITING, RevocationStep.State.CLAIMED, RevocationStep.State.ACCEPTED]


def finish_if_done(tenant_id: UUID, request_ids: Iterable[UUID]) -> int:
    """Close those of these requests in which every step has come to an end. Returns how many."""
    done = 0
    for request_id in _without_open_steps(tenant_id, request_ids):
        with transaction.atomic():
            request = RevocationRequest.objects.select_for_update(of=("self",)).get(pk=request_id, tenant_id=tenant_id)
            if request.state not in (State.RUNNING, State.PAUSED):
                continue
            counts = dict(
                RevocationStep.objects.filter(request=request).values_list("state").annotate(n=Count("id")).order_by()
            )
            if any(counts.get(state) for state in OPEN):
                continue
            request.state, request.finished_at = State.FINISHED, timezone.now()
            request.save(update_fields=["state", "finished_at"])
            audit.record(
                AuditEvent.REVOCATION_FINISHED,
                tenant_id=tenant_id,
                actor=Actor.system(tenant_id),
                action=request.kind,
                target_type="request",
                target_id=str(request.pk),
                target_label=request.title,
                outcome="verified" if set(counts) <= {"verified"} else "incomplete",
                ticket=request.ticket,
                request_id=request.pk,
                after={"counts": counts, "missing": request.step_count - sum(counts.values())},
            )
            done += 1
    return done


def _without_open_steps(tenant_id: UUID, request_ids: Iterable[UUID]) -> list[UUID]:
    open_steps = RevocationStep.objects.filter(request=OuterRef("pk"), state__in=OPEN)
    found = RevocationRequest.objects.filter(
        tenant_id=tenant_id, pk__in=list(request_ids), state__in=[State.RUNNING, State.PAUSED]
    )
    return list(found.exclude(Exists(open_steps)).values_list("pk", flat=True))
