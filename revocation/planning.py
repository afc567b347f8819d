"""The plan before the button: how many writes, how long by the tenant's real quota, and what would be cheaper."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Tenant
from revocation import budget
from revocation.models import QuotaBucket, RevocationRequest, RevocationStep

# Done by the portal itself: costs nothing of Microsoft's quota.
LOCAL_ACTIONS = frozenset({"end_portal_sessions"})


@dataclass(frozen=True)
class Quota:
    """What Microsoft lets us write in this tenant, as far as we know now."""

    rate: float | None  # writes per second we allow ourselves; None where pacing is off
    at_hand: float  # writes that may go out at once
    blocked_until: datetime | None  # a 429 told us to wait until then


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
    last: int  # disabled accounts: at the end
    duration: timedelta | None
    needs_approval: bool
    threshold: int
    alternative: Alternative | None = None

    @property
    def finished_by(self) -> datetime | None:
        return timezone.now() + self.duration if self.duration is not None else None


def quota(tenant: Tenant, *, high_priority: bool = False) -> Quota:
    """The tenant's write quota for a mass action, as `revocation.budget` will apply it. One query."""
    rule = budget.tenant_rule()
    if rule is None:
        return Quota(None, 0.0, None)
    share = budget.share_of(tenant, high_priority=high_priority)
    now = timezone.now()
    keys = (f"tenant:{tenant.pk}", f"mass:{tenant.pk}")
    buckets = {bucket.key: bucket for bucket in QuotaBucket.objects.filter(key__in=keys)}
    at_hand = _tokens(buckets.get(keys[0]), rule.capacity, rule.rate, now) - budget.RESERVE
    if share < 1:
        at_hand = min(at_hand, _tokens(buckets.get(keys[1]), rule.capacity * share, rule.rate * share, now))
    blocked = max(
        (b.blocked_until for b in buckets.values() if b.blocked_until and b.blocked_until > now), default=None
    )
    return Quota(rule.rate * share, max(0.0, at_hand), blocked)


def _tokens(bucket: QuotaBucket | None, capacity: float, rate: float, now: datetime) -> float:
    if bucket is None:
        return capacity
    return min(capacity, bucket.tokens + max(0.0, (now - bucket.refilled_at).total_seconds()) * rate)


def time_for(known: Quota, writes: int) -> timedelta | None:
    """How long this many writes take; None without a quota, when only the answers' own speed counts."""
    if known.rate is None:
        return None
    wait = max(0.0, (known.blocked_until - timezone.now()).total_seconds()) if known.blocked_until else 0.0
    return timedelta(seconds=wait + max(0.0, writes - known.at_hand) / known.rate)


def time_left(known: Quota, writes: int, measured: float) -> timedelta | None:
    """How long what is left takes: never less than the quota allows, and at the measured speed where it is slower."""
    floor = time_for(known, writes)
    if not measured:
        return floor
    at_this_speed = timedelta(seconds=writes / measured)
    if floor is None or (known.rate and measured < known.rate * 0.9):
        return at_this_speed
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
    queued = queued_writes(tenant)
    return Plan(
        people=people,
        writes=writes,
        queued=queued,
        by_action=counted.most_common(),
        urgent=urgent,
        last=last,
        duration=time_for(quota(tenant, high_priority=high_priority), writes + queued),
        needs_approval=(people if people_hit is None else people_hit) > tenant.approval_threshold,
        threshold=tenant.approval_threshold,
        alternative=alternative,
    )
