"""What people can do with revocations: ask, undo, retry, pause, resume, cancel, sign out. Deciding is in `approval`.

Every function leaves an audit entry in the transaction that changes the rows; none talks to Microsoft itself, the
executor does.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from accounts.access import Actor
from accounts.models import Membership, Tenant
from audit import services as audit
from audit.models import AuditEvent
from directory import sync
from directory.models import Person
from graph.errors import GraphError
from revocation import actions
from revocation.actions import drafts
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules import protection
from revocation.rules.approval import approve, override, reject
from revocation.rules.refusals import NotApproved, NothingToRevoke, NotPossible, Protected, Refused
from revocation.spine import executor, submitting
from revocation.spine.finishing import finish_if_done
from revocation.spine.nudges import nudge
from revocation.spine.scope import in_tenant
from revocation.spine.steps import Sealer, StepDraft

__all__ = [
    "NotApproved",
    "NotPossible",
    "NothingToRevoke",
    "Protected",
    "Refused",
    "StepDraft",
    "approve",
    "cancel",
    "override",
    "pause",
    "reject",
    "resume",
    "retry_failed",
    "sign_out",
    "sign_out_self",
    "submit",
    "undo",
]

logger = logging.getLogger(__name__)

FRESH = timedelta(minutes=1)

State = RevocationRequest.State
StepState = RevocationStep.State


def submit(
    *,
    tenant: Tenant,
    actor: Actor,
    kind: str,
    title: str,
    steps: Iterable[StepDraft],
    reason: str = "",
    ticket: str = "",
    interactive: bool = True,
    follows: RevocationRequest | None = None,
    run_inline: bool = True,
    needs_approval: bool | None = None,
    high_priority: bool = False,
) -> RevocationRequest:
    """Ask for changes in a directory and start making them. The same steps asked for twice at once are one request.

    Args:
        kind: a machine word for what this is, such as "remove_own_app".
        title: what this is, in words for people.
        steps: read once, as a stream; `revocation.actions` makes them.
        interactive: a person is waiting; such a request goes before every mass action. Long ones never are.
        follows: the request that this one undoes or retries.
        run_inline: work on it for REVOCATION_INLINE_SECONDS before returning; workers do what is left.
        needs_approval: None leaves it to the tenant's rules.
        high_priority: a mass action that may use the tenant's whole write quota.

    Raises:
        NothingToRevoke: there are no steps. Nothing was recorded.
    """
    with in_tenant(tenant.pk):
        request, _is_new = submitting.create(
            tenant=tenant,
            actor=actor,
            kind=kind,
            title=title,
            steps=steps,
            reason=reason,
            ticket=ticket,
            interactive=interactive,
            high_priority=high_priority,
            follows=follows,
            needs_approval=needs_approval,
        )
        return _start(request, run_inline=run_inline)


def _start(request: RevocationRequest, *, run_inline: bool) -> RevocationRequest:
    if request.state != State.RUNNING:
        return request
    if run_inline:
        executor.run_request(request, seconds=settings.REVOCATION_INLINE_SECONDS)
        request.refresh_from_db()
    if request.state == State.RUNNING:
        nudge(request.tenant_id)
    return request


def sign_out(
    tenant: Tenant, people: Iterable[Person], *, actor: Actor, reason: str, ticket: str = ""
) -> RevocationRequest:
    """End every session of these people, at Microsoft and in this portal.

    Raises:
        Protected: a rule protects one of them from this actor; the refusal is recorded and nobody is signed out.
        NothingToRevoke: there is nobody.
    """
    people = list(people)
    with in_tenant(tenant.pk):
        if len(people) == 1:
            people = [_as_of_now(tenant, people[0])]
            why = protection.refusal(tenant, people[0], actor)
            reasons = {str(people[0].pk): why} if why else {}
        else:
            found = protection.refusals(tenant, [person.pk for person in people], actor)
            reasons = {str(pk): why for pk, why in found.items()}
        if reasons:
            _record_refusal(tenant, actor, people, reasons, reason, ticket)
            raise Protected(reasons)
        return submit(
            tenant=tenant,
            actor=actor,
            kind="sign_out",
            title=_sign_out_title(people),
            steps=_sign_out_steps(tenant, people),
            reason=reason,
            ticket=ticket,
            interactive=len(people) <= 1,
        )


def sign_out_self(membership: Membership) -> RevocationRequest:
    """End every session of the person who asks, at Microsoft and in this portal: the present one too."""
    tenant = membership.tenant
    with in_tenant(tenant.pk):
        person = Person.objects.filter(tenant=tenant, pk=membership.object_id).first()
        label = membership.user.display_name or membership.user.upn
        before = _sessions_before(person) if person else None
        return submit(
            tenant=tenant,
            actor=Actor.of(membership),
            kind="sign_out_self",
            title=_("Sign out everywhere"),
            steps=drafts.sign_out(tenant, membership.object_id, label, before=before),
            needs_approval=False,
        )


def _as_of_now(tenant: Tenant, person: Person) -> Person:
    """The person with today's roles: our copy may not have noticed that somebody became an administrator."""
    if timezone.now() - person.synced_at < FRESH:
        return person
    try:
        sync.refresh_person(tenant, person.pk)
    except GraphError:
        logger.info("Could not read a person again before signing them out; our copy decides.")
        return person
    return Person.objects.filter(tenant=tenant, pk=person.pk).first() or person


