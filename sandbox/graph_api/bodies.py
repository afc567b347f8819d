"""What a request's body may hold: the metadata's names, in its own spelling, with values of its types."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sandbox import facts
from sandbox.graph_api.errors import Refused, bad_request
from sandbox.graph_api.wire import Ask, is_guid

NO_JSON = (
    "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."
)


def properties(
    ask: Ask, type_: str, *, required: Collection[str] = (), read_only: Collection[str] = ()
) -> dict[str, Any]:
    """The properties that are set on an object.

    Raises:
        Refused: 400 for a body that is no object, and for a property that the type does not have, that has another
            type, that is read-only or missing.
    """
    given = _checked(ask, facts.resource(type_).properties, type_)
    for name in given:
        if name in read_only:
            raise bad_request(f"Property '{name}' is read-only and cannot be set.", target=name)
    _require(given, required)
    return given


def parameters(ask: Ask, kinds: Mapping[str, str], required: Collection[str] = ()) -> dict[str, Any]:
    """What an action is called with; an action without parameters may be called without a body.

    Raises:
        Refused: 400, as for properties.
    """
    if ask.body is None and not required:
        return {}
    given = _checked(ask, kinds, "parameters")
    _require(given, required)
    return given


def _checked(ask: Ask, kinds: Mapping[str, str], type_: str) -> dict[str, Any]:
    if not isinstance(ask.body, dict):
        raise bad_request(NO_JSON)
    given = {name: value for name, value in ask.body.items() if "@odata." not in name}
    for name, value in given.items():
        if name not in kinds:
            raise bad_request(f"Invalid property '{name}'.", target=name)
        _check(name, value, kinds[name], type_)
    return given


def _require(given: Mapping[str, Any], required: Collection[str]) -> None:
    for name in required:
        if given.get(name) in (None, ""):
            raise bad_request(f"A value is required for property '{name}' of resource.", target=name)


def _check(name: str, value: Any, kind: str, type_: str) -> None:
    if value is None:
        fits = not kind.endswith("!")
    elif kind.startswith("*"):
        fits = isinstance(value, list)
        for one in value if fits else ():
            _check(name, one, kind[1:].strip("!") + "!", type_)
    else:
        plain = kind.strip("!")
        fits = _SIMPLE[plain](value) if plain in _SIMPLE else _fits_complex(name, value, plain)
    if not fits:
        raise _invalid(name, type_)


def _fits_complex(name: str, value: Any, type_: str) -> bool:
    """An object of a complex type, or the text of an enumeration's value."""
    if not facts.is_type(type_) or not isinstance(value, dict):
        return isinstance(value, str)
    kinds = facts.resource(type_).properties
    for part, inner in value.items():
        if "@odata." in part:
            continue
        if part not in kinds:
            raise bad_request(f"Invalid property '{part}'.", target=f"{name}/{part}")
        _check(f"{name}/{part}", inner, kinds[part].strip("!"), type_)
    return True


def _invalid(name: str, type_: str) -> Refused:
    resource = type_[:1].upper() + type_[1:]
    return bad_request(f"Invalid value specified for property '{name}' of resource '{resource}'.", target=name)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value.replace("Z", "+00:00")) is not None
    except ValueError:
        return False


def _is_base64(value: Any) -> bool:
    try:
        plain = value.replace("-", "+").replace("_", "/") if isinstance(value, str) else ""
        return isinstance(value, str) and base64.b64decode(plain, validate=True) is not None
    except (binascii.Error, ValueError):
        return False


_SIMPLE = {
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "Guid": lambda value: isinstance(value, str) and is_guid(value),
    "DateTimeOffset": _is_moment,
    "Int32": _is_number,
    "Int64": _is_number,
    "Double": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "Binary": _is_base64,
}
