"""What a write carries: names and JSON types of its properties, against the type or the action it is sent to."""

import re
from collections.abc import Iterator
from typing import Any

from tests.wire import documented, published
from tests.wire.paths import Target
from tests.wire.published import Kind

Found = Iterator[tuple[str, str]]

_GUID = re.compile(r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")


def judge(target: Target, method: str, body: Any) -> Found:
    """What is wrong with a parsed body; None stands for no body at all."""
    if method in ("GET", "DELETE"):
        if body is not None:
            yield "body", f"{method} carries a body"
        return
    if target.operation:
        yield from _members(
            {} if body is None else body, dict(_lower(target.operation.parameters)), target.operation.name
        )
        return
    if not isinstance(body, dict) or not body:
        yield "body", f"{method} {target.template} carries no object"
        return
    found = published.type_of(target.type)
    yield from _members(body, dict(found.properties) if found else {}, target.type)
    if method == "PATCH":
        for name in set(body) - documented.CHANGEABLE.get(target.type, set()):
            yield "body", f"{target.type}.{name} is not among what an update may change"
    if method == "POST":
        for name in sorted(documented.NEEDED.get(target.type, set()) - set(body)):
            yield "body", f"a new {target.type} needs {name}"
    if target.type == "oAuth2PermissionGrant":
        yield from _grant(method, body)


def _lower(parameters: dict[str, Kind]) -> Iterator[tuple[str, tuple[str, Kind]]]:
    for name, kind in parameters.items():
        yield name.lower(), (name, kind)


def _members(body: Any, known: dict[str, tuple[str, Kind]], owner: str) -> Found:
    if not isinstance(body, dict):
        yield "body", f"{owner} takes an object"
        return
    for name, value in body.items():
        if name.startswith("@odata.") or name.endswith("@odata.bind"):
            continue
        declared = known.get(name.lower())
        if declared is None:
            yield "body", f"{owner} has no property {name!r}"
        elif declared[0] != name:
            yield "body", f"{owner}.{declared[0]} is written {name!r}; names in bodies keep their case"
        else:
            yield from _value(value, declared[1], f"{owner}.{name}")


def _value(value: Any, kind: Kind, where: str) -> Found:
    if kind.many:
        if not isinstance(value, list):
            yield "body", f"{where} is a list"
        else:
            for one in value:
                yield from _value(one, Kind(kind.name, needed=True), where)
    elif value is None:
        if kind.needed:
            yield "body", f"{where} may not be null"
    elif kind.name in _SCALARS:
        if not _SCALARS[kind.name](value):
            yield "body", f"{where} is no {kind.name}: {value!r}"
    elif found := published.type_of(kind.name):
        if found.values:
            if value not in found.values:
                yield "body", f"{where} is none of {', '.join(found.values)}: {value!r}"
        else:
            yield from _members(value, dict(found.properties), where)


_SCALARS = {
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "Int32": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Guid": lambda value: isinstance(value, str) and bool(_GUID.match(value)),
    "DateTimeOffset": lambda value: isinstance(value, str) and bool(_MOMENT.match(value)),
}


def _grant(method: str, body: dict) -> Found:
    """https://learn.microsoft.com/graph/api/oauth2permissiongrant-post#request-body"""
    scope = body.get("scope")
    if isinstance(scope, str) and len(scope) > documented.SCOPE_LENGTH:
        yield "body", f"a scope of {len(scope)} characters; at most {documented.SCOPE_LENGTH}"
    if method == "POST":
        kind = body.get("consentType")
        if kind not in ("AllPrincipals", "Principal"):
            yield "body", f"consentType {kind!r}"
        if (kind == "Principal") != bool(body.get("principalId")):
            yield "body", "principalId goes with consentType Principal, and only with it"