def _sign_out_steps(tenant: Tenant, people: list[Person]) -> Iterator[StepDraft]:
    for person in people:
        yield from drafts.sign_out(
            tenant, person.pk, person.display_name or person.upn, before=_sessions_before(person)
        )


def _sessions_before(person: Person) -> dict:
    valid_from = person.sessions_valid_from
    return {"sessions_valid_from": valid_from.isoformat() if valid_from else None, "is_guest": person.is_guest}


def _sign_out_title(people: list[Person]) -> str:
    if len(people) == 1:
        return _("Sign out %(person)s everywhere") % {"person": people[0].display_name or people[0].upn}
    return ngettext("Sign out %(n)d person everywhere", "Sign out %(n)d people everywhere", len(people)) % {
        "n": len(people)
    }


def _record_refusal(tenant, actor, people, reasons, reason, ticket) -> None:
    labels = {str(person.pk): person.display_name or person.upn for person in people}
    audit.record_many(
        [
            audit.Draft(
                event=AuditEvent.REVOCATION_REFUSED,
                tenant_id=tenant.pk,
                actor=actor,
                action=str(tenant.sign_out_action),
                target_type="user",
                target_id=pk,
                target_label=labels.get(pk, ""),
                outcome="refused",
                reason=reason,
                ticket=ticket,
                after={"rule": why},
            )
            for pk, why in reasons.items()
        ]
    )


# --- What follows a request ---------------------------------------------------------------------------


def undo(request: RevocationRequest, actor: Actor) -> RevocationRequest:
    """Put back what a request took, as a new request that names it. Asked for twice, it is the same undo.

    Raises:
        NotPossible: it is too late, or nothing of it can be put back. Nothing was changed.
    """
    with in_tenant(request.tenant_id):
        earlier = request.followers.filter(kind="undo").order_by("-created_at").first()
        if earlier:
            return earlier
        if undo_until(request) < timezone.now():
            raise NotPossible(
                _("This can be undone for %(minutes)d minutes only.") % {"minutes": settings.REVOCATION_UNDO_MINUTES}
            )
        steps = list(_undo_steps(request))
        if not steps:
            raise NotPossible(_("Nothing of this can be undone."))
        return submit(
            tenant=request.tenant,
            actor=actor,
            kind="undo",
            title=_("Undo: %(title)s") % {"title": request.title},
            steps=steps,
            ticket=request.ticket,
            follows=request,
        )


def undo_until(request: RevocationRequest):
    """Until when a request can be undone."""
    return request.created_at + timedelta(minutes=settings.REVOCATION_UNDO_MINUTES)


