"""Microsoft's write quotas, counted by us in windows that all workers share, so that we stop before being told to.

How the real quotas refill is not documented. We never write more than the quota in any window that opens with our
first write: that holds whether Microsoft counts in windows or lets a bucket drip.

Three windows meet in every write: the tenant's (app + tenant), the app's over all tenants, and the tenant's share for
mass actions. A mass action takes from all three. A click takes from the first two and waits for neither: only a 429
makes it wait.

https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Tenant
from revocation.models import QuotaBucket

APP = "app"
# Writes that a mass action leaves in the tenant's window, so that a click finds some at any time.
RESERVE = 20
# Microsoft's window opens when it sees our first write, a moment after ours does.
MARGIN = 0.5  # seconds
ACTIVE = timedelta(seconds=30)
DEFAULT_WAIT = 10.0  # seconds, where a 429 names no time


@dataclass(frozen=True)
class Allowance:
    """How many writes may go out now; when there are fewer than wanted, when to ask again."""

    granted: int
    again_at: datetime | None = None


@dataclass(frozen=True)
class Rule:
    """`amount` writes in any `seconds`."""

    amount: int
    seconds: float

    @property
    def rate(self) -> float:
        """Writes per second in the long run."""
        return self.amount / self.seconds

    def part(self, share: float) -> "Rule":
        return Rule(max(1, int(self.amount * share)), self.seconds)


# Without pacing the window only keeps the time until which a 429 told us to wait.
NO_LIMIT = Rule(10**9, 1.0)


def tenant_rule() -> Rule | None:
    """The quota of one app in one tenant; None where pacing is switched off."""
    if not (settings.GRAPH_TENANT_WRITES and settings.GRAPH_TENANT_WRITE_SECONDS):
        return None
    return Rule(settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITE_SECONDS)


def app_rule() -> Rule | None:
    return Rule(settings.GRAPH_APP_WRITES, settings.GRAPH_APP_WRITE_SECONDS) if settings.GRAPH_APP_WRITES else None


def share_of(tenant: Tenant, *, high_priority: bool) -> float:
    """The part of the tenant's write quota that a mass action may use."""
    return 1.0 if high_priority else max(1, min(100, tenant.write_share_percent)) / 100


def take(tenant: Tenant, wanted: int, *, interactive: bool, high_priority: bool = False) -> Allowance:
    """Take up to `wanted` writes from the tenant's quota.

    Must be called in a transaction; the windows stay locked until it ends.
    """
    now = timezone.now()
    rules = _rules(tenant, interactive, high_priority)
    buckets = _locked(rules, now)
    blocked = [bucket.blocked_until for bucket in buckets.values() if bucket.blocked_until]
    if blocked and max(blocked) > now:
        return Allowance(0, max(blocked))

    granted, again_at = wanted, None
    if not interactive:
        for key, bucket in buckets.items():
            room = bucket.tokens - (0 if key.startswith("mass:") else min(RESERVE, rules[key].amount / 2))
            if key == APP:
                room = _fair_part(room, rules[key], now)
            if int(room) < granted:
                granted = max(0, int(room))
                again_at = _closes(bucket, rules[key])
    for bucket in buckets.values():
        bucket.tokens -= granted
    QuotaBucket.objects.bulk_update(buckets.values(), ["tokens", "refilled_at"])
    return Allowance(granted, again_at)


def throttled(tenant: Tenant, retry_after: float | None, *, whole_app: bool = False) -> datetime:
    """Microsoft answered 429: nothing more is written in this tenant until the time it named. Returns that time.

    Must be called in a transaction.

    Args:
        whole_app: the limit that was hit is the one over all tenants.
    """
    now = timezone.now()
    until = now + timedelta(seconds=DEFAULT_WAIT if retry_after is None else retry_after)
    key, rule = (APP, app_rule()) if whole_app else (f"tenant:{tenant.pk}", tenant_rule())
    bucket = _locked({key: rule or NO_LIMIT}, now)[key]
    bucket.blocked_until = max(until, bucket.blocked_until or until)
    bucket.save(update_fields=["blocked_until", "tokens", "refilled_at"])
    return until


def floor_seconds(writes: int, rule: Rule) -> float:
    """How long this many writes take at least by a quota alone, beginning with a fresh window."""
    return max(0, (writes - 1) // rule.amount) * rule.seconds


def _rules(tenant: Tenant, interactive: bool, high_priority: bool) -> dict[str, Rule]:
    whole = tenant_rule()
    rules = {f"tenant:{tenant.pk}": whole or NO_LIMIT}
    if app := app_rule():
        rules[APP] = app
    share = share_of(tenant, high_priority=high_priority)
    if whole and not interactive and share < 1:
        rules[f"mass:{tenant.pk}"] = whole.part(share)
    return rules


def _fair_part(room: float, rule: Rule, now: datetime) -> float:
    """When the app's quota over all tenants runs low, tenants that are writing share what is left."""
    if room > rule.amount / 2:
        return room
    active = QuotaBucket.objects.filter(key__startswith="tenant:", refilled_at__gt=now - ACTIVE).count()
    return room / max(1, active)


def _locked(rules: dict[str, Rule], now: datetime) -> dict[str, QuotaBucket]:
    """The windows, opened anew where they are over, locked until the transaction ends; in one order for everybody."""
    assert transaction.get_connection().in_atomic_block  # noqa: S101 - a lock outside a transaction is none
    locked = QuotaBucket.objects.select_for_update().filter(key__in=rules).order_by("key")
    found = {bucket.key: bucket for bucket in locked}
    missing = sorted(key for key in rules if key not in found)
    if missing:
        fresh = [QuotaBucket(key=key, tokens=rules[key].amount, refilled_at=now) for key in missing]
        QuotaBucket.objects.bulk_create(fresh, ignore_conflicts=True)
        found = {bucket.key: bucket for bucket in locked.all()}
    for key, bucket in found.items():
        if now >= _closes(bucket, rules[key]):
            bucket.tokens, bucket.refilled_at = rules[key].amount, now
    return {key: found[key] for key in rules}


def _closes(bucket: QuotaBucket, rule: Rule) -> datetime:
    return bucket.refilled_at + timedelta(seconds=rule.seconds + MARGIN)
