"""Microsoft's write quotas, counted by us in rows that all workers share, so that we stop before being told to.

Three quotas meet in every write: the tenant's (app + tenant), the app's over all tenants, and the tenant's share for
mass actions. A mass action takes from all three. A click takes from the first two and waits for neither: only a 429
makes it wait, or so many other clicks that a mass action which waits would get nothing at all. How a quota lets writes
through is learned from Microsoft's answers, see `readings`.

https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits
"""

import logging
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Tenant
from graph.batch import LIMIT
from graph.errors import ThrottleScope
from revocation.models import RevocationRequest, RevocationStep, WriteQuota
from revocation.spine import readings
from revocation.spine.readings import Rule

logger = logging.getLogger(__name__)

APP = "app"
# Writes that a mass action leaves in the tenant's quota, so that a click finds some at any time.
RESERVE = 20
# The part of the tenant's quota that clicks leave to a mass action that waits, however many people click.
KEPT_FOR_MASS = 0.1
ACTIVE = timedelta(seconds=30)
DEFAULT_WAIT = 10.0  # seconds, where a 429 names no time
# Without pacing a row only keeps the time until which a 429 told us to wait.
NO_LIMIT = Rule(10**9, 1.0)
COUNTERS = ["opened_at", "taken", "accepted", "level", "level_at"]


@dataclass(frozen=True)
class Allowance:
    """How many writes may go out now; when there are fewer than wanted, when to ask again."""

    granted: int
    again_at: datetime | None = None


