"""How often one person may do what costs everybody: Microsoft's quotas belong to the whole organisation.

A bucket each, refilled all the time, kept as a row that all web processes share. Taking is one statement, so that two
requests at once cannot both have the last drop.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import ngettext

from accounts.models import Bucket

READ = "read"  # not a pace: when Microsoft was last asked about somebody for themselves
FRESH = timedelta(seconds=20)  # for so long what was read is the answer to being asked again


@dataclass(frozen=True)
class Pace:
    """So many within a minute. `setting` names how many; 0 sets no limit."""

    name: str
    setting: str

    @property
    def amount(self) -> int:
        return getattr(settings, self.setting)


CHANGES = Pace("changes", "OWN_CHANGES_PER_MINUTE")
READINGS = Pace("readings", "OWN_READINGS_PER_MINUTE")
REPORTS = Pace("reports", "OWN_REPORTS_PER_MINUTE")

_TAKE = """
INSERT INTO accounts_bucket AS b (key, level, at) VALUES (%(key)s, %(most)s - 1, %(now)s)
ON CONFLICT (key) DO UPDATE
SET level = LEAST(%(most)s, b.level + %(rate)s * GREATEST(0, extract(epoch FROM %(now)s - b.at))) - 1, at = %(now)s
WHERE LEAST(%(most)s, b.level + %(rate)s * GREATEST(0, extract(epoch FROM %(now)s - b.at))) >= 1
RETURNING level
"""


def take(user_id: UUID, pace: Pace) -> int:
    """Take one from this person's bucket. Returns 0, or the seconds until there is one again; then none was taken."""
    return take_from(f"{user_id}:{pace.name}", pace.amount, pace.amount / 60) if pace.amount else 0


def take_from(key: str, amount: int, rate: float) -> int:
    """The same from a bucket of `amount` that refills by `rate` a second."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"key": key, "most": float(amount), "rate": rate, "now": timezone.now()})
        if cursor.fetchone():
            return 0
    bucket = Bucket.objects.get(pk=key)
    held = bucket.level + rate * (timezone.now() - bucket.at).total_seconds()
    return max(1, math.ceil((1 - held) / rate))


def limited(pace: Pace) -> Callable:
    """Answer a form that one person sends more often than that with 429, before anything is asked or changed."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            if request.method == "POST" and (seconds := take(request.user.pk, pace)):
                return too_often(request, seconds)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def too_often(request: HttpRequest, seconds: int) -> HttpResponse:
    response = render(request, "429.html", {"wait": wait(seconds)}, status=429)
    response["Retry-After"] = seconds
    return response


def wait(seconds: int) -> str:
    return ngettext("Try again in %(n)d second.", "Try again in %(n)d seconds.", seconds) % {"n": seconds}


def read_lately(user_id: UUID) -> datetime | None:
    """When Microsoft was last asked about this person, if that is so short a while ago that it is not asked again."""
    return (
        Bucket.objects.filter(pk=f"{user_id}:{READ}", at__gt=timezone.now() - FRESH)
        .values_list("at", flat=True)
        .first()
    )


def note_reading(user_id: UUID) -> datetime:
    """Microsoft was asked, and answered."""
    now = timezone.now()
    Bucket.objects.update_or_create(pk=f"{user_id}:{READ}", defaults={"level": 0, "at": now})
    return now
