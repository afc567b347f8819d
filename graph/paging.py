"""Walking a list page by page.

Links are followed word for word, and only on the cloud's own host: a bearer goes with each.
https://learn.microsoft.com/graph/paging
"""

import logging
from collections.abc import Callable, Iterator
from typing import TypeVar
from urllib.parse import urlsplit

from graph.errors import Expired, Rejected, Unavailable
from graph.types import Items, Page, Reader, Unreadable

logger = logging.getLogger(__name__)
T = TypeVar("T")
RESTARTS = 2  # a walk whose place is forgotten this often is not going to end
ODD = (KeyError, TypeError, ValueError, AttributeError)  # what reading raises over a row that is not made as expected


def walk(get: Callable[[str], dict], url: str, read: Reader, *, host: str, start: str = "") -> Iterator[Page[T]]:
    """Yield the pages of the list at `url`, from the page that `start` leads to where it is given.

    Args:
        get: asks for one URL and returns the JSON object.
        read: makes an item of a dataclass out of its JSON.
        host: the only host that links may name.

    Raises:
        Unavailable: a page is unreadable or the list leads back to itself. Pages already given are good.
        Rejected: a link leads to another host.
        Expired: the place was forgotten again and again.
    """
    restarts = 0
    if start:
        stay_on(host, start)
    while True:
        try:
            yield from _once(get, url, read, host, start=start, restarted=restarts > 0)
            return
        except Expired:
            restarts += 1
            start = ""
            if restarts > RESTARTS:
                raise


def _once(get, url, read, host, *, start, restarted) -> Iterator[Page]:
    link, seen = start or url, set()
    while link:
        if link in seen:
            raise Unavailable("Graph's list leads back to a page we had.", sent=False)
        seen.add(link)
        body = get(link)
        count = body.get("@odata.count")
        items = read_all(body, read)
        following = body.get("@odata.nextLink")
        yield Page(
            items=items,
            count=count if isinstance(count, int) else None,
            restarted=restarted and link == url,
            unreadable=items.unreadable,
            next_link=following if isinstance(following, str) else "",
        )
        link = following
        if link:
            stay_on(host, link)


def read_all(body: dict, read: Reader[T], *, strict: bool = False) -> Items[T]:
    """The items of one page. A row that cannot be read is left out and named; the others are good.

    Args:
        strict: raise over a single such row, for lists in which a missing row would be taken for a no.

    Raises:
        Unavailable: there is no list of objects.
    """
    rows = body.get("value")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unavailable("Graph sent no list where a list belongs.", sent=False)
    items, unreadable = Items(), []
    for row in rows:
        try:
            items.append(read(row))
        except ODD as error:
            unreadable.append(_described(row, error))
    if unreadable and strict:
        raise Unavailable("Graph sent an item we cannot read.", sent=False)
    if unreadable:
        logger.warning("Graph sent %d of %d rows that we cannot read: %s", len(unreadable), len(rows), unreadable[0])
    items.unreadable = tuple(unreadable)
    return items


def read_one(item: object, read: Reader[T]) -> T:
    """A single item. Raises Unavailable where it lacks what every such item has."""
    try:
        return read(item)
    except ODD as error:
        raise Unavailable("Graph sent an item we cannot read.", sent=False) from error


def _described(row: dict, error: Exception) -> Unreadable:
    known = {name: row[name] if isinstance(row.get(name), str) else "" for name in ("id", "@odata.type")}
    return Unreadable(id=known["id"], type=known["@odata.type"], reason=f"{type(error).__name__}: {error}")


def stay_on(host: str, link: object) -> None:
    parts = urlsplit(link) if isinstance(link, str) else None
    if parts is None or parts.scheme != "https" or parts.netloc.lower() != host:
        raise Rejected("Graph's list continues on a host that is not Graph's. The link was not followed.")
