"""Microsoft's metadata and permission table, read for the recorder: types, operations, and what lets a call through.

Reads `sandbox/facts/` as the sandbox does, and shares nothing with it but these files, so that one misreading of them
cannot go through both.
"""

import csv
import json
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

FACTS = Path(__file__).resolve().parents[2] / "sandbox" / "facts"


@dataclass(frozen=True)
class Kind:
    """The declared type of a property, a navigation property, a parameter or an entity set.

    Attributes:
        name: without namespace: `String`, `Guid`, `user`.
        many: a collection of them.
        contained: of navigation: the items live below their owner, so they are created and deleted there.
        needed: of a property: it may not be null.
    """

    name: str
    many: bool = False
    contained: bool = False
    needed: bool = False

    @classmethod
    def read(cls, text: str) -> "Kind":
        bare = text.removeprefix("*").rstrip("#!")
        return cls(bare, text.startswith("*"), text.endswith("#"), text.endswith("!"))


@dataclass(frozen=True)
class Type:
    """An entity or complex type with everything it inherits. Keys of the dicts are in lower case, names keep theirs.

    Attributes:
        keys: alternate keys beside `id`.
        values: of an enumeration, its members.
    """

    name: str
    base: str | None
    properties: dict[str, tuple[str, Kind]]
    navigation: dict[str, tuple[str, Kind]]
    keys: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """An action (called by POST) or a function (by GET), bound to a type or to a collection of it."""

    name: str
    is_action: bool
    parameters: dict[str, Kind] = field(default_factory=dict)


@cache
def metadata() -> dict:
    return json.loads((FACTS / "graph-v1-metadata.json").read_text())


@cache
def sets() -> dict[str, Kind]:
    """Entity sets and singletons by name in lower case."""
    return {name.lower(): Kind.read(text) for name, text in metadata()["sets"].items()}


@cache
def type_names() -> dict[str, str]:
    return {name.lower(): name for name in metadata()["types"]}


@cache
def type_of(name: str) -> Type | None:
    """The type, with inherited members. None where the metadata has none: `String`, or a word that is no type."""
    found = metadata()["types"].get(name)
    if found is None:
        return None
    base = type_of(found["base"]) if found.get("base") else None
    properties = dict(base.properties) if base else {}
    navigation = dict(base.navigation) if base else {}
    properties |= {key.lower(): (key, Kind.read(text)) for key, text in found.get("props", {}).items()}
    navigation |= {key.lower(): (key, Kind.read(text)) for key, text in found.get("nav", {}).items()}
    keys = (*(base.keys if base else ()), *found.get("keys", ()))
    values = found.get("enum") or ()
    return Type(name, found.get("base"), properties, navigation, tuple(keys), tuple(values))


@cache
def lineage(name: str) -> tuple[str, ...]:
    """A type and the types it derives from, itself first."""
    found = type_of(name)
    return (name, *lineage(found.base)) if found and found.base else (name,)


@cache
def operation(name: str, bound_to: str, many: bool) -> Operation | None:
    """The action or function of this name (in lower case) that can be called on a `bound_to`, or on a list of them."""
    wanted = {f"*{one}" if many else one for one in lineage(bound_to)}
    for found, kind, owner, parameters, _returns in metadata()["operations"]:
        if found.lower() == name and owner in wanted:
            return Operation(found, kind == "A", {key: Kind.read(text) for key, text in parameters.items()})
    return None


@cache
def permissions() -> dict[tuple[str, str], frozenset[str]]:
    """Application permissions by (path template, method): each of them lets the call through."""
    rows: dict[tuple[str, str], set[str]] = defaultdict(set)
    lines = (FACTS / "graph-endpoint-permissions.csv").read_text().splitlines()
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        if row["kind"] == "application":
            rows[row["path"], row["method"]].add(row["permission"])
    return {key: frozenset(found) for key, found in rows.items()}
