"""A second person's word: yes, no, or an administrator's alone in an emergency. What it is worth: `rules.approval`."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.roles import Capability, capabilities
from accounts.tenancy import in_tenant
from audit.models import AuditEvent
from directory.models import Person
from revocation.models import RevocationRequest
from revocation.nudges import nudge
from revocation.rules import approval, protection, reach, stopping, two_persons
from revocation.rules.refusals import NotApproved
from revocation.steps import Sealer, digest_of

State = RevocationRequest.State


def approve(request: RevocationRequest, actor: Actor, digest: str) -> RevocationRequest:
    """Let a request begin that somebody else asked for. `digest` is that of the steps the approver was shown.

    Raises:
        NotApproved: it is one's own, was decided already, ran out, or is not what was shown. Nothing was changed.
        Unreachable: who holds which directory role could not be read just now.
    """
    return _decide(request, actor, digest, AuditEvent.REVOCATION_APPROVED)


def override(request: RevocationRequest, actor: Actor, digest: str, *, reason: str = "") -> RevocationRequest:
    """Let a request begin without a second person, in an emergency, where the tenant allows that.

    Raises:
        NotApproved: the tenant does not allow it, no reason was given, or the request is not what was shown.
    """
    if not two_persons.in_force(request.tenant).override:
        raise NotApproved(_("This tenant does not allow an emergency override."))
    if not reason.strip():
        raise NotApproved(_("Say why. The reason is kept in the audit record."))
    return _decide(request, actor, digest, AuditEvent.REVOCATION_OVERRIDDEN, reason=reason)


def reject(request: RevocationRequest, actor: Actor, digest: str = "", *, reason: str) -> RevocationRequest:
    """Refuse a request; nothing of it is done. Whoever asked reads the reason, and who gave it.

    Raises:
        NotApproved: no reason was given, it was decided already, or it ends the sessions of whoever says no.
    """
    if not reason.strip():
        raise NotApproved(_("Say why. Whoever asked for it reads the reason, with your name."))
    with in_tenant(request.tenant_id), transaction.atomic():
        found = approval.locked(request)
        if found.state != State.AWAITING_APPROVAL:
            raise NotApproved(_("This request is no longer waiting for an approval."))
        if why := stopping.objection(found, actor):
            raise NotApproved(why)
        approval.close(found, State.REJECTED)
        approval.record(AuditEvent.REVOCATION_REJECTED, found, actor, reason=reason)
        return found


def _decide(request, actor: Actor, digest: str, event: AuditEvent, reason: str = "") -> RevocationRequest:
    alone = event == AuditEvent.REVOCATION_OVERRIDDEN
    with in_tenant(request.tenant_id):
        if request.steps.filter(target_type="user").exists():
            reach.roles_now(request.tenant)
        with transaction.atomic():
            found = approval.locked(request)
            if found.state != State.AWAITING_APPROVAL:
                raise NotApproved(_("This request is no longer waiting for an approval."))
            if found.approval_expires_at and found.approval_expires_at < timezone.now():
                raise NotApproved(_("The time for approving this ran out."))
            if not alone and actor.id == found.actor_id:
                raise NotApproved(_("You asked for this yourself; somebody else has to approve it."))
            needed = Capability.MANAGE_TENANT if alone else Capability.APPROVE
            if needed not in capabilities(actor.roles):
                raise NotApproved(_("Your role does not let you approve this."))
            if not alone and (why := two_persons.no_second_person(found, actor.user_id)):
                raise NotApproved(why)
            _refuse_protected(found, actor)
            if approval.ended([found]):
                raise NotApproved(_("The record says that this was over already. It has to be asked for again."))
            sealer = Sealer(found.tenant_id)
            if not sealer.knows(found.seal):
                raise NotApproved(_("The portal is changing its keys. Nothing was changed; try again in some minutes."))
            if not sealer.request_holds(found):
                raise NotApproved(_("This request was changed after it was asked for. It has to be asked for again."))
            if digest != found.digest or digest_of(found) != (found.digest, found.step_count):
                raise NotApproved(_("The steps are no longer the ones you were shown. Look at them again."))
            found.state = State.RUNNING
            found.approver_id, found.approver_label = actor.id, actor.label[:256]
            found.approver_user_id = actor.user_id
            found.approved_digest, found.approved_at = digest, timezone.now()
            found.approval_expires_at = approval.expiry()
            found.overridden = alone
            found.approval_seal = sealer.seal_approval(found)
            found.save()
            approval.record(event, found, actor, reason, actor)
        nudge(found.tenant_id)
        return found


def _refuse_protected(request: RevocationRequest, approver: Actor) -> None:
    """Nobody approves what they may not ask for themselves: roles may have been given since it was asked.

    Raises:
        NotApproved: a rule protects somebody whose sessions it ends from the approver.
    """
    targets = request.steps.filter(target_type="user").exclude(target_id=approver.id)
    ids = [UUID(target) for target in targets.values_list("target_id", flat=True).distinct()]
    if len(ids) == 1:
        person = Person.objects.filter(tenant=request.tenant, pk=ids[0]).first()
        why = protection.refusal(request.tenant, person, approver) if person else None
    else:
        why = next(iter(protection.refusals(request.tenant, ids, approver).values()), None)
    if why:
        raise NotApproved(_("It reaches somebody whom you may not sign out yourself: %(why)s") % {"why": why})