@dataclass(frozen=True)
class Outlook:
    """What a mass action may write in a tenant, as far as is known now. `rule` is None where pacing is off."""

    rule: Rule | None
    room: int = 0  # writes that may go out at once
    opens_at: datetime | None = None  # when windows are kept: when the next one opens
    blocked_until: datetime | None = None  # a 429 told us to wait until then
    reading: str = ""  # how Microsoft lets writes through; empty while that was not seen
    seen_at: datetime | None = None

    @property
    def resumes_at(self) -> datetime | None:
        """When the next writes may go out, where none may now."""
        if self.blocked_until or self.rule is None:
            return self.blocked_until
        return self.opens_at if self.room < 1 and self.reading != readings.Reading.CONTINUOUS else None


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

    Must be called in a transaction; the rows stay locked until it ends.
    """
    now = timezone.now()
    rules = _rules(tenant, interactive, high_priority)
    if all(rule is NO_LIMIT for rule in rules.values()):
        # Nothing is counted, so nobody waits for anybody's lock; only what a 429 said holds.
        blocked = _blocked_until(_found(rules))
        return Allowance(0, blocked) if blocked and blocked > now else Allowance(wanted)
    quotas = _locked(rules, now)
    if (blocked := _blocked_until(quotas)) and blocked > now:
        return Allowance(0, blocked)
    allowance = _for_clicks if interactive else _for_mass
    allowed = allowance(tenant, quotas, rules, wanted, now)
    for quota in quotas.values():
        readings.take(quota, allowed.granted)
    WriteQuota.objects.bulk_update(quotas.values(), COUNTERS)
    return allowed


def accepted(tenant: Tenant, called: Sequence[datetime]) -> None:
    """Microsoft did the writes that left at these times. Must be called in a transaction."""
    rule = tenant_rule()
    if not rule or not called:
        return
    now = timezone.now()
    quota = _locked({_key(tenant): rule}, now)[_key(tenant)]
    if readings.accepted(quota, rule, called, now):
        logger.info("Microsoft's write quota of %s: %s %s", quota.key, quota.reading, quota.evidence)
    quota.save()


def throttled(tenant: Tenant, retry_after: float | None, scope: ThrottleScope = ThrottleScope.UNKNOWN) -> datetime:
    """Microsoft answered 429: nothing more is written until the time it named. Returns that time.

    Must be called in a transaction.

    Args:
        retry_after: seconds, None where Microsoft named no time.
        scope: whose limit was met. Over the app's, every tenant waits; other apps' writes tell nothing about ours.
    """
    now = timezone.now()
    until = now + timedelta(seconds=DEFAULT_WAIT if retry_after is None else retry_after)
    key, rule = (APP, app_rule()) if scope == ThrottleScope.APP else (_key(tenant), tenant_rule())
    quota = _locked({key: rule or NO_LIMIT}, now)[key]
    if scope in (ThrottleScope.APP, ThrottleScope.TENANT) or rule is None:
        readings.block(quota, until)
    elif readings.refused(quota, rule, now, until):
        logger.info("Microsoft's write quota of %s: %s %s", key, quota.reading or "not known", quota.evidence)
    quota.save()
    return until


def rows() -> dict[str, WriteQuota]:
    """The quotas of all tenants, by key. One query."""
    return {quota.key: quota for quota in WriteQuota.objects.all()}


def outlook(tenant: Tenant, *, high_priority: bool = False, known: dict[str, WriteQuota] | None = None) -> Outlook:
    """What `take` would say to a mass action now. Nothing is taken or locked.

    Args:
        known: what `rows` gave; one query without it.
    """
    now, rules = timezone.now(), _rules(tenant, False, high_priority)
    # Copies: they are brought up to date in memory.
    found = {key: copy(quota) for key, quota in (_found(rules) if known is None else known).items()}
    quotas = {
        key: readings.bring_up_to(now, found.get(key) or readings.fresh(key, rule, now), rule)
        for key, rule in rules.items()
    }
    whole = quotas[_key(tenant)]
    own = {key: quota for key, quota in quotas.items() if key != APP}
    rooms = {key: _room(quota, rules[key], whole.reading) for key, quota in own.items()}
    narrowest = min(own, key=lambda key: rooms[key])
    blocked = _blocked_until(quotas)
    return Outlook(
        rule=min((rules[key] for key in own), key=lambda rule: rule.amount) if tenant_rule() else None,
        room=max(0, int(rooms[narrowest])),
        opens_at=readings.closes(quotas[narrowest], rules[narrowest]),
        blocked_until=blocked if blocked and blocked > now else None,
        reading=whole.reading,
        seen_at=whole.seen_at,
    )


def opened_at(
    tenant: Tenant, known: dict[str, WriteQuota], *, interactive: bool, high_priority: bool, mass_waits: bool
) -> datetime | None:
    """Since when the quota lets writes out, or from when on it will; None where nothing was written yet.

    As the rows say it, whether or not a worker lives that would bring them up to date. No query.

    Args:
        known: what `rows` gave.
        mass_waits: whether a list of the tenant waits, for which clicks leave a part of the quota.
    """
    rules = _rules(tenant, interactive, high_priority)
    quotas = {key: known[key] for key in rules if key in known}
    reading = quotas[_key(tenant)].reading if _key(tenant) in quotas else ""
    found = [quota.blocked_until for quota in quotas.values() if quota.blocked_until]
    if interactive:
        held = [_clicks_key(tenant)] if _clicks_key(tenant) in quotas and mass_waits else []
    else:
        held = [key for key in quotas if rules[key] is not NO_LIMIT]
    for key in held:
        quota, rule = quotas[key], rules[key]
        kind = "" if key == APP else reading
        room = readings.room(quota, rule, kind) if interactive else _room(quota, rule, kind)
        # Who waits for a bucket waits for a whole batch; a window lets out what it has.
        wanted = min(LIMIT, rule.amount / 2) if kind == readings.Reading.CONTINUOUS else 1
        since = quota.level_at if kind == readings.Reading.CONTINUOUS else quota.opened_at
        found.append(since if room >= wanted else readings.again_at(quota, rule, kind, quota.level + wanted - room))
    return max(found, default=None)


def _found(rules: dict[str, Rule]) -> dict[str, WriteQuota]:
    return {quota.key: quota for quota in WriteQuota.objects.filter(key__in=rules)}


def _for_clicks(
    tenant: Tenant, quotas: dict[str, WriteQuota], rules: dict[str, Rule], wanted: int, now: datetime
) -> Allowance:
    key = _clicks_key(tenant)
    if key not in rules:
        return Allowance(wanted)
    reading, quota, rule = quotas[_key(tenant)].reading, quotas[key], rules[key]
    room = int(readings.room(quota, rule, reading))
    if room >= wanted or not _mass_waits(tenant):
        return Allowance(wanted)
    missing = min(wanted, LIMIT) - room
    return Allowance(max(0, room), readings.again_at(quota, rule, reading, quota.level + missing))


def _mass_waits(tenant: Tenant) -> bool:
    waiting = RevocationStep.objects.filter(tenant=tenant, state=RevocationStep.State.WAITING, interactive=False)
    return waiting.filter(request__state=RevocationRequest.State.RUNNING).exists()


def _for_mass(
    tenant: Tenant, quotas: dict[str, WriteQuota], rules: dict[str, Rule], wanted: int, now: datetime
) -> Allowance:
    granted, again_at = wanted, None
    whole = quotas[_key(tenant)]
    for key, quota in quotas.items():
        reading = "" if key == APP else whole.reading
        room = _room(quota, rules[key], reading)
        if key == APP:
            room = _fair_part(room, rules[key], now)
        if int(room) < granted:
            granted = max(0, int(room))
            missing = min(wanted, LIMIT) - _room(quota, rules[key], reading)
            again_at = readings.again_at(quota, rules[key], reading, quota.level + missing)
    if granted < wanted and _mass_key(tenant) not in rules:  # a share is a promise that a probe would break
        probe = readings.probe(whole, rules[whole.key], now)
        if probe - LIMIT < wanted and 0 < probe <= _room(quotas[APP], rules[APP], ""):
            return Allowance(min(wanted, probe), readings.closes(whole, rules[whole.key]))
        if at := readings.next_probe(whole, rules[whole.key], now):
            again_at = min(again_at, at)
    return Allowance(granted, again_at)


def _room(quota: WriteQuota, rule: Rule, reading: str) -> float:
    """What a quota has for a mass action: not what is kept for clicks."""
    kept = 0 if quota.key.startswith("mass:") else min(RESERVE, rule.amount / 2)
    return readings.room(quota, rule, reading) - kept


def _fair_part(room: float, rule: Rule, now: datetime) -> float:
    """When the app's quota over all tenants runs low, tenants that are writing share what is left."""
    if room > rule.amount / 2:
        return room
    active = WriteQuota.objects.filter(key__startswith="tenant:", level_at__gt=now - ACTIVE).count()
    return room / max(1, active)


