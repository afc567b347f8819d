"""What an entry says was there before and after, beside each other."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """One thing. None: it was not there."""

    name: str
    before: str | None
    after: str | None

    @property
    def changed(self) -> bool:
        return self.before != self.after


def difference(before: Any, after: Any) -> list[Line]:
    """By name, in the order in which the record says them; what an entry says of one side alone has no other side."""
    one, other = dict(_flat(before)), dict(_flat(after))
    return [Line(name, one.get(name), other.get(name)) for name in dict.fromkeys([*one, *other])]


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and all(not isinstance(one, dict | list) for one in value):
        yield name, ", ".join(map(_word, value))
    elif value is not None:
        yield name, _word(value)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
