"""The life of a small revocation as points in time, for the pages that tell it.

What is true about time is said here once: *accepted* is Microsoft's answer, *verified* is what we read
back, and access tokens that are already out there work until they expire.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from revocation import actions
from revocation.actions import Action
from revocation.models import RevocationRequest, RevocationStep, worst
from revocation.showing import own as own_words

# Access tokens live 60 to 90 minutes by default; the later end is the one we may promise.
# https://learn.microsoft.com/entra/identity-platform/configurable-token-lifetimes
TOKEN_LIFETIME = timedelta(minutes=90)
# Apps with continuous access evaluation are told about a sign-out, usually within 15 minutes.
# https://learn.microsoft.com/entra/identity/conditional-access/concept-continuous-access-evaluation
CAE_DELAY = timedelta(minutes=15)

State = RevocationStep.State


@dataclass(frozen=True)
class Point:
    """One line of a timeline. `at` is when it happened, `until` the latest moment it still can."""

    state: str  # "done", "now", "next" or "bad"
    text: str
    detail: str = ""
    at: datetime | None = None
    until: datetime | None = None
    request_id: str = ""


@dataclass(frozen=True)
class Timeline:
    points: list[Point]
    headline: str
    state: str  # the worst or least finished state of its steps, for the badge
    state_label: str
    final: bool  # nothing will change any more by our doing
    accepted_at: datetime | None
    verified_at: datetime | None
    tokens_end_at: datetime | None  # until then, what an app already holds may work


def timeline(request: RevocationRequest, steps: Sequence[RevocationStep], *, own: bool) -> Timeline:
    """Tell `request` from asked to the last access token's end. `own`: the reader asked for it."""
    final = is_final(request, Counter(step.state for step in steps))
    steps = [step for step in steps if not _of(step).local] or list(steps)
    accepted_at = _latest(step.accepted_at for step in steps)
    state = worst(step.state for step in steps)
    verified_at = _latest(step.finished_at for step in steps) if state == State.VERIFIED else None
    went_through = [step for step in steps if step.accepted_at and step.state not in (State.FAILED, State.NO_EFFECT)]
    ending = [step for step in went_through if _of(step).ends_sessions or _of(step).ends_access]
    tokens_end_at = _latest(step.accepted_at for step in ending) + TOKEN_LIFETIME if ending else None

    points = [*_asked(request, own), *_carried_out(request, steps, state, accepted_at), *_proved(steps, state, own)]
    if tokens_end_at:
        points += _ends(ending, accepted_at, tokens_end_at, own)
    return Timeline(
        points=points,
        headline=_headline(request, {step.state for step in steps}),
        state=state,
        state_label=str(State(state).label),
        final=final,
        accepted_at=accepted_at,
        verified_at=verified_at,
        tokens_end_at=tokens_end_at,
    )


def _asked(request: RevocationRequest, own: bool) -> list[Point]:
    text = _("You asked") if own else _("%(who)s asked") % {"who": request.actor_label}
    points = [Point("done", text, request.reason, at=request.created_at)]
    if request.approved_at:
        text = _("%(who)s approved it") % {"who": request.approver_label}
        points.append(Point("done", text, at=request.approved_at))
    elif request.state == RevocationRequest.State.AWAITING_APPROVAL:
        text = _("A second person has to approve it")
        points.append(Point("now", text, until=request.approval_expires_at))
    elif request.state in (RevocationRequest.State.REJECTED, RevocationRequest.State.EXPIRED):
        text = _("It was not approved; nothing was changed")
        points.append(Point("bad", text, at=request.finished_at))
    return points


def _carried_out(request, steps, state: str, accepted_at: datetime | None) -> list[Point]:
    points = []
    for step in steps:
        if step.state == State.FAILED:
            text = _("Failed: %(target)s") % {"target": step.target_label}
            points.append(Point("bad", text, step.outcome, at=step.finished_at, request_id=step.graph_request_id))
    waiting = [step for step in steps if step.state in (State.WAITING, State.CLAIMED)]
    if waiting and request.state == RevocationRequest.State.RUNNING:
        retry_at = max((step.not_before for step in waiting if step.attempts and step.not_before), default=None)
        detail = next((step.outcome for step in waiting if step.outcome), "")
        points.append(Point("now", _("Microsoft is being asked"), detail, until=retry_at))
    elif request.state == RevocationRequest.State.PAUSED and waiting:
        points.append(Point("now", _("Paused; what is not done yet waits")))
    elif accepted_at:
        ids = {step.graph_request_id for step in steps if step.graph_request_id and step.state != State.FAILED}
        points.append(Point("done", str(_of(steps[0]).taken), at=accepted_at, request_id=next(iter(ids), "")))
    if any(step.state == State.CANCELLED for step in steps):
        points.append(Point("bad", _("Cancelled before it was asked; nothing was changed"), at=request.finished_at))
    return points


