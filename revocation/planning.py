"""The plan before the button: how many writes, how long by the tenant's real quota, and what would be cheaper."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Tenant
from revocation.models import QuotaBucket, RevocationRequest, RevocationStep
from revocation.rules import two_persons
from revocation.spine import budget

# Done by the portal itself: costs nothing of Microsoft's quota.
LOCAL_ACTIONS = frozenset({"end_portal_sessions"})


@dataclass(frozen=True)
class Quota:
    """What Microsoft lets us write in this tenant, as far as we know now: `amount` writes in each `seconds`."""

    amount: int | None  # None where pacing is off
    seconds: float
    at_hand: int  # writes that may still go out in the present window
    next_window: timedelta  # until a new one opens
    blocked_until: datetime | None  # a 429 told us to wait until then

    @property
    def rate(self) -> float | None:
        """Writes per second in the long run."""
        return self.amount / self.seconds if self.amount else None

    @property
    def resumes_at(self) -> datetime | None:
        """When the next write may go out, where none may now."""
        if self.blocked_until:
            return self.blocked_until
        return timezone.now() + self.next_window if self.amount and self.at_hand < 1 else None


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
    alternative: Alternative | None = None


def quota(tenant: Tenant, *, high_priority: bool = False) -> Quota:
    """The tenant's write quota for a mass action, as `revocation.spine.budget` will apply it. One query."""
    rule = budget.tenant_rule()
    if rule is None:
        return Quota(None, 0.0, 0, timedelta(), None)
    now, share = timezone.now(), budget.share_of(tenant, high_priority=high_priority)
    whole, mass = f"tenant:{tenant.pk}", f"mass:{tenant.pk}"
    rules = {whole: rule} | ({mass: rule.part(share)} if share < 1 else {})
    buckets = {bucket.key: bucket for bucket in QuotaBucket.objects.filter(key__in=rules)}
    rooms = {key: _room(buckets.get(key), rules[key], now) for key in rules}
    left, wait = rooms[whole]
    rooms[whole] = (max(0, left - budget.RESERVE), wait)
    at_hand, next_window = min(rooms.values())
    blocked = max(filter(None, (bucket.blocked_until for bucket in buckets.values())), default=None)
    blocked = blocked if blocked and blocked > now else None
    return Quota(min(one.amount for one in rules.values()), rule.seconds, at_hand, next_window, blocked)


def _room(bucket: QuotaBucket | None, rule: budget.Rule, now: datetime) -> tuple[int, timedelta]:
    """What is left of a window, and when the next one opens."""
    length = timedelta(seconds=rule.seconds + budget.MARGIN)
    if bucket is None or now >= bucket.refilled_at + length:
        return rule.amount, length
    return int(bucket.tokens), bucket.refilled_at + length - now


def time_for(known: Quota, writes: int) -> timedelta | None:
    """How long this many writes take by the quota; None without one, when only the answers' own speed counts."""
    if known.amount is None:
        return None
    wait = max(timedelta(), known.blocked_until - timezone.now()) if known.blocked_until else timedelta()
    beyond = writes - known.at_hand
    if beyond <= 0:
        return wait
    windows = math.ceil(beyond / known.amount)
    return wait + known.next_window + timedelta(seconds=(windows - 1) * (known.seconds + budget.MARGIN))


def time_left(known: Quota, writes: int, measured: float) -> timedelta | None:
    """How long what is left takes: by the quota where that stops us, else at the speed measured."""
    floor = time_for(known, writes)
    at_this_speed = timedelta(seconds=writes / measured) if measured else None
    if floor is None or writes <= known.at_hand:
        return max(filter(None, (floor, at_this_speed)), default=None)
    return floor


def queued_writes(tenant: Tenant, besides: RevocationRequest | None = None) -> int:
    """Writes already waiting in this tenant's running requests."""
    waiting = RevocationStep.objects.filter(
        tenant=tenant,
        state__in=[RevocationStep.State.WAITING, RevocationStep.State.CLAIMED],
        request__state=RevocationRequest.State.RUNNING,
    ).exclude(action__in=LOCAL_ACTIONS)
    return (waiting.exclude(request=besides) if besides else waiting).count()


def plan(
    tenant: Tenant,
    actions: Iterable[str],
    *,
    people: int,
    urgent: int = 0,
    recent: int = 0,
    last: int = 0,
    high_priority: bool = False,
    people_hit: int | None = None,
    alternative: Alternative | None = None,
) -> Plan:
    """What a request with these actions (one per step) would cost, before anybody commits to it.

    Args:
        people: who is signed out.
        people_hit: everyone the steps touch, which is what the tenant's approval threshold counts; else `people`.
    """
    counted = Counter(actions)
    writes = sum(count for action, count in counted.items() if action not in LOCAL_ACTIONS)
    queued, threshold = queued_writes(tenant), two_persons.in_force(tenant).threshold
    return Plan(
        people=people,
        writes=writes,
        queued=queued,
        by_action=counted.most_common(),
        urgent=urgent,
        recent=recent,
        last=last,
        duration=time_for(quota(tenant, high_priority=high_priority), writes + queued),
        needs_approval=(people if people_hit is None else people_hit) > threshold,
        threshold=threshold,
        alternative=alternative,
    )
