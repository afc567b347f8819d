"""OData's `$filter`, `$search` and `$orderby`, as far as directory objects support them.

https://learn.microsoft.com/graph/aad-advanced-queries
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sandbox import facts
from sandbox.graph_api.errors import bad_request, unsupported
from sandbox.graph_api.shape import Shape

Get = Callable[[str], Any]  # a property's value by its path, such as "displayName" or "verifiedPublisher/displayName"
Predicate = Callable[[Get], bool]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>'(?:[^']|'')*')
      | (?P<guid>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})
      | (?P<date>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))
      | (?P<number>-?\d+)
      | (?P<name>[A-Za-z_$][\w./$-]*)
      | (?P<mark>[(),:])
    )""",
    re.VERBOSE,
)
_SEARCH_CLAUSE = re.compile(r'\s*(?:"(?P<clause>(?:[^"\\]|\\.)*)"|(?P<word>AND|OR|\(|\)))')
COMPARISONS = frozenset({"eq", "ne", "ge", "le", "gt", "lt"})
IN_LIMIT = 15
VALUE_LIMIT = 120
_EDM = {"string": "String", "guid": "Guid", "date": "DateTimeOffset", "number": "Int32", "boolean": "Boolean"}


@dataclass
class Filter:
    """A filter ready to use. `equals` are the plain equalities that every match fulfils, for choosing an index."""

    test: Predicate
    equals: dict[str, Any] = field(default_factory=dict)
    advanced: bool = False  # needs ConsistencyLevel and $count


@dataclass(frozen=True)
class Literal:
    kind: str
    value: Any


@lru_cache(maxsize=2048)
def parse_filter(text: str, shape: Shape) -> Filter:
    """Read a filter over the properties of a type; values are written as the metadata's types are.

    Raises:
        Refused: 400 for syntax, unknown properties and what directory objects do not support.
    """
    return _Parser(text, shape).filter()


