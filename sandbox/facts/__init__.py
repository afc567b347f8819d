"""What Microsoft publishes about Graph, read from the files beside this one when it is first asked for."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
Permissions = Mapping[str, frozenset[str]]  # "application" and "delegated", each with what lets a call through


@cache
def permissions() -> dict[tuple[str, str], Permissions]:
    """Which permissions let a call through, by method and path. Paths are small letters, with `{id}` for every key."""
    found: dict[tuple[str, str], dict[str, set[str]]] = {}
    with (FOLDER / "graph-endpoint-permissions.csv").open() as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            kinds = found.setdefault((row["method"], row["path"]), {"application": set(), "delegated": set()})
            kinds[row["kind"]].add(row["permission"])
    return {call: {kind: frozenset(names) for kind, names in kinds.items()} for call, kinds in found.items()}


@dataclass(frozen=True)
class Resource:
    """A type of v1.0. In the metadata's words `*` stands before a collection, `!` after what is never null."""

    name: str
    properties: dict[str, str]
    relations: dict[str, str]


@cache
def resource(name: str) -> Resource:
    """A type with what it inherits.

    Raises:
        KeyError: v1.0 has no such type.
    """
    described = _metadata()["types"][name]
    inherited = resource(described["base"]) if "base" in described else Resource(name, {}, {})
    return Resource(
        name,
        inherited.properties | described.get("props", {}),
        inherited.relations | described.get("nav", {}),
    )


def is_type(name: str) -> bool:
    return name in _metadata()["types"]


@cache
def _metadata() -> dict[str, Any]:
    return json.loads((FOLDER / "graph-v1-metadata.json").read_text())
