"""Walking a list page by page.

Links are followed word for word, and only on the cloud's own host: a bearer goes with each.
https://learn.microsoft.com/graph/paging
"""

from collections.abc import Callable, Iterator
from typing import TypeVar
from urllib.parse import urlsplit

from graph.errors import Expired, Rejected, Unavailable
from graph.types import Page, Reader

T = TypeVar("T")
RESTARTS = 2  # a walk whose place is forgotten this often is not going to end


def walk(get: Callable[[str], dict], url: str, read: Reader, *, host: str) -> Iterator[Page[T]]:
    """Yield the pages of the list at `url`.

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
    while True:
        try:
            yield from _once(get, url, read, host, restarted=restarts > 0)
            return
        except Expired:
            restarts += 1
            if restarts > RESTARTS:
                raise


def _once(get, url, read, host, *, restarted) -> Iterator[Page]:
    link, seen = url, set()
    while link:
        if link in seen:
            raise Unavailable("Graph's list leads back to a page we had.", sent=False)
        seen.add(link)
        body = get(link)
        count = body.get("@odata.count")
        yield Page(
            items=read_all(body, read),
            count=count if isinstance(count, int) else None,
            restarted=restarted and link == url,
        )
        link = body.get("@odata.nextLink")
        if link:
            stay_on(host, link)


def read_all(body: dict, read: Reader) -> list:
    """The items of one page.

    Raises:
        Unavailable: there is no list, or an item lacks what every such item has.
    """
    items = body.get("value")
    if not isinstance(items, list):
        raise Unavailable("Graph sent no list where a list belongs.", sent=False)
    return [read_one(item, read) for item in items]


def read_one(item: object, read: Reader):
    try:
        return read(item)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unavailable("Graph sent an item we cannot read.", sent=False) from error


def stay_on(host: str, link: object) -> None:
    parts = urlsplit(link) if isinstance(link, str) else None
    if parts is None or parts.scheme != "https" or parts.netloc.lower() != host:
        raise Rejected("Graph's list continues on a host that is not Graph's. The link was not followed.")
