"""Whose clock says something else: this machine's, the database's, a worker's, Microsoft's.

Microsoft's is told by the `Date` of each of its answers, to the second.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from statistics import median
from urllib.parse import urlsplit

import requests
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.oidc.id_token import SKEW
from graph import transport
from revocation.models import Heartbeat

NOTED = 5.0  # seconds; less is not worth a word


@dataclass(frozen=True)
class Difference:
    """By how many seconds a clock is ahead of the one it is compared with, below 0 where it is behind."""

    whose: str
    other: str
    seconds: float
    consequence: str

    @property
    def is_off(self) -> bool:
        return abs(self.seconds) > NOTED

    @property
    def is_fault(self) -> bool:
        """Whether things fail by it."""
        return abs(self.seconds) > SKEW

    def __str__(self) -> str:
        said = {"whose": self.whose, "other": self.other, "n": abs(self.seconds)}
        ahead, behind = _("%(whose)s is %(n).0f s ahead of %(other)s."), _("%(whose)s is %(n).0f s behind %(other)s.")
        return f"{(ahead if self.seconds > 0 else behind) % said} {self.consequence}"


class Answers:
    """What `Date` said in each answer of Microsoft's, against this machine's clock."""

    def __init__(self) -> None:
        self._seen: dict[str, list[float]] = {}

    def note(self, request: requests.PreparedRequest, response: requests.Response) -> None:
        try:
            told = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
        except (TypeError, ValueError):
            return
        here = time.time() - response.elapsed.total_seconds() / 2
        self._seen.setdefault(urlsplit(request.url).netloc, []).append(here - told - 0.5)

    def differences(self) -> Iterator[Difference]:
        consequence = _("Beyond %(n)d s every sign-in is refused.") % {"n": SKEW}
        for host, seen in sorted(self._seen.items()):
            yield Difference(_("This machine's clock"), host, median(seen), consequence)


@contextmanager
def of_answers() -> Iterator[Answers]:
    """Look at what Microsoft answers meanwhile."""
    answers = Answers()
    with transport.witnessed(answers.note):
        yield answers


def differences() -> Iterator[Difference]:
    """This machine's clock and the worker's, against the database's."""
    consequence = _("Leases, quotas and due times are told by several clocks: let all of them follow one.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        here, (there,) = timezone.now(), cursor.fetchone()
    yield Difference(_("This machine's clock"), _("the database's"), (here - there).total_seconds(), consequence)
    beat = Heartbeat.objects.exclude(database_at=None).first()
    if beat:
        seconds = (beat.at - beat.database_at).total_seconds()
        yield Difference(_("The worker's clock"), _("the database's"), seconds, consequence)
