"""One spelling for each value: what the chain signs must read back from the database, or from a file, the same."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from graph.sentences import english

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """`value` as JSON that PostgreSQL gives back unchanged.

    Floats become text (jsonb rewrites them), NUL characters and lone surrogates go (PostgreSQL refuses them).
    """
    match value:
        case None | bool() | int():
            return value
        case str():
            return text(value)
        case float():
            return repr(value)
        case UUID() | date():
            return text(value.isoformat() if isinstance(value, date) else str(value))
        case Mapping():
            return {text(str(key)): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
            return [plain(item) for item in items]
    return text(str(value))


def text(value: str) -> str:
    return str(english(value)).replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def instant(value: datetime) -> str:
    """A time in UTC with microseconds, always in the same width."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def encode(value: Any) -> bytes:
    """The one JSON spelling: sorted keys, no blanks, UTF-8."""
    return _ENCODER.encode(value).encode()
