"""What changed in a list since it was looked at last: delta query.

A round of changes ends with the link for the next one. Rows may come twice, in any order, and a changed object may come
with what changed about it alone. https://learn.microsoft.com/graph/delta-query-overview
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from graph.errors import Unavailable
from graph.paging import stay_on
from graph.types import Grant, ServicePrincipal, User


class Followed(Enum):
    """The lists that are followed, with the properties whose changes count.

    Where Graph cannot follow all of them, `less` is what it is asked for instead.
    """

    APPS = ("/servicePrincipals/delta", ServicePrincipal.SELECT, "")
    PEOPLE = ("/users/delta", User.SELECT, User.FOLLOWED)
    GRANTS = ("/oauth2PermissionGrants/delta", Grant.SELECT, "")

    def __init__(self, path: str, select: str, less: str):
        self.path, self.select, self.less = path, select, less


@dataclass(frozen=True)
class Change:
    """One row.

    Attributes:
        gone: the object is not in the list any more.
        in_bin: of one that is gone, that it can be restored.
        data: what is said of it, with at least what changed; a property that is not there did not change.
    """

    id: str
    gone: bool
    in_bin: bool
    data: dict


@dataclass(frozen=True)
class Changes:
    """One page of a round.

    Attributes:
        unreadable: rows without an id. What they were about is not known.
        next_link: where the round goes on; empty on its last page.
        delta_link: where the next round begins; on the last page only.
    """

    rows: list[Change]
    unreadable: int
    next_link: str
    delta_link: str


def read_page(body: dict, *, host: str) -> Changes:
    """Raises `Unavailable` where it is none, `Rejected` where a link leads to another host."""
    found = body.get("value")
    if not isinstance(found, list):
        raise Unavailable("Graph sent no list where a list belongs.", sent=False)
    rows = [_change(row) for row in found if isinstance(row, dict) and isinstance(row.get("id"), str) and row["id"]]
    links = [body.get(f"@odata.{name}") or "" for name in ("nextLink", "deltaLink")]
    if not any(links):
        raise Unavailable("Graph's changes end without a link for the next ones.", sent=False)
    for link in filter(None, links):
        stay_on(host, link)
    return Changes(rows, len(found) - len(rows), *links)


def _change(row: dict) -> Change:
    removed = row.get("@removed")
    reason = removed.get("reason") if isinstance(removed, dict) else None
    return Change(row["id"], gone=removed is not None, in_bin=reason == "changed", data=row)


def to_the_end(get: Callable[[str], dict], link: str, *, host: str) -> str:
    """The link for the next round, of a round whose rows are of no interest."""
    for _page in range(1000):
        page = read_page(get(link), host=host)
        if page.delta_link:
            return page.delta_link
        link = page.next_link
    raise Unavailable("Graph's changes have no end.", sent=False)
