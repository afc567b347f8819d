"""What became of one request: figures while it runs, and one row per person when it is done.

Pages, the command line and the signed report read the same functions, so they cannot disagree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from revocation import planning, selectors
from revocation.lists.selection import AT_RISK
from revocation.models import RevocationRequest, RevocationStep, worst
from revocation.showing.timeline import TOKEN_LIFETIME
from revocation.spine import budget
from revocation.spine.budget import Outlook

State = RevocationStep.State
RATE_WINDOW = timedelta(seconds=30)


# --- One request ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """How far a request has come. `left` is None where nobody can tell."""

    counts: dict[str, int]
    total: int
    rate: float  # answers per second over the last half minute
    quota: Outlook  # the tenant's, and its share for mass actions
    left: timedelta | None
    resumes_at: datetime | None  # while the quota lets nothing out
    first_accepted_at: datetime | None
    last_accepted_at: datetime | None
    tokens_end_at: datetime | None
    final: bool  # nothing will change any more

    @property
    def waiting(self) -> int:
        return sum(self.counts[state] for state in RevocationStep.PENDING)

    @property
    def decided(self) -> int:
        return self.total - self.waiting

    @property
    def attention(self) -> int:
        return sum(self.counts[state] for state in RevocationStep.FOR_A_HUMAN)

    @property
    def tenths(self) -> int:
        """Percent decided in steps of ten: what is worth saying aloud while it runs."""
        return 10 * (10 * self.decided // self.total) if self.total else 100


def figures(request: RevocationRequest) -> Figures:
    """Counts per state, rate and time left: three queries, whatever the size."""
    steps = RevocationStep.objects.filter(request=request)
    counts = dict.fromkeys(map(str, State), 0)
    first = last = None
    for row in steps.values("state").annotate(n=Count("id"), first=Min("accepted_at"), last=Max("accepted_at")):
        counts[row["state"]] = row["n"]
        first = min(filter(None, (first, row["first"])), default=None)
        last = max(filter(None, (last, row["last"])), default=None)
    waiting = sum(counts[state] for state in RevocationStep.PENDING)
    running = request.state == RevocationRequest.State.RUNNING
    rate = left = None
    quota = budget.outlook(request.tenant, high_priority=request.interactive or request.high_priority)
    if waiting and running:
        since = timezone.now() - RATE_WINDOW
        rate = steps.filter(accepted_at__gte=since).count() / RATE_WINDOW.total_seconds()
        left = planning.time_left(quota, waiting, rate)
    return Figures(
        counts=counts,
        total=sum(counts.values()),
        rate=rate or 0.0,
        quota=quota,
        left=left,
        resumes_at=quota.resumes_at if waiting and running else None,
        first_accepted_at=first,
        last_accepted_at=last,
        tokens_end_at=last + TOKEN_LIFETIME if last else None,
        # Cancelling leaves what Microsoft was already asked to be proved.
        final=request.state in RevocationRequest.CLOSED and not counts[State.ACCEPTED] + counts[State.CLAIMED],
    )


@dataclass(frozen=True)
class Urgent:
    """The steps that a mass action does first."""

    total: int
    waiting: int
    last: datetime | None  # when Microsoft took the last of them


def urgent(request: RevocationRequest) -> Urgent:
    """How far the privileged and at-risk people of a mass action are: one query."""
    found = RevocationStep.objects.filter(request=request, urgency__lte=AT_RISK).aggregate(
        total=Count("id"), waiting=Count("id", filter=Q(state__in=RevocationStep.PENDING)), last=Max("accepted_at")
    )
    return Urgent(**found)


# --- Results ----------------------------------------------------------------------------------------


def results(request: RevocationRequest) -> Iterator[dict]:
    """One row per person (or app): state, times, Microsoft's request ids. Streams in constant memory."""
    found = selectors.steps(request).iterator(chunk_size=2000)
    for (target_id, label), group in groupby(found, key=_whose):
        own = list(group)
        state = worst(step.state for step in own)
        yield {
            "id": target_id,
            "name": label,
            "state": str(state),
            "outcome": next((step.outcome for step in own if step.state == state and step.outcome), ""),
            "outcome_code": next((step.outcome_code for step in own if step.state == state and step.outcome_code), ""),
            "asked_at": _iso(request.created_at),
            "called_at": _iso(min(filter(None, (step.called_at for step in own)), default=None)),
            "accepted_at": _iso(max(filter(None, (step.accepted_at for step in own)), default=None)),
            "finished_at": _iso(max(filter(None, (step.finished_at for step in own)), default=None)),
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


def _iso(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else ""
