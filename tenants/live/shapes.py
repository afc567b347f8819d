"""The shape of a JSON answer: names and types of what it holds, and none of the values.

    {"id": "x", "mail": null, "tags": ["a"]}   →   {"id": "string", "mail": "null", "tags": ["string"]}

Items of a list are one shape together; a name that only some of them have ends with a question mark. What an answer
decides by is kept word for word, after an equals sign: the type of an object and the code of an error.
"""

import re
from typing import Any

_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$")
_KEPT = {"@odata.type"}


def shape(value: Any, name: str = "", inside: str = "") -> Any:
    """The shape of a parsed JSON value. `name` and `inside` say where it stands."""
    if isinstance(value, dict):
        return {key: shape(item, key, name) for key, item in value.items()}
    if isinstance(value, list):
        items = [shape(item, name, inside) for item in value]
        return [_together(items)] if items else []
    if isinstance(value, str) and (name in _KEPT or (name, inside) == ("code", "error")):
        return f"={value}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "datetime" if _MOMENT.match(value) else "string"


def _together(shapes: list) -> Any:
    """One shape for many: optional names are marked, types that differ are joined by a bar."""
    if all(isinstance(one, dict) for one in shapes):
        names = {name.rstrip("?"): None for one in shapes for name in one}
        joined = {}
        for name in names:
            found = [one[key] for one in shapes for key in (name, f"{name}?") if key in one]
            everywhere = all(name in one for one in shapes)
            joined[name if everywhere else f"{name}?"] = _together(found)
        return joined
    if all(isinstance(one, list) for one in shapes):
        inner = [item for one in shapes for item in one]
        return [_together(inner)] if inner else []
    kinds = {part for one in shapes for part in (one.split("|") if isinstance(one, str) else [_kind(one)])}
    return "|".join(sorted(kinds))


def _kind(found: Any) -> str:
    return "object" if isinstance(found, dict) else "list"


def differences(expected: Any, got: Any, *, partial: bool = False, at: str = "") -> list[str]:
    """How a shape differs from the expected one, a sentence each.

    A null says nothing about its type, nor an empty list about its items.

    Args:
        partial: the expected shape need not name everything.
    """
    where = at or "the answer"
    if "null" in (expected, got) or expected == got:
        return []
    if isinstance(expected, dict) and isinstance(got, dict):
        found = []
        for key, inner in expected.items():
            name = key.rstrip("?")
            other = got.get(name, got.get(f"{name}?"))
            if other is not None:
                found += differences(inner, other, partial=partial, at=f"{at}.{name}" if at else name)
            elif key == name:
                found.append(f"{where} lacks {name}")
        known = {key.rstrip("?") for key in expected}
        more = [key.rstrip("?") for key in got if key.rstrip("?") not in known]
        return found + ([f"{where} also has {', '.join(more)}"] if more and not partial else [])
    if isinstance(expected, list) and isinstance(got, list):
        return differences(expected[0], got[0], partial=partial, at=f"{at}[]") if expected and got else []
    if isinstance(expected, str) and isinstance(got, str) and _fits(expected, got):
        return []
    return [f"{where} is {_said(got)} instead of {_said(expected)}"]


def _fits(expected: str, got: str) -> bool:
    if expected == "string" and got.startswith("="):
        return True
    if expected.startswith("=") or got.startswith("="):
        # Where several values were seen, one of them is enough.
        return bool(set(expected.split("|")) & set(got.split("|")))
    return not ({*got.split("|")} - {*expected.split("|"), "null", *(["datetime"] if "string" in expected else [])})


def _said(found: Any) -> str:
    return (
        found.lstrip("=") if isinstance(found, str) else f"an {_kind(found)}" if isinstance(found, dict) else "a list"
    )
