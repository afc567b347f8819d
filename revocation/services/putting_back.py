"""What follows a request: undoing it, and asking again for what failed. Each is a new request that names the first."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.access import Actor
from accounts.tenancy import in_tenant
from directory.models import Person
from graph.sentences import gettext as _
from revocation import actions
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules import protection, reach, undoing
from revocation.rules.refusals import NothingToRevoke, NotPossible, Protected
from revocation.services.asking import record_refusal, submit
from revocation.steps import Sealer, StepDraft

Kind = RevocationRequest.Kind
LONG = frozenset(
    [
        Kind.REVOKE_CONSENTS,
        Kind.DISABLE_APPS,
        Kind.TAKE_OUT,
        Kind.CONTAIN_APP,
        Kind.CONTAIN_PEOPLE,
        Kind.KEEP_OUT,
        Kind.DISABLE_APP,
        Kind.REVOKE_USER_CONSENT,
        Kind.REVOKE_ADMIN_CONSENT,
        "upload_policy",
    ]
)
LONG_FOR = timedelta(days=30)


def undo(request: RevocationRequest, actor: Actor) -> RevocationRequest:
    """Put back what a request took, as a new request that names it. Asked for twice, it is the same undo.

    Raises:
        NotPossible: it is too late, nothing of it can be put back, or somebody has spoken about it since (an
            administrator, another request, the organisation's rule of consent). Nothing was changed.
    """
    with in_tenant(request.tenant_id):
        earlier = request.followers.filter(kind=RevocationRequest.Kind.UNDO).order_by("-created_at").first()
        if earlier:
            return earlier
        if undo_until(request) < timezone.now():
            if request.kind in LONG:
                raise NotPossible(_("This can be undone for %(days)d days only.") % {"days": LONG_FOR.days})
            raise NotPossible(
                _("This can be undone for %(minutes)d minutes only.") % {"minutes": settings.REVOCATION_UNDO_MINUTES}
            )
        done = request.steps.went_through().order_by("-position").iterator(chunk_size=500)
        steps = list(_putting_back(request, done))
        if not steps:
            raise NotPossible(_("Nothing of this can be undone."))
        if why := undoing.objection(request, steps, actor):
            raise NotPossible(why)
        return submit(
            tenant=request.tenant,
            actor=actor,
            kind=RevocationRequest.Kind.UNDO,
            title=_("Undo: %(title)s") % {"title": request.title},
            steps=steps,
            ticket=request.ticket,
            follows=request,
        )


def undo_until(request: RevocationRequest) -> datetime:
    """Until when a request can be undone. What an administrator did to apps, from its before-images, for a month."""
    if request.kind in LONG:
        return (request.finished_at or timezone.now()) + LONG_FOR
    return request.created_at + timedelta(minutes=settings.REVOCATION_UNDO_MINUTES)


def may_be_undone(request: RevocationRequest) -> bool:
    """Whether an administrator may ask for the undo of what was done to apps: its steps are not read for that."""
    if request.kind not in LONG or request.is_open or undo_until(request) < timezone.now():
        return False
    return not request.followers.filter(kind=Kind.UNDO).exists()


def undoable(request: RevocationRequest) -> bool:
    """Whether `undo` would put something back now. A retry takes nothing of that away; an undo does.

    For pages: reads all steps and followers, without a query where both were prefetched.
    """
    kind = RevocationRequest.Kind.UNDO
    with in_tenant(request.tenant_id):
        if request.kind == kind or undo_until(request) < timezone.now():
            return False
        if any(follower.kind == kind for follower in request.followers.all()):
            return False
        done = [step for step in request.steps.all() if step.state in RevocationStep.WENT_THROUGH]
        return any(True for _step in _putting_back(request, done))


def _putting_back(request: RevocationRequest, done: Iterable[RevocationStep]) -> Iterator[StepDraft]:
    """The steps that undo these, in their order."""
    sealer = Sealer(request.tenant_id)
    for step in done:
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
    failed = request.steps.for_a_human().filter(target_type="user")
    ids = list(dict.fromkeys(UUID(target) for target in failed.values_list("target_id", flat=True)))
    if len(ids) == 1:
        person = Person.objects.filter(tenant=tenant, pk=ids[0]).first()
        why = protection.refusal(tenant, person, actor) if person else None
        found = {ids[0]: why} if why else {}
    elif ids:
        reach.roles_now(tenant)
        found = protection.refusals(tenant, ids, actor)
    else:
        found = {}
    if found:
        people = list(Person.objects.filter(tenant=tenant, pk__in=list(found)))
        reasons = {str(pk): why for pk, why in found.items()}
        record_refusal(tenant, actor, people, reasons, request.reason, request.ticket)
        raise Protected(reasons)


def _failed_steps(request: RevocationRequest) -> Iterator[StepDraft]:
    failed = request.steps.for_a_human().order_by("position")
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
