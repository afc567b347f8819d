"""Heads of columns that sort, on every list that has some."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True)
class Column:
    """A column of a list.

    Attributes:
        sort: what an address calls the order by it; empty where the list has none by it.
        falls: whether that order begins with the largest.
        look: a class for its head.
    """

    word: str | Promise
    sort: str = ""
    falls: bool = False
    look: str = ""


@dataclass(frozen=True)
class Head:
    """The head of a column: `next` is the sort a click asks for, `aria` what a screen reader is told."""

    word: str | Promise
    next: str
    aria: str
    look: str


def heads(columns: Iterable[Column], sort: str) -> list[Head]:
    """The heads of a list in this order: the name of a column's, with a minus where it is turned round."""
    return [_head(column, sort) for column in columns]


def _head(column: Column, sort: str) -> Head:
    if not column.sort:
        return Head(column.word, "", "", column.look)
    if sort.removeprefix("-") != column.sort:
        return Head(column.word, column.sort, "none", column.look)
    turned = sort.startswith("-")
    aria = "descending" if column.falls != turned else "ascending"
    return Head(column.word, column.sort if turned else f"-{column.sort}", aria, column.look)
