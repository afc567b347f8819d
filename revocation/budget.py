"""Microsoft's write quotas as token buckets that all workers share, so that we slow down before being told to.

Three buckets meet in every write: the tenant's (app + tenant), the app's over all tenants, and the tenant's share for mass
actions. A mass action takes from all three; a click takes from the first two and never waits for them: only a 429
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
# Writes that a mass action leaves in the tenant's bucket, so that a click finds some at any time.
RESERVE = 20.0
RECENT = timedelta(seconds=30)
DEFAULT_WAIT = 10.0  # seconds, where a 429 names no time


@dataclass(frozen=True)
class Allowance:
    """How many writes may go out now; when there are fewer than wanted, when to ask again."""

    granted: int
    again_at: datetime | None = None


@dataclass(frozen=True)
class _Rule:
    capacity: float
    rate: float  # per second


def tenant_rule() -> _Rule | None:
    """None where pacing is switched off."""
    if not settings.GRAPH_TENANT_WRITES:
        return None
    return _Rule(settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITES / settings.GRAPH_TENANT_WRITE_SECONDS)


def app_rule() -> _Rule | None:
    if not settings.GRAPH_APP_WRITES:
        return None
    return _Rule(settings.GRAPH_APP_WRITES, settings.GRAPH_APP_WRITES / settings.GRAPH_APP_WRITE_SECONDS)


def share_of(tenant: Tenant, *, high_priority: bool) -> float:
    """The part of the tenant's write quota that a mass action may use."""
    return 1.0 if high_priority else max(1, min(100, tenant.write_share_percent)) / 100


def take(tenant: Tenant, wanted: int, *, interactive: bool, high_priority: bool = False) -> Allowance:
    """Take up to `wanted` writes from the tenant's quota.

    Must be called in a transaction; the buckets stay locked until it ends.
    """
    now = timezone.now()
    tenant_key, mass_key = f"tenant:{tenant.pk}", f"mass:{tenant.pk}"
    whole, app = tenant_rule(), app_rule()
    share = share_of(tenant, high_priority=high_priority)
    rules: dict[str, _Rule] = {}
    if app:
        rules[APP] = app
    # Where pacing is off the bucket still keeps the time until which a 429 told us to wait.
    rules[tenant_key] = whole or _Rule(float("inf"), 0)
    if whole and not interactive and share < 1:
        rules[mass_key] = _Rule(whole.capacity * share, whole.rate * share)
    buckets = _locked(rules, now)

    blocked = max(
        (b.blocked_until for b in buckets.values() if b.blocked_until and b.blocked_until > now), default=None
    )
    if blocked:
        return Allowance(0, blocked)
    granted, wait = wanted, 0.0
    if not interactive:
        for key, bucket in buckets.items():
            if rules[key].capacity == float("inf"):
                continue
            available = bucket.tokens - (RESERVE if key != mass_key else 0)
            if key == APP:
                available = min(available, _fair_part(available, rules[key], now))
            room = max(0, int(available))
            if room < granted:
                granted = room
                missing = min(wanted, 20) - available
                wait = max(wait, missing / rules[key].rate)
    for key, bucket in buckets.items():
        if rules[key].capacity != float("inf"):
            bucket.tokens -= granted
    QuotaBucket.objects.bulk_update(buckets.values(), ["tokens", "refilled_at"])
    again_at = now + timedelta(seconds=max(wait, 0.05)) if granted < wanted else None
    return Allowance(granted, again_at)


def throttled(tenant: Tenant, retry_after: float | None, *, scope: str = "") -> datetime:
    """Microsoft answered 429: nothing more is written in this tenant until the time it named. Returns that time.

    Must be called in a transaction. `scope` is the answer's x-ms-throttle-scope; "Application/…" means all tenants.
    """
    now = timezone.now()
    until = now + timedelta(seconds=DEFAULT_WAIT if retry_after is None else retry_after)
    key = APP if scope.startswith("Application/") else f"tenant:{tenant.pk}"
    bucket = _locked({key: tenant_rule() or _Rule(0, 0)}, now)[key]
    bucket.blocked_until = max(until, bucket.blocked_until or until)
    bucket.tokens = min(bucket.tokens, 0.0)
    bucket.save(update_fields=["blocked_until", "tokens", "refilled_at"])
    return until


def floor_seconds(tenant: Tenant, writes: int, *, high_priority: bool = False) -> float:
    """How long this many writes of a mass action take at least, by the quota alone, from a bucket as full as it is."""
    whole = tenant_rule()
    if not whole:
        return 0.0
    share = share_of(tenant, high_priority=high_priority)
    rule = _Rule(whole.capacity * share, whole.rate * share)
    found = QuotaBucket.objects.filter(key=f"mass:{tenant.pk}" if share < 1 else f"tenant:{tenant.pk}").first()
    tokens = _refilled(found, rule, timezone.now()) if found else rule.capacity
    return max(0.0, (writes - max(0.0, tokens)) / rule.rate)


def _fair_part(available: float, rule: _Rule, now: datetime) -> float:
    """When the app's quota over all tenants runs low, tenants that are writing share what is left."""
    if available > rule.capacity / 2:
        return available
    active = QuotaBucket.objects.filter(key__startswith="tenant:", refilled_at__gt=now - RECENT).count()
    return max(1.0, available / max(1, active))


def _locked(rules: dict[str, _Rule], now: datetime) -> dict[str, QuotaBucket]:
    """The buckets, refilled to now and locked until the transaction ends, in one order for everybody."""
    assert transaction.get_connection().in_atomic_block  # noqa: S101 - a lock outside a transaction is none
    found = {b.key: b for b in QuotaBucket.objects.select_for_update().filter(key__in=rules).order_by("key")}
    missing = [key for key in rules if key not in found]
    if missing:
        fresh = [QuotaBucket(key=key, tokens=min(rules[key].capacity, 1e9), refilled_at=now) for key in sorted(missing)]
        QuotaBucket.objects.bulk_create(fresh, ignore_conflicts=True)
        found = {b.key: b for b in QuotaBucket.objects.select_for_update().filter(key__in=rules).order_by("key")}
    for key, bucket in found.items():
        bucket.tokens = _refilled(bucket, rules[key], now)
        bucket.refilled_at = max(now, bucket.refilled_at)
    return {key: found[key] for key in rules}


def _refilled(bucket: QuotaBucket, rule: _Rule, now: datetime) -> float:
    elapsed = max(0.0, (now - bucket.refilled_at).total_seconds())
    return min(rule.capacity, 1e9, bucket.tokens + elapsed * rule.rate)