def _rules(tenant: Tenant, interactive: bool, high_priority: bool) -> dict[str, Rule]:
    whole = tenant_rule()
    rules = {_key(tenant): whole or NO_LIMIT, APP: app_rule() or NO_LIMIT}
    share = share_of(tenant, high_priority=high_priority)
    if whole and interactive:
        rules[_clicks_key(tenant)] = whole.part(1 - KEPT_FOR_MASS)
    if whole and not interactive and share < 1:
        rules[_mass_key(tenant)] = whole.part(share)
    return rules


def _key(tenant: Tenant) -> str:
    return f"tenant:{tenant.pk}"


def _mass_key(tenant: Tenant) -> str:
    return f"mass:{tenant.pk}"


def _clicks_key(tenant: Tenant) -> str:
    return f"clicks:{tenant.pk}"


def _blocked_until(quotas: dict[str, WriteQuota]) -> datetime | None:
    return max((quota.blocked_until for quota in quotas.values() if quota.blocked_until), default=None)


def _locked(rules: dict[str, Rule], now: datetime) -> dict[str, WriteQuota]:
    """The rows as of now, locked until the transaction ends; in one order for everybody."""
    assert transaction.get_connection().in_atomic_block  # noqa: S101 - a lock outside a transaction is none
    locked = WriteQuota.objects.select_for_update().filter(key__in=rules).order_by("key")
    found = {quota.key: quota for quota in locked}
    missing = sorted(key for key in rules if key not in found)
    if missing:
        fresh = [readings.fresh(key, rules[key], now) for key in missing]
        WriteQuota.objects.bulk_create(fresh, ignore_conflicts=True)
        found = {quota.key: quota for quota in locked.all()}
    return {key: readings.bring_up_to(now, found[key], rules[key]) for key in rules}
