"""How many steps of a request, and how many of the people it signs out, are in which state; and that in words.

Lists, pages, the report, mails and the command line say the same words, and every number in them comes from the rows.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Min, Q
from django.utils.translation import gettext as _, ngettext

from graph.sentences import grouped
from revocation import actions
from revocation.models import RevocationRequest, RevocationStep
from revocation.showing.timeline import is_final

State, Step = RevocationRequest.State, RevocationStep.State


@dataclass
class Tally:
    """Counts by state. `people` is empty where the request signs nobody out; each person has one such step."""

    steps: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    first_accepted_at: datetime | None = None
    last_accepted_at: datetime | None = None

    def of(self, *states: str) -> int:
        return sum(self.steps.get(state, 0) for state in states)

    @property
    def total(self) -> int:
        return sum(self.steps.values())

    @property
    def waiting(self) -> int:
        return self.of(*RevocationStep.PENDING)

    @property
    def decided(self) -> int:
        return self.total - self.waiting

    @property
    def percent(self) -> int:
        """How much of it is decided; never 100 before all of it is."""
        return 100 * self.decided // self.total if self.total else 100

    @property
    def attention(self) -> int:
        return self.of(*RevocationStep.FOR_A_HUMAN)

    @property
    def unsettled(self) -> int:
        return self.of(*RevocationStep.UNSETTLED)

    @property
    def counted(self) -> dict[str, int]:
        """What a reader counts: people where they are signed out, else steps."""
        return self.people or self.steps


def tallies(requests: Iterable[RevocationRequest]) -> dict[UUID, Tally]:
    """The tally of each of these requests, by its id: one query."""
    found = {request.pk: Tally() for request in requests}
    rows = (
        RevocationStep.objects.filter(request__in=list(found))
        .values("request_id", "state")
        .annotate(
            n=Count("id"),
            people=Count("id", filter=Q(action__in=actions.named("ends_sessions"))),
            first=Min("accepted_at"),
            last=Max("accepted_at"),
        )
        .order_by()
    )
    for row in rows:
        tally = found[row["request_id"]]
        tally.steps[row["state"]] = row["n"]
        if row["people"]:
            tally.people[row["state"]] = row["people"]
        tally.first_accepted_at = min(filter(None, (tally.first_accepted_at, row["first"])), default=None)
        tally.last_accepted_at = max(filter(None, (tally.last_accepted_at, row["last"])), default=None)
    return found


def tell(requests: Iterable[RevocationRequest]) -> list[RevocationRequest]:
    """The requests, each with what a list shows of it: one query.

    Those are `outcome`, `how_far`, `faults` and `attention`; `counted` for its bar; and whether it is `final`.
    """
    requests = list(requests)
    known = tallies(requests)
    for request in requests:
        tally = known[request.pk]
        request.outcome, request.how_far = outcome(request, tally), how_far(request, tally)
        request.faults, request.attention = faults(tally), tally.attention
        request.counted, request.total = tally.counted, sum(tally.counted.values())
        request.final = is_final(request, tally.steps)
    return requests


def outcome(request: RevocationRequest, tally: Tally) -> str:
    """A request's state, with what went wrong: "Finished, 1 failed"."""
    return ", ".join([str(request.get_state_display()), *faults(tally)])


def faults(tally: Tally) -> list[str]:
    """What went wrong, each kind with its number: "1 failed"."""
    counted = tally.counted
    kinds = [
        (Step.FAILED, ngettext("%(n)s failed", "%(n)s failed", counted.get(Step.FAILED, 0))),
        (Step.UNCONFIRMED, ngettext("%(n)s unconfirmed", "%(n)s unconfirmed", counted.get(Step.UNCONFIRMED, 0))),
        (Step.NO_EFFECT, ngettext("%(n)s without effect", "%(n)s without effect", counted.get(Step.NO_EFFECT, 0))),
    ]
    return [text % {"n": grouped(counted[state])} for state, text in kinds if counted.get(state)]


def how_far(request: RevocationRequest, tally: Tally) -> str:
    """How far a request came, in one sentence: people where it signs people out, else steps."""
    counted, state = tally.counted, request.state
    total = sum(counted.values())
    cancelled = counted.get(Step.CANCELLED, 0)
    asked = total - cancelled - sum(counted.get(one, 0) for one in RevocationStep.PENDING)
    if state in (State.REJECTED, State.EXPIRED) or (state == State.CANCELLED and not asked and cancelled == total):
        text = _("Nothing was changed")
    elif state == State.AWAITING_APPROVAL and not asked:
        text = _("Not begun: %(what)s")
    elif state == State.CANCELLED:
        text = _("Stopped after %(asked)s of %(what)s")
    else:
        text = _("%(asked)s of %(what)s")
    return text % {"asked": grouped(asked), "what": _things(tally, total)}


def list_aloud(requests: Iterable[RevocationRequest]) -> str:
    """What a screen reader says of a list while it moves: how many are in which state, and no row."""
    counts = Counter(request.state for request in requests)
    said = [
        (State.RUNNING, ngettext("%(n)s under way", "%(n)s under way", counts[State.RUNNING])),
        (
            State.AWAITING_APPROVAL,
            ngettext("%(n)s waits for approval", "%(n)s wait for approval", counts[State.AWAITING_APPROVAL]),
        ),
        (State.PAUSED, ngettext("%(n)s paused", "%(n)s paused", counts[State.PAUSED])),
    ]
    moving = [text % {"n": grouped(counts[state])} for state, text in said if counts[state]]
    return ", ".join(moving) or _("All are over.")


def aloud(tally: Tally) -> str:
    """What a screen reader says while a large request runs: in steps of ten percent, or it would never be quiet."""
    percent = tally.percent // 10 * 10
    text = _("%(percent)s percent of %(total)s decided.") % {"percent": percent, "total": grouped(tally.total)}
    if not tally.attention:
        return text
    human = ngettext("%(n)s needs a human.", "%(n)s need a human.", tally.attention) % {"n": grouped(tally.attention)}
    return f"{text} {human}"


def _things(tally: Tally, n: int) -> str:
    if tally.people:
        return ngettext("%(n)s person", "%(n)s people", n) % {"n": grouped(n)}
    return ngettext("%(n)s step", "%(n)s steps", n) % {"n": grouped(n)}
