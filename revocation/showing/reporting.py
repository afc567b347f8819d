"""What became of requests: lists, figures while they run, and one row per person when they are done.

Pages, the command line and the signed report read the same functions, so they cannot disagree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone

from accounts.models import Tenant
from directory.paging import Page, page
from revocation.listing import planning
from revocation.listing.selection import AT_RISK
from revocation.models import RevocationRequest, RevocationStep

State = RevocationStep.State
ATTENTION = (State.FAILED, State.UNCONFIRMED)  # what a human has to look at
PENDING = (State.WAITING, State.CLAIMED)
# A person with several steps is called by the one that is furthest from proved.
WORST = [
    State.FAILED,
    State.UNCONFIRMED,
    State.CLAIMED,
    State.WAITING,
    State.ACCEPTED,
    State.CANCELLED,
    State.NO_EFFECT,
    State.VERIFIED,
]
CLOSED = (
    RevocationRequest.State.FINISHED,
    RevocationRequest.State.CANCELLED,
    RevocationRequest.State.REJECTED,
    RevocationRequest.State.EXPIRED,
)
RATE_WINDOW = timedelta(seconds=30)
PAGE = 50


# --- Requests ---------------------------------------------------------------------------------------


def requests(tenant: Tenant, *, state: str = "", kind: str = "", actor: str = "") -> QuerySet[RevocationRequest]:
    """A tenant's requests that match every filter, newest first. `actor` is an object id or part of a name."""
    found = RevocationRequest.objects.filter(tenant=tenant)
    if state:
        found = found.filter(state=state)
    if kind:
        found = found.filter(kind=kind)
    if actor:
        found = found.filter(Q(actor_id=actor) | Q(actor_label__icontains=actor))
    return found.order_by("-created_at", "-id")


def requests_page(found: QuerySet[RevocationRequest], after: str = "", size: int = 25) -> Page[RevocationRequest]:
    """One page, each request with how many steps are `decided` and need `attention`: two queries."""
    found_page = page(found, ("-created_at", "-id"), after, size)
    counted = (
        RevocationStep.objects.filter(request__in=[row.pk for row in found_page])
        .values("request_id")
        .annotate(
            decided=Count("id", filter=~Q(state__in=PENDING)), attention=Count("id", filter=Q(state__in=ATTENTION))
        )
    )
    by_request = {row["request_id"]: row for row in counted}
    for item in found_page:
        row = by_request.get(item.pk, {})
        item.decided, item.attention = row.get("decided", 0), row.get("attention", 0)
    return found_page


def kinds(tenant: Tenant) -> list[str]:
    """The kinds of request that occur in a tenant, for a filter's choices."""
    found = RevocationRequest.objects.filter(tenant=tenant).order_by("kind")
    return list(found.values_list("kind", flat=True).distinct())


def about(tenant: Tenant, target_id: UUID, size: int = 10) -> list[RevocationRequest]:
    """The newest requests that did something to this person or app."""
    steps = RevocationStep.objects.filter(tenant=tenant, target_id=str(target_id))
    ids = steps.order_by("-id").values_list("request_id", flat=True)[: size * 4]
    return list(requests(tenant).filter(pk__in=list(dict.fromkeys(ids)))[:size])


# --- One request ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """How far a request has come. `left` is None where nobody can tell; `allowed` None without a quota."""

    counts: dict[str, int]
    total: int
    rate: float  # answers per second over the last half minute
    allowed: float | None  # writes per second, from the tenant's quota and its share for mass actions
    left: timedelta | None
    resumes_at: datetime | None  # while the quota lets nothing out
    first_accepted_at: datetime | None
    last_accepted_at: datetime | None
    tokens_end_at: datetime | None
    final: bool  # nothing will change any more

    @property
    def waiting(self) -> int:
        return sum(self.counts[state] for state in PENDING)

    @property
    def decided(self) -> int:
        return self.total - self.waiting

    @property
    def attention(self) -> int:
        return sum(self.counts[state] for state in ATTENTION)

    @property
    def tenths(self) -> int:
        """Percent decided in steps of ten: what is worth saying aloud while it runs."""
        return 10 * (10 * self.decided // self.total) if self.total else 100


def figures(request: RevocationRequest) -> Figures:
    """Counts per state, rate and time left: three queries, whatever the size."""
    from revocation.showing.timeline import TOKEN_LIFETIME

    steps = RevocationStep.objects.filter(request=request)
    counts = dict.fromkeys(map(str, State), 0)
    first = last = None
    for row in steps.values("state").annotate(n=Count("id"), first=Min("accepted_at"), last=Max("accepted_at")):
        counts[row["state"]] = row["n"]
        first = min(filter(None, (first, row["first"])), default=None)
        last = max(filter(None, (last, row["last"])), default=None)
    waiting = counts[State.WAITING] + counts[State.CLAIMED]
    running = request.state == RevocationRequest.State.RUNNING
    rate = left = None
    quota = planning.quota(request.tenant, high_priority=request.interactive or request.high_priority)
    if waiting and running:
        since = timezone.now() - RATE_WINDOW
        rate = steps.filter(accepted_at__gte=since).count() / RATE_WINDOW.total_seconds()
        left = planning.time_left(quota, waiting, rate)
    return Figures(
        counts=counts,
        total=sum(counts.values()),
        rate=rate or 0.0,
        allowed=quota.rate,
        left=left,
        resumes_at=quota.resumes_at if waiting and running else None,
        first_accepted_at=first,
        last_accepted_at=last,
        tokens_end_at=last + TOKEN_LIFETIME if last else None,
        # Cancelling leaves what Microsoft was already asked to be proved.
        final=request.state in CLOSED and not counts[State.ACCEPTED] + counts[State.CLAIMED],
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
        total=Count("id"), waiting=Count("id", filter=Q(state__in=PENDING)), last=Max("accepted_at")
    )
    return Urgent(**found)


def steps(request: RevocationRequest, states: tuple[str, ...] = ()) -> QuerySet[RevocationStep]:
    """The steps of a request in their order, all of them or those in some states."""
    found = RevocationStep.objects.filter(tenant=request.tenant_id, request=request)
    return (found.filter(state__in=states) if states else found).order_by("position")


def steps_page(found: QuerySet[RevocationStep], after: str = "", size: int = PAGE) -> Page[RevocationStep]:
    """One page by keyset over the steps' positions."""
    return page(found, ("position",), after, size)


# --- Results ----------------------------------------------------------------------------------------


def results(request: RevocationRequest) -> Iterator[dict]:
    """One row per person (or app): state, times, Microsoft's request ids. Streams in constant memory."""
    found = steps(request).iterator(chunk_size=2000)
    for (target_id, label), group in groupby(found, key=_whose):
        own = list(group)
        state = next(state for state in WORST if any(step.state == state for step in own))
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
