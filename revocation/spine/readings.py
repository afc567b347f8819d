"""How Microsoft lets writes through: two readings of one sentence, and how we learn which of them is so.

"3,000 requests per 2 minutes and 30 seconds" can be meant as

    windows      3,000 at any pace, then nothing until 150 seconds after the first of them
    continuous   a bucket of 3,000 that refills all the time, with 20 in each second

Both are counted at all times. While neither was seen, windows are kept: never more than the quota between the first
write and the end of its window is right under both. In the last seconds of a window that is used up a probe goes out,
one batch more than windows allow, at a moment in which a bucket would long have room again:

    all of them are done    more than the quota was done in less than its time: no windows
    some are answered 429   no bucket; nothing was lost but the few seconds until the window ends

A list that goes on takes as long as it would have without the probe. What was seen is kept in the row of the tenant,
and given up again when Microsoft's answers contradict it.

Pure decisions about one row: nothing here reads or writes anything, nor looks at the clock.

https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.batch import LIMIT
from revocation.models import WriteQuota

Reading = WriteQuota.Reading

# Microsoft counts a write a moment after we do: its window closes later, and its bucket begins to refill later.
MARGIN = 0.5  # seconds
# The part of a window at its end in which a probe goes out: short, since a click would have to wait for the rest of it.
PROBE_PART = 1 / 20
# A probe that leaves later than this before the end might be answered by the next window.
TOO_LATE_PART = 1 / 100
# A probe costs a batch of refusals where there are windows, so one a day is enough.
PROBE_AGAIN = timedelta(days=1)
# A bucket asks to wait for a few writes; who asks to wait for a larger part of the window than this has none.
LONG_WAIT_PART = 1 / 10


@dataclass(frozen=True)
class Rule:
    """`amount` writes in `seconds`."""

    amount: int
    seconds: float

    @property
    def rate(self) -> float:
        """Writes per second in the long run."""
        return self.amount / self.seconds

    @property
    def bucket(self) -> float:
        """What a bucket holds when it is full, as far as we dare count on it."""
        return max(1.0, self.amount - self.rate * MARGIN)

    def part(self, share: float) -> "Rule":
        return Rule(max(1, int(self.amount * share)), self.seconds)


# --- Counting -------------------------------------------------------------------------------------------


def fresh(key: str, rule: Rule, now: datetime) -> WriteQuota:
    """The row of a quota of which nothing was used so far."""
    return WriteQuota(key=key, opened_at=now, level=rule.bucket, level_at=now)


def bring_up_to(now: datetime, quota: WriteQuota, rule: Rule) -> WriteQuota:
    """Open the next window where the last is over, and let the bucket refill."""
    if now >= closes(quota, rule):
        quota.opened_at, quota.taken, quota.accepted = now, 0, 0
    if now > quota.level_at:
        refilled = (now - quota.level_at).total_seconds() * rule.rate
        quota.level, quota.level_at = min(rule.bucket, quota.level + refilled), now
    return quota


def take(quota: WriteQuota, writes: int) -> None:
    quota.taken += writes
    quota.level -= writes


def room(quota: WriteQuota, rule: Rule, reading: str) -> float:
    """Writes that may go out now."""
    return quota.level if reading == Reading.CONTINUOUS else rule.amount - quota.taken


def again_at(quota: WriteQuota, rule: Rule, reading: str, wanted: float) -> datetime:
    """When there will be room for so many writes, or at least for some in a new window."""
    if reading == Reading.CONTINUOUS:
        return quota.level_at + timedelta(seconds=max(0.0, wanted - quota.level) / rule.rate)
    return closes(quota, rule)


def closes(quota: WriteQuota, rule: Rule) -> datetime:
    return quota.opened_at + timedelta(seconds=rule.seconds + MARGIN)


# --- Probing --------------------------------------------------------------------------------------------


def probe(quota: WriteQuota, rule: Rule, now: datetime) -> int:
    """How many writes may go out beyond the window in order to learn something: one more batch than it has room for."""
    left = rule.amount - quota.taken
    if not 0 <= left <= LIMIT or not _would_tell(quota, rule, now):
        return 0
    if not probe_at(quota, rule) <= now <= _ends(quota, rule) - timedelta(seconds=rule.seconds * TOO_LATE_PART):
        return 0
    return left + LIMIT


def next_probe(quota: WriteQuota, rule: Rule, now: datetime) -> datetime | None:
    """When a probe may go out in the present window; None where none will."""
    at = probe_at(quota, rule)
    may_be = quota.reading != Reading.CONTINUOUS and (quota.probe_after is None or quota.probe_after <= at)
    return at if may_be and now < at and 0 <= rule.amount - quota.taken <= LIMIT else None


def probe_at(quota: WriteQuota, rule: Rule) -> datetime:
    return _ends(quota, rule) - timedelta(seconds=rule.seconds * PROBE_PART)


def _would_tell(quota: WriteQuota, rule: Rule, now: datetime) -> bool:
    """Whether the two readings disagree about a further write, beyond what our counting may be out by."""
    allowed = quota.probe_after is None or quota.probe_after <= now
    return allowed and quota.reading != Reading.CONTINUOUS and quota.level >= rule.amount / 2


def _ends(quota: WriteQuota, rule: Rule) -> datetime:
    """The earliest moment at which Microsoft's window can end."""
    return quota.opened_at + timedelta(seconds=rule.seconds)


