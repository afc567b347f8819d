"""The plan before the button: how many writes, how long by the tenant's real quota, and what would be cheaper."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.models import Tenant
from revocation import actions
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules import two_persons
from revocation.spine import budget
from revocation.spine.budget import Outlook
from revocation.spine.readings import MARGIN, Reading


@dataclass(frozen=True)
class Alternative:
    """A cheaper way to the same end, in numbers: the words are the page's."""

    writes: int
    instead_of: int


@dataclass(frozen=True)
class Plan:
    people: int
    writes: int
    queued: int  # writes of other requests that are already waiting
    by_action: list[tuple[str, int]]
    urgent: int  # privileged people and those who let a risky app in: first
    recent: int  # people known to have been active in the last days: next
    last: int  # disabled accounts: at the end
    duration: timedelta | None
    needs_approval: bool
    threshold: int
    quota: Outlook
    alternative: Alternative | None = None

    @property
    def refuses(self) -> bool:
        """Whether it is about refreshes, and ends no session at Microsoft."""
        return any(action.startswith("refuse_refresh") for action, _count in self.by_action)


def time_for(known: Outlook, writes: int) -> timedelta | None:
    """How long this many writes take by the quota; None without one, when only the answers' own speed counts.

    While it was not seen how Microsoft lets writes through, by windows: the slower of the two.
    """
    if known.rule is None:
        return None
    now = timezone.now()
    wait = max(timedelta(), known.blocked_until - now) if known.blocked_until else timedelta()
    beyond = writes - known.room
    if beyond <= 0:
        return wait
    if known.reading == Reading.CONTINUOUS:
        return wait + timedelta(seconds=beyond / known.rule.rate)
    windows = math.ceil(beyond / known.rule.amount)
    return wait + (known.opens_at - now) + (windows - 1) * timedelta(seconds=known.rule.seconds + MARGIN)


def time_left(known: Outlook, writes: int, measured: float) -> timedelta | None:
    """How long what is left takes: by the quota where that stops us, else at the speed measured."""
    floor = time_for(known, writes)
    at_this_speed = timedelta(seconds=writes / measured) if measured else None
    if floor is None or writes <= known.room:
        return max(filter(None, (floor, at_this_speed)), default=None)
    return floor


def queued_writes(tenant: Tenant, besides: RevocationRequest | None = None) -> int:
    """Writes already waiting in this tenant's running requests."""
    waiting = (
        RevocationStep.objects.pending()
        .filter(tenant=tenant, request__state=RevocationRequest.State.RUNNING)
        .exclude(action__in=actions.named("local"))
    )
    return (waiting.exclude(request=besides) if besides else waiting).count()


def plan(
    tenant: Tenant,
    steps: Iterable[str],
    *,
    people: int,
    urgent: int = 0,
    recent: int = 0,
    last: int = 0,
    high_priority: bool = False,
    needs_approval: bool | None = None,
    alternative: Alternative | None = None,
) -> Plan:
    """What a request with these steps (an action's name each) would cost, before anybody commits to it.

    Args:
        people: who is signed out.
        needs_approval: by whom the steps hit (`rules.hits`); None: as for a first request about these people.
    """
    counted, local = Counter(steps), actions.named("local")  # what the portal does itself costs none of the quota
    writes = sum(count for action, count in counted.items() if action not in local)
    queued = queued_writes(tenant)
    quota = budget.outlook(tenant, high_priority=high_priority)
    return Plan(
        people=people,
        writes=writes,
        queued=queued,
        by_action=counted.most_common(),
        urgent=urgent,
        recent=recent,
        last=last,
        duration=time_for(quota, writes + queued),
        quota=quota,
        needs_approval=(
            two_persons.asked_for(tenant, people=people, deletes=any(actions.get(action).deletes for action in counted))
            if needs_approval is None
            else needs_approval
        ),
        threshold=two_persons.in_force(tenant).threshold,
        alternative=alternative,
    )
