"""The query options of a read: known ones, with names that belong to the type, and advanced ones asked for as such.

https://learn.microsoft.com/graph/query-parameters, https://learn.microsoft.com/graph/aad-advanced-queries
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from urllib.parse import unquote

from tests.wire import documented, filters, published
from tests.wire.paths import Target

Found = Iterator[tuple[str, str]]  # rule, what is wrong

KNOWN = {
    "$select",
    "$expand",
    "$filter",
    "$orderby",
    "$search",
    "$top",
    "$count",
    "$skiptoken",
    "$deltatoken",
    "$format",
}
ONE_OBJECT = {"$select", "$expand", "$format"}
_CLAUSE = re.compile(r'"(\w+):((?:[^"\\]|\\.)*)"')
_LITERALS = {
    "String": {"string"},
    "Guid": {"guid"},
    "Boolean": {"boolean"},
    "DateTimeOffset": {"moment"},
    "Int32": {"number"},
}


@lru_cache(maxsize=4096)
def parsed(query: str) -> tuple[tuple[str, str], ...]:
    """Names and values in order. A `+` stays one: only forms mean a blank by it."""
    pairs = (part.partition("=") for part in query.split("&")) if query else ()
    return tuple((unquote(name), unquote(value)) for name, _equals, value in pairs)


def judge(target: Target, query: str, headers: Mapping[str, str]) -> Found:
    """What is wrong with the options of a GET, and with the headers that some of them need."""
    pairs = parsed(query)
    options = dict(pairs)
    if len(options) != len(pairs):
        yield "option", "an option is given twice"
    known = _known(target)
    for name in options:
        if name not in known:
            yield "option", f"{name} is no option of {target.template}"
    if "$select" in options:
        yield from _select(target.type, options["$select"], beta=target.beta_options is not None)
    if "$expand" in options:
        yield from _expand(target.type, options["$expand"])
    if "$top" in options:
        yield from _top(target, options)
    if options.get("$count", "true") != "true":
        yield "option", f"$count={options['$count']}"
    compared: tuple = ()
    if "$filter" in options:
        try:
            compared = filters.comparisons(options["$filter"])
        except filters.Unreadable as fault:
            yield "filter", str(fault)
        yield from _filter(target.type, compared)
    if "$orderby" in options:
        yield from _orderby(target.type, options["$orderby"])
    if "$search" in options:
        yield from _search(target.type, options["$search"], headers)
    yield from _advanced(target, options, compared, headers)


def _known(target: Target) -> frozenset[str] | set[str]:
    if target.beta_options is not None:
        return target.beta_options
    if target.operation and target.operation.name == "delta":
        return documented.DELTA_OPTIONS
    if target.counted:
        return {"$filter", "$search"}
    return documented.OPTIONS.get(target.type, KNOWN) if target.many else ONE_OBJECT


@lru_cache(maxsize=1024)
def _names(type_name: str, text: str) -> tuple[str, ...]:
    """Those of the names that are no property of the type."""
    return tuple(name for name in text.split(",") if not _property(type_name, name))


def _property(type_name: str, path: str) -> str | None:
    """The type of a property, also of one inside a complex property. None where there is none of that name."""
    first, _slash, rest = path.lower().partition("/")
    kind = documented.OPEN_PROPERTIES.get((type_name, first))
    if kind is None:
        found = published.type_of(type_name)
        known = found and found.properties.get(first)
        if not known:
            return None
        kind = known[1].name
    return _property(kind, rest) if rest else kind


def _select(type_name: str, text: str, *, beta: bool) -> Found:
    for name in _names(type_name, text):
        if beta and (type_name, name.lower()) in documented.BETA_PROPERTIES:
            continue
        yield "select", f"{type_name} has no property {name!r}"


def _expand(type_name: str, text: str) -> Found:
    found = published.type_of(type_name)
    for part in text.split(","):
        name = part.partition("(")[0].strip()
        if not found or name.lower() not in found.navigation:
            yield "expand", f"{type_name} has no relationship {name!r}"
        if "$expand" in part:
            yield "expand", "one level only"


def _top(target: Target, options: dict[str, str]) -> Found:
    most = documented.PAGE_SIZES.get(target.type, 999)
    if "signinactivity" in f"{options.get('$select', '')} {options.get('$filter', '')}".lower():
        most = documented.ACTIVITY_PAGE_SIZE
    if not options["$top"].isdecimal() or not 1 <= int(options["$top"]) <= most:
        yield "top", f"$top={options['$top']} of {target.type}; at most {most}"


def _filter(type_name: str, compared: tuple[filters.Comparison, ...]) -> Found:
    for one in compared:
        if one.operator in documented.OF_RELATED.get((type_name, one.path), ()):
            continue
        kind = _property(type_name, one.path)
        if kind is None:
            yield "filter", f"{type_name} has no property {one.path!r}"
            continue
        if one.operator not in documented.FILTERS.get((type_name, one.path), {}):
            yield "filter", f"{one.operator} is not documented for {type_name}.{one.path}"
        if one.literal not in (*_LITERALS.get(kind, {"string"}), "null"):
            yield "filter", f"{one.path} is of type {kind} and compared with a {one.literal}"


def _orderby(type_name: str, text: str) -> Found:
    for part in text.split(","):
        name, _blank, direction = part.strip().partition(" ")
        if not _property(type_name, name) or direction not in ("", "asc", "desc"):
            yield "orderby", f"{part!r} of {type_name}"


def _search(type_name: str, text: str, headers: Mapping[str, str]) -> Found:
    searchable = documented.SEARCHABLE.get(type_name, set())
    if re.sub(r"\b(?:AND|OR)\b", "", _CLAUSE.sub("", text)).strip("() "):
        yield "search", 'clauses are written "property:value", joined by AND or OR'
    for clause in _CLAUSE.finditer(text):
        if clause[1].lower() not in searchable:
            yield "search", f"{type_name}.{clause[1]} cannot be searched"
    if "&" in text and "legacysearch=false" not in headers.get("prefer", "").lower():
        yield "search", "an ampersand needs Prefer: legacySearch=false"


def _advanced(target: Target, options: dict, compared: tuple, headers: Mapping[str, str]) -> Found:
    """Without the header `$count` is ignored in silence, and the rest refused."""
    asked = headers.get("consistencylevel")
    if asked is not None and asked.lower() != "eventual":
        yield "advanced", f"ConsistencyLevel: {asked}"
    needs_count = [
        f"{one.operator} {one.path}"
        for one in compared
        if one.negated
        or one.literal == "null"
        or documented.FILTERS.get((target.type, one.path), {}).get(one.operator) == "advanced"
    ]
    if "$filter" in options and "$orderby" in options:
        needs_count.append("$filter with $orderby")
    if target.cast_of_many:
        needs_count.append("a cast of a transitive list")
    if needs_count and "$count" not in options:
        yield "advanced", f"{needs_count[0]} needs $count=true"
    if (needs_count or target.counted or "$count" in options or "$search" in options) and asked is None:
        yield "advanced", f"{[*needs_count, '$count or $search'][0]} needs ConsistencyLevel: eventual"
    if asked is not None and "$expand" in options:
        yield "advanced", "$expand cannot be used with advanced queries"
    if "$count" in options and target.type not in documented.ADVANCED:
        yield "advanced", f"$count is not documented for {target.type}"
