"""How far each part of the copy has come: begun, gone on with, done, failed, due again."""

import time
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Tenant
from directory.models import Collection, Progress
from graph.errors import Forbidden, GraphError, TokenError

Part = Progress.Part
FIRST_WAIT, REFUSED_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=5), timedelta(minutes=15)


class Deadline:
    """So many seconds from now; without a number, never."""

    def __init__(self, seconds: float | None = None):
        self._at = None if seconds is None else time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        return self._at is not None and time.monotonic() >= self._at


def of(tenant: Tenant, part: str) -> Progress:
    return Progress.objects.get_or_create(tenant=tenant, part=part)[0]


def ask_for(tenant: Tenant, parts: list[str], why: str) -> None:
    """These parts are to be read in full as soon as there is time. What the copy shows stays meanwhile."""
    for part in parts:
        progress = of(tenant, part)
        progress.due = why
        progress.save(update_fields=["due"])


def begin(progress: Progress, *, delta_link: str = "") -> None:
    """A list begins at its first page; `delta_link` tells what will have changed since."""
    now = timezone.now()
    progress.started_at = progress.named_since = now
    progress.next_link, progress.seen, progress.count, progress.unreadable, progress.kept = "", 0, None, 0, []
    if delta_link:
        progress.delta_link, progress.delta_at = delta_link, now
    progress.save()


def waits(progress: Progress) -> bool:
    """Whether it failed a short while ago."""
    return bool(progress.not_before and progress.not_before > timezone.now())


def done(progress: Progress, at: datetime | None = None) -> None:
    """The part was read to its end."""
    progress.done_at = at or timezone.now()
    progress.started_at, progress.next_link, progress.due = None, "", ""
    progress.failures, progress.not_before = 0, None
    progress.save()


def failed(progress: Progress, error: Exception) -> None:
    """It is tried again later, and later each time. A list keeps its place."""
    progress.failures += 1
    first = REFUSED_WAIT if isinstance(error, Forbidden | TokenError) else FIRST_WAIT
    wait = min(first * 2 ** min(progress.failures - 1, 10), LONGEST_WAIT)
    asked = getattr(error, "retry_after", None) if isinstance(error, GraphError) else None
    progress.not_before = timezone.now() + max(wait, timedelta(seconds=asked or 0))
    progress.save(update_fields=["failures", "not_before"])


def say(tenant: Tenant, kind: str, **columns) -> None:
    """What pages show of a part."""
    Collection.objects.update_or_create(tenant=tenant, kind=kind, defaults=columns)
