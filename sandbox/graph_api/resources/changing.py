"""From properties on the wire to changes of a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SECRET = frozenset({"passwordProfile"})


def changes(record: Any, given: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """What to change. Properties that mean nothing to the sandbox are kept as they were written."""
    found = {fields[name]: value for name, value in given.items() if name in fields}
    others = {name: value for name, value in given.items() if name not in fields and name not in SECRET}
    if others:
        found["extra"] = {**(record.extra or {}), **others}
    return found
