"""Pages that begin after a row instead of at a number: the thousandth costs what the first does, and none is skipped.

https://use-the-index-luke.com/no-offset
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldError, ValidationError
from django.db.models import Q, QuerySet
from django.db.utils import DataError

T = TypeVar("T")
PAGE_SIZE = 50


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list.

    Attributes:
        next: what to pass as `after` for the following page; empty on the last one.
        first: whether this is the beginning of the list.
    """

    items: list[T]
    next: str = ""
    first: bool = True

    def __iter__(self):
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def page(rows: QuerySet, order: Sequence[str], after: str = "", size: int = PAGE_SIZE) -> Page:
    """One page of `rows`, ordered by columns that together are unique and never null.

    A cursor nobody gave out begins the list again, rather than showing an error about a link someone shortened.

    Args:
        order: names of columns, the largest first with a minus, as for `order_by`.
        after: the `next` of the page before.
    """
    place = _decode(after, len(order))
    ordered = rows.order_by(*order)
    found = None
    if place is not None:
        try:
            found = list(ordered.filter(_beyond(order, place))[: size + 1])
        except (ValueError, TypeError, ValidationError, FieldError, DataError):
            place = None
    if found is None:
        found = list(ordered[: size + 1])
    more = len(found) > size
    items = found[:size]
    return Page(items, cursor(items[-1], order) if more else "", first=place is None)


def order_of(sorts: Mapping[str, Sequence[str]], sort: str, default: str) -> tuple[str, ...]:
    """The columns of an order as an address names it: one of `sorts`, a minus before it turns all of it round.

    Args:
        default: the order where nobody knows that name.
    """
    name = sort.removeprefix("-")
    if name not in sorts:
        return tuple(sorts[default])
    if not sort.startswith("-"):
        return tuple(sorts[name])
    return tuple(column[1:] if column.startswith("-") else f"-{column}" for column in sorts[name])


def cursor(row: Any, order: Sequence[str]) -> str:
    """What to pass as `after` for the page that begins behind this row."""
    return _encode(_place(row, [name.lstrip("-") for name in order]))


def merged(pages: Sequence[Page], order: Sequence[str], size: int = PAGE_SIZE) -> Page:
    """One page of several lists, each paged in this same order; all its columns rise, or all fall."""
    names = [name.lstrip("-") for name in order]
    falls = order[0].startswith("-")
    rows = sorted((row for one in pages for row in one), key=lambda row: _place(row, names), reverse=falls)
    more = len(rows) > size or any(one.next for one in pages)
    items = rows[:size]
    return Page(items, cursor(items[-1], order) if more else "", first=all(one.first for one in pages))


def mapped(source: Page, make: Callable[[list], list]) -> Page:
    """The same page with its items turned into something else, all at once."""
    return Page(make(source.items), source.next, source.first)


def _place(row: Any, names: Sequence[str]) -> list:
    return [row[name] if isinstance(row, dict) else getattr(row, name) for name in names]


def _beyond(order: Sequence[str], place: Sequence) -> Q:
    """Rows after `place`: further in the first column, or as far there and further in the second, and so on."""
    beyond, same = Q(), Q()
    for name, value in zip(order, place, strict=True):
        column = name.lstrip("-")
        step = Q(**{f"{column}__{'lt' if name.startswith('-') else 'gt'}": value})
        beyond |= same & step
        same &= Q(**{column: value})
    first = order[0].lstrip("-")
    # Says the same once more in the form an index can start from.
    return Q(**{f"{first}__{'lte' if order[0].startswith('-') else 'gte'}": place[0]}) & beyond


def _encode(place: list) -> str:
    data = json.dumps([value if isinstance(value, int | str) else str(value) for value in place])
    return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")


def _decode(cursor: str, length: int) -> list | None:
    if not cursor or len(cursor) > 2000:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        return None
    fits = isinstance(place, list) and len(place) == length
    if not fits or any(not isinstance(value, int | str) or "\0" in str(value) for value in place):
        return None
    return place