class _Parser:
    def __init__(self, text: str, shape: Shape):
        self._text, self._shape = text, shape
        self._tokens = list(_tokens(text))
        self._at = 0
        self._advanced = False
        self._variable: str | None = None

    def filter(self) -> Filter:
        test, equals = self._any_of()
        if self._at < len(self._tokens):
            raise self._syntax()
        return Filter(test, equals, self._advanced)

    def _any_of(self) -> tuple[Predicate, dict]:
        parts = [self._all_of()]
        while self._take("name", "or"):
            parts.append(self._all_of())
        if len(parts) == 1:
            return parts[0]
        tests = [test for test, _ in parts]
        return (lambda get: any(test(get) for test in tests)), {}

    def _all_of(self) -> tuple[Predicate, dict]:
        parts = [self._one()]
        while self._take("name", "and"):
            parts.append(self._one())
        if len(parts) == 1:
            return parts[0]
        tests = [test for test, _ in parts]
        equals = {name: value for _, known in parts for name, value in known.items()}
        return (lambda get: all(test(get) for test in tests)), equals

    def _one(self) -> tuple[Predicate, dict]:
        if self._take("name", "not"):
            self._advanced = True
            test, _ = self._one()
            return (lambda get: not test(get)), {}
        if self._take("mark", "("):
            found = self._any_of()
            self._need("mark", ")")
            return found
        kind, word = self._next()
        if kind != "name":
            raise self._syntax()
        if word.lower() in ("startswith", "endswith", "contains") and self._take("mark", "("):
            return self._function(word.lower()), {}
        if word.lower().endswith("/any") and self._take("mark", "("):
            return self._lambda(word[:-4]), {}
        return self._comparison(self._path(word))

    def _function(self, name: str) -> Predicate:
        if name == "contains":
            raise unsupported()
        kind, word = self._next()
        if kind != "name":
            raise self._syntax()
        path = self._path(word)
        self._need("mark", ",")
        wanted = str(self._literal().value).lower()
        self._need("mark", ")")
        self._take("name", "eq") and self._take("name", "true")
        if name == "endswith":
            self._advanced = True
            return lambda get: str(get(path) or "").lower().endswith(wanted)
        return lambda get: str(get(path) or "").lower().startswith(wanted)

    def _lambda(self, collection: str) -> Predicate:
        path = self._path(collection)
        kind, variable = self._next()
        if kind != "name" or not self._take("mark", ":"):
            raise self._syntax()
        outer, self._variable = self._variable, variable
        test, _ = self._any_of()
        self._variable = outer
        self._need("mark", ")")

        def matches(get: Get) -> bool:
            return any(test(lambda name, item=item: _within(item, name)) for item in get(path) or ())

        return matches

    def _comparison(self, path: str) -> tuple[Predicate, dict]:
        kind, operator = self._next()
        operator = operator.lower() if kind == "name" else ""
        if operator == "in":
            return self._membership(path), {}
        if operator not in COMPARISONS:
            raise self._syntax()
        literal = self._literal()
        self._check_type(path, literal, operator)
        if operator == "ne" or literal.value is None:
            self._advanced = True
        wanted = _fold(literal.value)
        if operator == "eq":
            equals = {path: literal.value} if literal.value is not None else {}
            return (lambda get: _fold(get(path)) == wanted), equals
        if operator == "ne":
            return (lambda get: _fold(get(path)) != wanted), {}
        compare = {
            "ge": lambda value: value >= wanted,
            "le": lambda value: value <= wanted,
            "gt": lambda value: value > wanted,
            "lt": lambda value: value < wanted,
        }[operator]
        return (lambda get: (value := _fold(get(path))) is not None and compare(value)), {}

    def _membership(self, path: str) -> Predicate:
        self._need("mark", "(")
        literals = [self._literal()]
        while self._take("mark", ","):
            literals.append(self._literal())
        self._need("mark", ")")
        if len(literals) > IN_LIMIT:
            raise bad_request(
                f"Too many child clauses specified in search filter expression containing 'OR' operators: "
                f"{len(literals)}. Max allowed: {IN_LIMIT}.",
                code="Request_UnsupportedQuery",
            )
        for literal in literals:
            self._check_type(path, literal, "in")
        wanted = {_fold(literal.value) for literal in literals}
        return lambda get: _fold(get(path)) in wanted

    def _check_type(self, path: str, literal: Literal, operator: str) -> None:
        if literal.kind == "string" and len(literal.value) > VALUE_LIMIT:
            raise unsupported("Property value in the filter is too long.")
        left, right = (self._shape.type_of(path) or "").strip("!"), _EDM.get(literal.kind)
        if literal.kind == "word" and literal.value is not None:
            right = "Boolean"
        if self._variable is None and left in _EDM.values() and right and right != left:
            raise bad_request(
                "Invalid filter clause: A binary operator with incompatible types was detected. Found operand types "
                f"'Edm.{left}' and 'Edm.{right}' for operator kind '{'Equal' if operator == 'eq' else operator}'.",
                code="BadRequest",
            )

    def _path(self, word: str) -> str:
        head, _, rest = word.partition("/")
        if self._variable is not None and head == self._variable:
            return rest
        name = self._shape.name_of(head)
        if name is None and any(one.lower() == head.lower() for one in facts.resource(self._shape.type).relations):
            raise unsupported()
        if name is None:
            message = (
                f"Invalid filter clause: Could not find a property named '{head}' "
                f"on type 'microsoft.graph.{self._shape.type}'."
            )
            raise bad_request(message, code="BadRequest")
        self._advanced = self._advanced or name in self._shape.advanced
        return f"{name}/{rest}" if rest else name

    def _literal(self) -> Literal:
        kind, word = self._next()
        if kind == "string":
            return Literal("string", word[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal("number", int(word))
        if kind in ("guid", "date"):
            return Literal(kind, word)
        if kind == "name" and word.lower() in ("true", "false", "null"):
            return Literal("word", {"true": True, "false": False, "null": None}[word.lower()])
        raise self._syntax()

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._syntax()
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, kind: str, word: str) -> bool:
        if self._at < len(self._tokens):
            found, text = self._tokens[self._at]
            if found == kind and text.lower() == word:
                self._at += 1
                return True
        return False

    def _need(self, kind: str, word: str) -> None:
        if not self._take(kind, word):
            raise self._syntax()

    def _syntax(self) -> Exception:
        return bad_request(f"Invalid filter clause: Syntax error in '{self._text}'.", code="BadRequest")


def _tokens(text: str):
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if not found:
            message = f"Invalid filter clause: Syntax error at position {at} in '{text}'."
            raise bad_request(message, code="BadRequest")
        yield found.lastgroup, found.group(found.lastgroup)
        at = found.end()


def _fold(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _within(item: Any, path: str) -> Any:
    for name in path.split("/") if path else ():
        item = item.get(name) if isinstance(item, dict) else None
    return item


# --- $search ---------------------------------------------------------------------------------------

TOKENISED = frozenset({"displayName", "description"})


@lru_cache(maxsize=512)
def parse_search(text: str, shape: Shape) -> Predicate:
    """`"displayName:ann" OR "mail:ann"`: names match by the beginning of any word, everything else by its own.

    Raises:
        Refused: 400 for clauses without quotes and unknown properties.
    """
    alternatives: list[list[Predicate]] = [[]]
    at, end, expecting = 0, len(text.rstrip()), True
    while at < end:
        found = _SEARCH_CLAUSE.match(text, at)
        if not found:
            raise _search_syntax(text)
        at, word = found.end(), found["word"]
        if word in ("(", ")"):
            continue  # AND binds tighter; nesting beyond that is not modelled
        if word and not expecting:
            expecting = True
            if word == "OR":
                alternatives.append([])
        elif found["clause"] is not None:
            expecting = False
            alternatives[-1].append(_clause(found["clause"], shape))
        else:
            raise _search_syntax(text)
    if expecting:
        raise _search_syntax(text)
    return lambda get: any(all(test(get) for test in tests) for tests in alternatives)


def _clause(text: str, shape: Shape) -> Predicate:
    written, colon, wanted = text.replace('\\"', '"').replace("\\\\", "\\").partition(":")
    name = shape.name_of(written)
    if not colon or name is None:
        raise bad_request(f"Invalid $search clause '{text}'.", code="Request_BadRequest")
    wanted = wanted.lower()
    if name not in TOKENISED:
        return lambda get: str(get(name) or "").lower().startswith(wanted)
    beginnings = words(wanted)

    def matches(get: Get) -> bool:
        there = words(str(get(name) or "").lower())
        return bool(beginnings) and all(any(word.startswith(one) for word in there) for one in beginnings)

    return matches


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _search_syntax(text: str) -> Exception:
    return bad_request(f"Syntax error: character '{text[:1]}' is not valid in '{text}'.", code="BadRequest")


# --- $orderby --------------------------------------------------------------------------------------


def parse_orderby(text: str, shape: Shape) -> list[tuple[str, bool]]:
    """Names, and whether downwards."""
    found = []
    for part in text.split(","):
        written, _, direction = part.strip().partition(" ")
        name = shape.name_of(written)
        if name is None or direction.strip().lower() not in ("", "asc", "desc"):
            raise bad_request(f"Invalid $orderby clause '{text}'.", code="BadRequest")
        found.append((name, direction.strip().lower() == "desc"))
    return found
