"""Pausing, resuming and cancelling what is under way."""

from django.db import transaction
from django.utils import timezone

from accounts.access import Actor
from accounts.tenancy import in_tenant
from audit import services as audit
from audit.models import AuditEvent
from graph.sentences import gettext as _, made
from revocation.models import RevocationRequest, RevocationStep
from revocation.nudges import nudge
from revocation.rules import stopping
from revocation.rules.refusals import NotPossible
from revocation.spine.finishing import finish_if_done

State = RevocationRequest.State
StepState = RevocationStep.State


def pause(request: RevocationRequest, actor: Actor) -> RevocationRequest:
    """Begin nothing more of it; what Microsoft was asked already is still proved.

    Raises:
        NotPossible: it is not under way, or not this actor's to stop.
    """
    return _steer(request, actor, {State.RUNNING}, State.PAUSED, AuditEvent.REVOCATION_PAUSED)


def resume(request: RevocationRequest, actor: Actor) -> RevocationRequest:
    """Go on where it was paused.

    Raises:
        NotPossible: it is not paused.
    """
    resumed = _steer(request, actor, {State.PAUSED}, State.RUNNING, AuditEvent.REVOCATION_RESUMED)
    nudge(request.tenant_id)
    return resumed


def cancel(request: RevocationRequest, actor: Actor) -> RevocationRequest:
    """Do not do the rest. What is done stays done, and what Microsoft was asked already is still proved.

    Raises:
        NotPossible: it is over, or not this actor's to stop.
    """
    return _steer(request, actor, set(RevocationRequest.OPEN), State.CANCELLED, AuditEvent.REVOCATION_CANCELLED)


def _steer(
    request: RevocationRequest, actor: Actor, possible: set[str], state: str, event: AuditEvent
) -> RevocationRequest:
    with in_tenant(request.tenant_id):
        with transaction.atomic():
            found = RevocationRequest.objects.select_for_update(of=("self",)).get(
                pk=request.pk, tenant_id=request.tenant_id
            )
            if found.state == state:
                return found  # a second click
            if state != State.RUNNING and (why := stopping.objection(found, actor)):
                raise NotPossible(why)
            if found.state not in possible:
                raise NotPossible(
                    _("This revocation is %(state)s, so that is not possible.")
                    % {"state": found.get_state_display().lower()}
                )
            found.state = state
            after = {}
            if state == State.CANCELLED:
                found.finished_at = timezone.now()
                after = {"cancelled": _cancel_waiting(found)}
            found.save(update_fields=["state", "finished_at"])
            audit.record(
                event,
                tenant_id=found.tenant_id,
                actor=actor,
                action=found.kind,
                target_type="request",
                target_id=str(found.pk),
                target_label=found.title,
                ticket=found.ticket,
                request_id=found.pk,
                after=after,
            )
        if state == State.RUNNING:
            finish_if_done(found.tenant_id, [found.pk])
        return found


def _cancel_waiting(request: RevocationRequest) -> int:
    waiting = request.steps.filter(state=StepState.WAITING)
    why = _("Cancelled before it was asked.")
    return waiting.update(
        state=StepState.CANCELLED,
        finished_at=timezone.now(),
        not_before=None,
        outcome=why,
        outcome_made=made(why),
    )
