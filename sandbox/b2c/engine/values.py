"""Values of claims: texts, truths, numbers, lists, and what cannot be known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

FRACTION = re.compile(r"(\.\d{6})\d+")
US_FORMAT = "%m/%d/%Y %I:%M:%S %p"


@dataclass(frozen=True)
class Unknown:
    """A claim of which nobody can say which value it has, nor, unless `present`, whether it has one."""

    why: str
    present: bool = False


def moment(value: Any) -> datetime | None:
    """A date and time as directories and tokens write it; None when it is none."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        return None
    text = FRACTION.sub(r"\1", value.strip())
    for read in (datetime.fromisoformat, lambda one: datetime.strptime(one, US_FORMAT)):
        try:
            found = read(text)
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def written(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def converted(value: Any, data_type: str) -> Any:
    """A value that came from outside, as a claim of this type; Unknown where no document says what becomes of it."""
    kind = data_type.lower()
    if isinstance(value, Unknown) or not kind:
        return value
    if kind == "boolean":
        return value if isinstance(value, bool) else Unknown(f"what a boolean claim makes of {value!r}")
    if kind == "string":
        if isinstance(value, str):
            return value
        return Unknown(f"what a text claim makes of {value!r}")
    if kind in ("int", "long") and (isinstance(value, bool) or not isinstance(value, int)):
        return Unknown(f"what a number claim makes of {value!r}")
    if kind in ("datetime", "date") and moment(value) is None:
        return Unknown(f"what a date claim makes of {value!r}")
    return value


def of_default(text: str, data_type: str) -> Any:
    """A default from the policy, as a claim of this type."""
    kind = data_type.lower()
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind in ("int", "long") and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "stringcollection":
        return [text]
    return text
