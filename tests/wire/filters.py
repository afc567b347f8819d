"""The grammar of `$filter`, as far as Graph's directory takes it: what is compared with what, and how.

https://learn.microsoft.com/graph/filter-query-parameter
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"
    r"|(?P<moment>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][\w$]*(?:/[\w$.]+)*)"
    r"|(?P<mark>[(),:]))"
)
_COMPARISONS = {"eq", "ne", "gt", "ge", "lt", "le"}
_FUNCTIONS = {"startswith", "endswith", "contains"}


@dataclass(frozen=True)
class Comparison:
    """One property compared. `literal`: string, guid, moment, number, boolean or null."""

    path: str
    operator: str
    literal: str
    negated: bool = False


class Unreadable(Exception):
    """It is no filter. The text says where reading stopped."""


@lru_cache(maxsize=1024)
def comparisons(text: str) -> tuple[Comparison, ...]:
    """Everything that a filter compares.

    Raises:
        Unreadable: it does not follow the grammar.
    """
    reader = _Reader(text)
    found = tuple(reader.any_of())
    reader.end()
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if not found:
                raise Unreadable(f"at {text[at : at + 20]!r}")
            self.tokens.append((str(found.lastgroup), found[found.lastgroup or 0]))
            at = found.end()
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, value: str | None = None) -> tuple[str, str]:
        kind, text = self.peek()
        if kind == "end" or (value is not None and text != value):
            raise Unreadable(f"{value or 'more'!r} was expected, not {text!r}")
        self.at += 1
        return kind, text

    def end(self) -> None:
        if self.peek()[0] != "end":
            raise Unreadable(f"{self.peek()[1]!r} after the end")

    def any_of(self, negated: bool = False) -> Iterator[Comparison]:
        yield from self.one(negated)
        while self.peek() in (("word", "and"), ("word", "or")):
            self.take()
            yield from self.one(negated)

    def one(self, negated: bool) -> Iterator[Comparison]:
        kind, text = self.take()
        if (kind, text) == ("word", "not"):
            yield from self.one(True)
        elif text == "(":
            yield from self.any_of(negated)
            self.take(")")
        elif kind != "word":
            raise Unreadable(f"{text!r} where a property belongs")
        elif text.lower() in _FUNCTIONS:
            if text.lower() == "contains":
                raise Unreadable("contains, which the directory does not know")
            self.take("(")
            path = self.take()[1]
            self.take(",")
            yield Comparison(path.lower(), text.lower(), self.literal(), negated)
            self.take(")")
        elif text.endswith(("/any", "/all")):
            self.take("(")
            variable = self.take()[1]
            self.take(":")
            for inner in self.any_of(negated):
                path = text.rsplit("/", 1)[0] + inner.path.removeprefix(variable.lower())
                yield Comparison(path.lower(), inner.operator, inner.literal, inner.negated)
            self.take(")")
        else:
            yield from self.compared(text.lower(), negated)

    def compared(self, path: str, negated: bool) -> Iterator[Comparison]:
        operator = self.take()[1]
        if operator == "in":
            self.take("(")
            yield Comparison(path, "in", self.literal(), negated)
            while self.peek()[1] == ",":
                self.take()
                yield Comparison(path, "in", self.literal(), negated)
            self.take(")")
        elif operator in _COMPARISONS:
            yield Comparison(path, operator, self.literal(), negated)
        else:
            raise Unreadable(f"{operator!r} where an operator belongs")

    def literal(self) -> str:
        kind, text = self.take()
        if kind == "word":
            if text in ("true", "false"):
                return "boolean"
            if text == "null":
                return "null"
            raise Unreadable(f"{text!r} where a value belongs")
        if kind == "mark":
            raise Unreadable(f"{text!r} where a value belongs")
        return kind
