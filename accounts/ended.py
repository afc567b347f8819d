"""A portal session that was ended under somebody's hands: what its browser is told.

Whoever holds the session's cookie may be the thief it was ended for. So the page says what was done and what was not,
names nobody, and shows nothing of whose session it was.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.access import leave_for, safe_return
from accounts.models import EndedSession
from accounts.refusals import WORDS, known_code
from graph.explain import of_code

TOLD = "ended"  # session: the end of the one before it, until somebody signs in


@dataclass(frozen=True)
class End:
    """How a session ended.

    Attributes:
        reason: a code of `accounts.refusals`, with Microsoft's number behind it where there is one; else empty.
        by_owner: whether the person asked for it themselves.
        at: when, in ISO form.
    """

    reason: str
    by_owner: bool
    at: str

    @classmethod
    def now(cls, reason: str, *, by_owner: bool = False) -> Self:
        return cls(known_code(reason), by_owner, timezone.now().isoformat())

    @property
    def time(self) -> datetime | None:
        return parse_datetime(self.at)

    @property
    def code(self) -> str:
        return self.reason.partition(" ")[2]

    @property
    def detail(self) -> str:
        """Microsoft's reason in plain words, where it gave one."""
        words = of_code(self.code) if self.code else None
        return str(words) if words else ""

    @property
    def what(self) -> str:
        """What was done, for whoever sits there now."""
        reason = self.reason.partition(" ")[0]
        if reason == "entra_refused" and self.code:
            return _(
                "We asked Microsoft whether this account is still signed in, and it said no. So every session of it in"
                " this portal was ended, and the sign-in kept here was deleted."
            )
        if reason == "entra_refused":
            return _(
                "The stored sign-in of this account is gone or proves nothing any more, so this portal can no longer"
                " ask Microsoft about it. Every session of it here was ended."
            )
        if reason == "front_channel_logout":
            return _("Somebody signed out at Microsoft in this browser, and that ended the session here too.")
        if reason == "earlier_sign_in_disowned":
            return _("There was a new sign-in to this account, and Microsoft no longer accepts the one before it.")
        if reason == "idle":
            return _("Nothing was done here for a while, and sessions that may act on others end by themselves then.")
        if reason in ("ended_by_operator", "switched_off"):
            return _("Whoever runs this portal ended it.")
        if reason in WORDS:
            return str(WORDS[reason].what)
        if reason:
            return _("It was ended from the list of this account's own sessions.")
        if self.by_owner:
            return _(
                "You asked to be signed out. Every session of this account in this portal was ended, and the sign-in"
                " kept here was deleted. What became of the sessions at Microsoft and in apps is written down: sign in"
                " again to read it."
            )
        return _(
            "Somebody who looks after accounts had this account signed out. Every session of it in this portal was"
            " ended, and the sign-in kept here was deleted. Your helpdesk can tell you why."
        )


def remember(keys: Iterable[str], *, reason: str, by_owner: bool) -> None:
    """Write down that the sessions with these keys were ended. The keys themselves are kept nowhere."""
    now = timezone.now()
    rows = [
        EndedSession(digest=_digest(key), reason=known_code(reason), by_owner=by_owner, ended_at=now) for key in keys
    ]
    EndedSession.objects.bulk_create(rows, ignore_conflicts=True)


def recall(request: HttpRequest) -> End | None:
    """How the session of this browser ended; None when it did not, or nobody knows."""
    if told := request.session.get(TOLD):
        return End(**told)
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    row = EndedSession.objects.filter(pk=_digest(key)).first() if key else None
    return End(row.reason, row.by_owner, row.ended_at.isoformat()) if row else None


def tell(request: HttpRequest, end: End) -> HttpResponse:
    """The page that says so, in the place of what was asked for. It stays in this browser until somebody signs in."""
    request.session[TOLD] = asdict(end)
    way_back, sent = safe_return(request), request.method not in ("GET", "HEAD")
    if getattr(request, "htmx", False):
        query = {"next": way_back} | ({"sent": 1} if sent else {})
        return leave_for(request, f"{reverse('accounts:ended')}?{urlencode(query)}")
    return page(request, end, way_back=way_back, sent=sent)


def page(request: HttpRequest, end: End, *, way_back: str, sent: bool) -> HttpResponse:
    context = {"end": end, "way_back": way_back, "nothing_sent": not sent, "kept": "kept" in request.POST}
    return render(request, "accounts/ended.html", context, status=401)


def forget(request: HttpRequest) -> None:
    """Somebody signed in: the earlier end is over."""
    request.session.pop(TOLD, None)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
