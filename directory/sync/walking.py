"""Which of the three long lists one turn reads in full, and their reading side by side.

Waiting for one list is time for another. Grants are by far the longest, and their pages can only be asked for one after
the other: they are read beside all else that does not follow from them, on a connection to the database of their own.
"""

from collections.abc import Iterable
from concurrent.futures import Future
from datetime import timedelta
from functools import partial

from django.utils import timezone

from accounts.models import Tenant
from directory.models import Progress
from directory.sync import lists, progress as going
from directory.sync.beside import Lane
from directory.sync.progress import Deadline, Part
from directory.sync.report import KindReport
from graph.client import GraphClient

AGAIN = timedelta(days=7)  # a list that is followed is read in full all the same, rarely
UNFOLLOWED = timedelta(minutes=15)  # one that cannot be followed, more often


class Walk:
    """Lists that were read in this turn, or are being read, until somebody takes what came of them."""

    def __init__(self, tenant: Tenant, client: GraphClient, until: Deadline, lane: Lane):
        self._tenant, self._client, self._until, self._lane = tenant, client, until, lane
        self._found: dict[str, lists.Outcome] = {}
        self._coming: dict[str, Future[dict[str, lists.Outcome]]] = {}

    def __contains__(self, part: str) -> bool:
        return part in self._found or part in self._coming

    def __bool__(self) -> bool:
        return bool(self._found or self._coming)

    def begin(self, parts: Iterable[Progress]) -> None:
        """Read these for as long as there is time; grants go on beside whatever comes next."""
        here = []
        for one in parts:
            if one.part == Part.GRANTS:
                until = WhileOthersWork(self._until, self._lane)
                self._coming[one.part] = self._lane.start(partial(self._read, [one], until))
            else:
                here.append(one)
        self._found |= self._read(here, self._until)

    def take(self, part: str) -> KindReport | None:
        """What came of one of them, waited for; None where the time was up before its end. Raises what broke it off."""
        if part in self._coming:
            self._found |= self._lane.result(self._coming.pop(part))
        found = self._found.pop(part)
        if isinstance(found, Exception):
            raise found
        return found

    def _read(self, parts: list[Progress], until: Deadline) -> dict[str, lists.Outcome]:
        return lists.read(self._tenant, self._client, parts, until)


class WhileOthersWork(Deadline):
    """A deadline that is not kept before the turn waits: what goes on beside it may as well go on.

    Where the turn broke off, it is over after the page that is being stored.
    """

    def __init__(self, turn: Deadline, lane: Lane):
        self._turn, self._lane = turn, lane

    @property
    def passed(self) -> bool:
        return self._lane.broken_off or (self._lane.awaited and self._turn.passed)


def under_way(tenant: Tenant) -> bool:
    """Whether one of the lists is still to be read to its end, and nothing holds it up."""
    return Progress.objects.filter(
        tenant=tenant, part__in=lists.FOLLOWED, started_at__isnull=False, failures=0
    ).exists()


def may_begin(one: Progress) -> bool:
    """Whether a turn of some seconds may begin to read it, or go on."""
    return not going.waits(one) and (bool(one.delta_link) or not is_fresh(one))


def can_follow(one: Progress) -> bool:
    """Whether it is enough to ask what changed."""
    old = one.done_at is None or one.done_at < timezone.now() - AGAIN
    return bool(one.delta_link) and not (_under_way(one) or old or one.due)


def is_fresh(one: Progress) -> bool:
    """Whether it was read in full just now."""
    return bool(one.done_at and one.done_at > timezone.now() - UNFOLLOWED) and not (_under_way(one) or one.due)


def _under_way(one: Progress) -> bool:
    return bool(one.started_at and one.next_link)