def _proved(steps, state: str, own: bool) -> list[Point]:
    points = []
    for step in steps:
        if step.state == State.NO_EFFECT:
            text = _("No effect: %(target)s") % {"target": step.target_label}
            points.append(Point("bad", text, step.outcome, at=step.finished_at))
        elif step.state == State.UNCONFIRMED:
            text = _("Accepted, but not confirmed by reading back: %(target)s") % {"target": step.target_label}
            points.append(Point("bad", text, step.outcome, at=step.finished_at))
    verified = [step for step in steps if step.state == State.VERIFIED]
    if state == State.ACCEPTED:
        text = _("Being read back from Microsoft") if own else _("Being read back from the directory")
        points.append(Point("now", text, _("Accepted is not proof")))
    elif state in (State.WAITING, State.CLAIMED) and not points:
        points.append(Point("next", _shown(steps[0], own)))
    elif verified:
        means = own_words.means(verified[0]) if own else _of(verified[0]).means(verified[0])
        at = _latest(step.finished_at for step in verified)
        points.append(Point("done", _shown(verified[0], own), means, at=at))
    return points


def _shown(step: RevocationStep, own: bool) -> str:
    return own_words.shown(step.action) if own else str(_of(step).shown)


def _ends(ending: Sequence[RevocationStep], accepted_at: datetime, tokens_end_at: datetime, own: bool) -> list[Point]:
    now = timezone.now()
    points = []
    if any(_of(step).ends_sessions for step in ending):
        told_by = accepted_at + CAE_DELAY
        over = told_by <= now
        points.append(
            Point(
                "done" if over else "now",
                _("Outlook, Teams and SharePoint cut off"),
                _("They are told about it; usually within %(minutes)d minutes")
                % {"minutes": CAE_DELAY.total_seconds() // 60},
                until=told_by,
            )
        )
        detail = _("Apps that are not told about it") if own else _("Apps that are not told about revocation")
    else:
        detail = _("What the app already holds works until then")
    over = tokens_end_at <= now
    last = _("The last access ends") if own else _("The last access token ends")
    points.append(Point("done" if over else "next", last, detail, until=tokens_end_at))
    return points


def _headline(request: RevocationRequest, states: set[str]) -> str:
    if request.state == RevocationRequest.State.AWAITING_APPROVAL:
        return _("Waiting for approval")
    if request.state in (RevocationRequest.State.REJECTED, RevocationRequest.State.EXPIRED):
        return _("Not approved")
    if State.CANCELLED in states:
        return _("Cancelled; nothing was changed") if states == {State.CANCELLED} else _("Stopped half-way")
    if states & set(RevocationStep.PENDING):
        return _("Paused") if request.state == RevocationRequest.State.PAUSED else _("Under way")
    if State.FAILED in states:
        return _("It could not be done") if states == {State.FAILED} else _("Not everything could be done")
    if State.UNCONFIRMED in states:
        return _("Accepted, but not confirmed")
    if State.ACCEPTED in states:
        return _("Accepted, not proved yet")
    if State.NO_EFFECT in states:
        return _("It had no effect") if states == {State.NO_EFFECT} else _("Done, but part of it had no effect")
    return _("Done, and proved")


def is_final(request: RevocationRequest, counts: Mapping[str, int]) -> bool:
    """Whether nothing changes any more by our doing. What Microsoft was asked is proved after a cancellation too."""
    in_flight = counts.get(State.ACCEPTED, 0) + counts.get(State.CLAIMED, 0)
    return request.state in RevocationRequest.CLOSED and not in_flight


def _of(step: RevocationStep) -> Action:
    return actions.get(step.action)


def _latest(moments) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)
