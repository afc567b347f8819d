"""What became of one request: figures while it runs, and one row per person when it is done.

Pages, the command line and the signed report read the same functions, so they cannot disagree.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import Count, Max, Q
from django.utils import timezone

from revocation import actions, planning, selectors
from revocation.lists.selection import AT_RISK
from revocation.models import RevocationRequest, RevocationStep, worst
from revocation.showing.tally import Tally, how_far, outcome, tallies
from revocation.showing.timeline import TOKEN_LIFETIME, is_final
from revocation.spine import budget
from revocation.spine.budget import Outlook

State = RevocationStep.State
RATE_WINDOW = timedelta(seconds=30)
NOT_TAKEN = (*RevocationStep.PENDING, State.FAILED, State.CANCELLED)


# --- One request ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """How far a request has come. `left` is None where nobody can tell."""

    tally: Tally
    rate: float  # answers per second over the last half minute
    quota: Outlook  # the tenant's, and its share for mass actions
    left: timedelta | None
    resumes_at: datetime | None  # while the quota lets nothing out
    tokens_end_at: datetime | None  # by when the last access token of whoever lost something ends
    final: bool  # nothing will change any more
    outcome: str  # the request's state, with what went wrong
    how_far: str

    @property
    def counts(self) -> dict[str, int]:
        return {str(state): self.tally.steps.get(state, 0) for state in State}

    @property
    def total(self) -> int:
        return self.tally.total

    @property
    def waiting(self) -> int:
        return self.tally.waiting

    @property
    def decided(self) -> int:
        return self.tally.decided

    @property
    def attention(self) -> int:
        return self.tally.attention


def figures(request: RevocationRequest) -> Figures:
    """Counts per state, rate and time left: four queries, whatever the size."""
    tally = tallies([request])[request.pk]
    running = request.state == RevocationRequest.State.RUNNING and tally.waiting
    rate = left = None
    quota = budget.outlook(request.tenant, high_priority=request.interactive or request.high_priority)
    steps = RevocationStep.objects.filter(request=request)
    if running:
        since = timezone.now() - RATE_WINDOW
        rate = steps.filter(accepted_at__gte=since).count() / RATE_WINDOW.total_seconds()
        left = planning.time_left(quota, tally.waiting, rate)
    ending = actions.named("ends_sessions") | actions.named("ends_access")
    took = steps.went_through().filter(action__in=ending).aggregate(last=Max("accepted_at"))["last"]
    return Figures(
        tally=tally,
        rate=rate or 0.0,
        quota=quota,
        left=left,
        resumes_at=quota.resumes_at if running else None,
        tokens_end_at=took + TOKEN_LIFETIME if took else None,
        final=is_final(request, tally.steps),
        outcome=outcome(request, tally),
        how_far=how_far(request, tally),
    )


@dataclass(frozen=True)
class Urgent:
    """The steps that a mass action does first, by what became of them."""

    total: int
    waiting: int
    done: int  # Microsoft took them
    failed: int
    cancelled: int
    last: datetime | None  # when Microsoft took the last of them


def urgent(request: RevocationRequest) -> Urgent:
    """How far the privileged and at-risk people of a mass action are: one query. Apps that go first are no people."""
    done = Q(state__in=[*RevocationStep.WENT_THROUGH, State.NO_EFFECT])
    found = RevocationStep.objects.filter(request=request, target_type="user", urgency__lte=AT_RISK).aggregate(
        total=Count("id"),
        waiting=Count("id", filter=Q(state__in=RevocationStep.PENDING)),
        done=Count("id", filter=done),
        failed=Count("id", filter=Q(state=State.FAILED)),
        cancelled=Count("id", filter=Q(state=State.CANCELLED)),
        last=Max("accepted_at", filter=done),
    )
    return Urgent(**found)


# --- Results ----------------------------------------------------------------------------------------


def results(request: RevocationRequest) -> Iterator[dict]:
    """One row per person (or app): state, times, Microsoft's request ids. Streams in constant memory."""
    found = selectors.steps(request).iterator(chunk_size=2000)
    for (target_id, label), group in groupby(found, key=_whose):
        own = list(group)
        state = worst(step.state for step in own)
        taken = [step for step in own if not actions.get(step.action).local] or own
        yield {
            "id": target_id,
            "upn": next((step.params["upn"] for step in own if (step.params or {}).get("upn")), ""),
            "name": label,
            "state": str(state),
            "outcome": next((step.outcome for step in own if step.state == state and step.outcome), ""),
            "outcome_code": next((step.outcome_code for step in own if step.state == state and step.outcome_code), ""),
            "asked_at": _iso(request.created_at),
            "called_at": _iso(min(filter(None, (step.called_at for step in taken)), default=None)),
            # Of what Microsoft took: a session that the portal ended by itself says nothing about a refused sign-out.
            "accepted_at": _iso(_last(step.accepted_at for step in taken if step.state not in NOT_TAKEN)),
            "finished_at": _iso(_last(step.finished_at for step in own)),
            "attempts": sum(step.attempts for step in own),
            "graph_request_ids": list(dict.fromkeys(s.graph_request_id for s in own if s.graph_request_id)),
            "steps": [{"action": s.action, "target": s.target_id, "state": s.state} for s in own],
        }


def _whose(step: RevocationStep) -> tuple[str, str]:
    """Who a step is about: a person's grants belong to the person's row."""
    params = step.params or {}
    if params.get("person_id"):
        return str(params["person_id"]), str(params.get("person_label") or step.target_label)
    return step.target_id, step.target_label


def _last(moments: Iterable[datetime | None]) -> datetime | None:
    return max(filter(None, moments), default=None)


def _iso(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else ""
