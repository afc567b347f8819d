"""A second person's yes: bound to the digest of the exact steps, given by somebody else, and checked where it counts.

Who asked and who agreed is sealed under a key outside the database (`steps.Sealer`), so that neither can be written
into a row. `objection` is asked by the executor before it begins and whenever it goes on; a yes that no longer holds
is voided, recorded, and has to be given again.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Membership, User
from accounts.roles import Capability, capabilities
from accounts.tenancy import user_context
from audit import services as audit
from audit.models import ENDS, AuditEntry, AuditEvent
from graph.sentences import gettext as _, made
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules import two_persons
from revocation.steps import Sealer, digest_of

State = RevocationRequest.State


def expire_due(tenant_id: UUID) -> int:
    """Close requests of this tenant that nobody approved in time. Returns how many."""
    due = RevocationRequest.objects.filter(
        tenant_id=tenant_id, state=State.AWAITING_APPROVAL, approval_expires_at__lt=timezone.now()
    )
    expired = 0
    for request_id in list(due.values_list("pk", flat=True)[:50]):
        with transaction.atomic():
            found = due.select_for_update(of=("self",), skip_locked=True).filter(pk=request_id).first()
            if found:
                close(found, State.EXPIRED)
                record(AuditEvent.REVOCATION_EXPIRED, found, Actor.system(tenant_id))
                expired += 1
    return expired


def objection(request: RevocationRequest, *, compare_steps: bool = True) -> str:
    """Why a request may not go on now: it was edited, or the approval it needs does not hold. Empty where it may.

    Args:
        compare_steps: also read all stored steps and compare them with the approved digest.
    """
    sealer = Sealer(request.tenant_id)
    if not sealer.request_holds(request):
        return _("The request was changed after it was asked for.")
    if not request.needs_approval:
        return ""
    if not request.approved_at or not request.approved_digest:
        return _("There is no approval.")
    if not sealer.approval_holds(request):
        return _("The approval was changed after it was given.")
    if request.approver_id == request.actor_id and not request.overridden:
        return _("The approver is the person who asked.")
    if not _may_still(request):
        return _("The approver may not approve any more.")
    if not request.overridden and (why := two_persons.no_second_person(request, request.approver_user_id)):
        return why
    if _ran_out(request):
        return _("The approval ran out before anything was begun.")
    if request.digest != request.approved_digest:
        return _("The steps are not the ones that were approved.")
    if not compare_steps:
        return ""
    digest, count = digest_of(request)
    if digest != request.approved_digest or count != request.step_count:
        return _("The steps are not the ones that were approved.")
    return ""


def ended(requests: Iterable[RevocationRequest]) -> dict[UUID, str]:
    """Which of these are over by the record, whatever their rows say: the state that the record gives them."""
    ids = [request.pk for request in requests]
    told = AuditEntry.objects.filter(request_id__in=ids, event__in=ENDS).order_by("sequence")
    return {pk: event.rpartition(".")[2] for pk, event in told.values_list("request_id", "event")}


def close_again(request: RevocationRequest, state: str) -> None:
    """The rows call a request alive that is over: nothing of it is begun, and that is written down."""
    why = _("The record says that this was over (%(state)s). Its rows were changed since.") % {
        "state": State(state).label.lower()
    }
    with transaction.atomic():
        found = locked(request)
        if found.state == state:
            return
        found.state, found.finished_at = state, timezone.now()
        found.save(update_fields=["state", "finished_at"])
        waiting = RevocationStep.objects.filter(request=found, state=RevocationStep.State.WAITING)
        waiting.update(
            state=RevocationStep.State.CANCELLED, finished_at=found.finished_at, outcome=why, outcome_made=made(why)
        )
        record(AuditEvent.REVOCATION_CANCELLED, found, Actor.system(found.tenant_id), why)


def void(request: RevocationRequest, why: str) -> None:
    """Take an approval back that does not hold: the request waits for a new one."""
    with transaction.atomic():
        found = locked(request)
        if found.state != State.RUNNING:
            return
        approver = _Approver(found.approver_id, found.approver_label) if found.approver_id else None
        found.state = State.AWAITING_APPROVAL
        found.approver_id = found.approver_label = found.approved_digest = found.approval_seal = ""
        found.approver_user_id = found.approved_at = None
        found.overridden = False
        found.approval_expires_at = expiry()
        found.save()
        record(AuditEvent.REVOCATION_APPROVAL_VOIDED, found, Actor.system(found.tenant_id), why, approver)


class _Approver:
    def __init__(self, pk: str, label: str) -> None:
        self.id, self.label = pk, label


def _may_still(request: RevocationRequest) -> bool:
    """Whether the approver's account and rights are what they were when the approval was given."""
    if not request.approver_user_id:
        return False
    needed = Capability.MANAGE_TENANT if request.overridden else Capability.APPROVE
    member = Membership.objects.filter(tenant_id=request.tenant_id, user_id=request.approver_user_id).first()
    if member is None or needed not in capabilities(member.roles):
        return False
    with user_context(request.approver_user_id):  # a provider's person belongs to another tenant
        approver = User.objects.select_related("tenant").filter(pk=request.approver_user_id).first()
    if not (approver and approver.is_active and approver.tenant and approver.tenant.is_active):
        return False
    return member.holds(approver.tenant_id)


def _ran_out(request: RevocationRequest) -> bool:
    """An approval has to be used in time; once something was begun it covers the rest."""
    if not request.approval_expires_at or request.approval_expires_at >= timezone.now():
        return False
    begun = RevocationStep.objects.filter(request_id=request.pk).exclude(state=RevocationStep.State.WAITING)
    return not begun.exists()


def expiry():
    return timezone.now() + timedelta(minutes=settings.REVOCATION_APPROVAL_MINUTES)


def locked(request: RevocationRequest) -> RevocationRequest:
    locked = RevocationRequest.objects.select_for_update(of=("self",))
    return locked.get(pk=request.pk, tenant_id=request.tenant_id)


def close(request: RevocationRequest, state: str) -> None:
    now = timezone.now()
    request.state, request.finished_at = state, now
    request.save(update_fields=["state", "finished_at"])
    waiting = RevocationStep.objects.filter(request=request, state=RevocationStep.State.WAITING)
    why = _("It was not approved.")
    waiting.update(state=RevocationStep.State.CANCELLED, finished_at=now, outcome=why, outcome_made=made(why))


def record(event: AuditEvent, request, actor, reason: str = "", approver=None) -> None:
    audit.record(
        event,
        tenant_id=request.tenant_id,
        actor=actor,
        approver=approver,
        action=request.kind,
        target_type="request",
        target_id=str(request.pk),
        target_label=request.title,
        reason=reason or request.reason,
        ticket=request.ticket,
        request_id=request.pk,
        after={"digest": request.digest, "steps": request.step_count, "asked_by": request.actor_label},
    )
