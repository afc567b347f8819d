"""What is asked for before it is needed: pages of a list, fetched while others are stored."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

T, K = TypeVar("T"), TypeVar("K")
KEPT_FOR = 10.0  # seconds
_END = object()


class Ahead(Iterator[T]):
    """The same, fetched by a thread of its own while others are worked on; no further once `more` says no.

    Waiting for Microsoft and writing to the database then take the longer of the two, not both.
    """

    def __init__(self, items: Iterator[T], more: Callable[[], bool], *, most: int = 2):
        """`most` items lie ready, or are being fetched."""
        self._items, self._more, self._most = items, more, most
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._coming: deque[Future] = deque()
        self._fetch()

    def _fetch(self) -> None:
        while len(self._coming) < self._most:
            self._coming.append(self._pool.submit(next, self._items, _END))

    @property
    def coming(self) -> Future | None:
        """The next of them; None where there will be none."""
        return self._coming[0] if self._coming else None

    def __next__(self) -> T:
        if not self._coming:
            raise StopIteration
        item = self._coming.popleft().result()
        if item is _END:
            self._coming.clear()
            raise StopIteration
        if self._more():
            self._fetch()
        return item

    def some(self, most: int) -> list[T]:
        """The next of them, waited for, and whatever lies ready behind it; empty where there are no more."""
        found = [item] if (item := next(self, _END)) is not _END else []
        while found and len(found) < most and self._coming and self._lies_ready(self._coming[0]):
            if (item := next(self, _END)) is _END:
                break
            found.append(item)
        return found

    @staticmethod
    def _lies_ready(coming: Future) -> bool:
        return coming.done() and coming.exception() is None


def first_to_come(some: Mapping[K, Ahead]) -> list[K]:
    """Those of some lists that need not be waited for any more. Waits until there is one."""
    coming = {key: one.coming for key, one in some.items()}
    if all(coming.values()):
        wait(coming.values(), return_when=FIRST_COMPLETED)
    return [key for key, one in coming.items() if one is None or one.done()]


@dataclass(frozen=True)
class Kept:
    """A list's pages that were under way when a turn's time was up, and whatever belongs to them.

    The next turn of this process goes on with them where it goes on at this very place, and soon. Elsewhere they are
    asked for again.
    """

    place: str
    pages: Ahead
    more: Any
    at: float = field(default_factory=time.monotonic)


_kept: dict[tuple[UUID, str], Kept] = {}


def keep(tenant_id: UUID, part: str, kept: Kept) -> None:
    _kept[tenant_id, part] = kept


def kept(tenant_id: UUID, part: str, place: str) -> Kept | None:
    """What was kept for this place of the list, once. What is kept for too long, of whatever list, is let go."""
    found, since = _kept.pop((tenant_id, part), None), time.monotonic() - KEPT_FOR
    for key in [key for key, one in list(_kept.items()) if one.at < since]:
        _kept.pop(key, None)
    return found if found and found.place == place and found.at >= since else None