def can_undo(request: RevocationRequest) -> bool:
    """Whether something of it was done, can be put back, and has not been yet."""
    with in_tenant(request.tenant_id):
        if undo_until(request) < timezone.now() or request.kind == "undo":
            return False
        return not request.followers.filter(kind="undo").exists() and any(True for _step in _undo_steps(request))


def _undo_steps(request: RevocationRequest) -> Iterator[StepDraft]:
    """Last done, first undone."""
    done = request.steps.filter(state__in=[StepState.ACCEPTED, StepState.VERIFIED, StepState.UNCONFIRMED])
    sealer = Sealer(request.tenant_id)
    for step in done.order_by("-position").iterator(chunk_size=500):
        if not sealer.holds(step):
            continue  # edited after it was asked for: nobody knows what it took
        if (step.observed or {}).get("found") and not sealer.vouched(step):
            step.observed = {key: value for key, value in step.observed.items() if key != "found"}
        if draft := actions.get(step.action).undo(step):
            yield draft


def retry_failed(request: RevocationRequest, actor: Actor) -> RevocationRequest:
    """Ask again for what failed or could not be confirmed, as a new request that names this one.

    Raises:
        NotPossible: nothing of it failed.
        Protected: a rule protects somebody whose sign-out failed from this actor; recorded as for a first request.
    """
    with in_tenant(request.tenant_id):
        again = request.followers.filter(kind=request.kind).order_by("-created_at").first()
        if again and again.is_open:
            return again
        _respect_protection(request, actor)
        try:
            return submit(
                tenant=request.tenant,
                actor=actor,
                kind=request.kind,
                title=_("Again: %(title)s") % {"title": request.title},
                steps=_failed_steps(request),
                reason=request.reason,
                ticket=request.ticket,
                interactive=request.interactive,
                high_priority=request.high_priority,
                follows=request,
            )
        except NothingToRevoke:
            raise NotPossible(_("Nothing of this failed.")) from None


def _respect_protection(request: RevocationRequest, actor: Actor) -> None:
    """Who asks again may reach no further than who asks: the first request may have been an administrator's."""
    tenant = request.tenant
    failed = request.steps.filter(state__in=[StepState.FAILED, StepState.UNCONFIRMED], target_type="user")
    ids = list(dict.fromkeys(UUID(target) for target in failed.values_list("target_id", flat=True)))
    if len(ids) == 1:
        person = Person.objects.filter(tenant=tenant, pk=ids[0]).first()
        why = protection.refusal(tenant, person, actor) if person else None
        found = {ids[0]: why} if why else {}
    else:
        found = protection.refusals(tenant, ids, actor)
    if found:
        people = list(Person.objects.filter(tenant=tenant, pk__in=list(found)))
        reasons = {str(pk): why for pk, why in found.items()}
        _record_refusal(tenant, actor, people, reasons, request.reason, request.ticket)
        raise Protected(reasons)


def _failed_steps(request: RevocationRequest) -> Iterator[StepDraft]:
    failed = request.steps.filter(state__in=[StepState.FAILED, StepState.UNCONFIRMED]).order_by("position")
    sealer = Sealer(request.tenant_id)
    for step in failed.iterator(chunk_size=2000):
        if not sealer.holds(step):
            continue  # edited after it was asked for: sealing it again would make that right
        yield StepDraft(
            step.action,
            step.target_type,
            step.target_id,
            step.target_label,
            params=step.params,
            before=step.before,
            urgency=step.urgency,
        )


# --- Steering -----------------------------------------------------------------------------------------


def pause(request: RevocationRequest, actor: Actor) -> RevocationRequest:
    """Begin nothing more of it; what Microsoft was asked already is still proved.

    Raises:
        NotPossible: it is not under way.
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
        NotPossible: it is over.
    """
    open_states = {State.AWAITING_APPROVAL, State.RUNNING, State.PAUSED}
    return _steer(request, actor, open_states, State.CANCELLED, AuditEvent.REVOCATION_CANCELLED)


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
    return waiting.update(
        state=StepState.CANCELLED,
        finished_at=timezone.now(),
        not_before=None,
        outcome=_("Cancelled before it was asked."),
    )