# --- Believing what was answered ------------------------------------------------------------------------


def accepted(quota: WriteQuota, rule: Rule, called: Iterable[datetime], now: datetime) -> bool:
    """Writes that left at these times were done. Whether they show for the first time that there are no windows."""
    if now <= _ends(quota, rule):  # an answer that comes later may be the next window's
        quota.accepted += sum(1 for at in called if at >= quota.opened_at)
    if quota.reading == Reading.CONTINUOUS or quota.accepted <= rule.amount:
        return False
    _see(quota, Reading.CONTINUOUS, now, writes=quota.accepted, seconds=(now - quota.opened_at).total_seconds())
    return True


def block(quota: WriteQuota, until: datetime) -> None:
    """Nothing goes out until then."""
    quota.blocked_until = max(until, quota.blocked_until or until)


def refused(quota: WriteQuota, rule: Rule, now: datetime, until: datetime) -> bool:
    """Microsoft answered 429 over this quota and told us to wait until then. Whether our reading changed by it."""
    known, wait = quota.reading, (until - now).total_seconds()
    waiting = quota.blocked_until is not None and now < quota.blocked_until  # one of several that left together
    shortly_before = quota.blocked_until is not None and now - quota.blocked_until < timedelta(seconds=rule.seconds)
    block(quota, until)
    facts = {"writes": quota.accepted, "seconds": (now - quota.opened_at).total_seconds(), "wait": wait}
    if known != Reading.CONTINUOUS:
        if quota.taken > rule.amount and quota.level >= 0:  # a bucket would have had room for all of them
            _see(quota, Reading.WINDOWS, now, **facts)
    elif waiting:
        pass
    elif wait > rule.seconds * LONG_WAIT_PART:
        _see(quota, Reading.WINDOWS, now, **facts)
    elif shortly_before:
        # Not as much as we thought, again: somebody else writes, or neither reading is right. Windows are careful.
        quota.reading, quota.seen_at, quota.evidence, quota.probe_after = "", None, {}, now + PROBE_AGAIN
    if until >= quota.level_at:
        quota.level, quota.level_at = min(quota.level, 0.0), until
    if quota.reading != Reading.CONTINUOUS and until > closes(quota, rule):
        # Microsoft's window ends later than ours: ours is the one that is out.
        quota.opened_at, quota.taken = until - timedelta(seconds=rule.seconds + MARGIN), rule.amount
    return quota.reading != known


def _see(quota: WriteQuota, reading: str, now: datetime, **facts: float) -> None:
    quota.reading, quota.seen_at, quota.evidence = reading, now, facts
    quota.probe_after = now + PROBE_AGAIN if reading == Reading.WINDOWS else None
