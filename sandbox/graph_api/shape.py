"""What a resource type looks like on the wire, whatever the type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.graph_api.errors import bad_request
from sandbox.graph_api.view import View
from sandbox.graph_api.wire import stamp

Getter = Callable[[Any, View], Any]


@dataclass(frozen=True)
class Shape:
    """A resource type. `default` are the properties of an answer without `$select`; `beta` those that only beta has."""

    type: str  # "user"
    set: str  # "users", as in contexts
    kind: str  # the dict on Tenant
    properties: dict[str, Getter]
    default: tuple[str, ...]
    guids: frozenset[str] = frozenset()
    beta: frozenset[str] = frozenset()
    beta_default: tuple[str, ...] = ()
    sortable: frozenset[str] = frozenset()  # without an advanced query
    always_id: bool = False

    def names(self, select: str | None, *, beta: bool) -> tuple[str, ...]:
        """The properties to send.

        Raises:
            Refused: 400 for one that the type does not have in this version.
        """
        if select is None or not select.strip() or select.strip() == "*":
            return (*self.default, *self.beta_default) if beta else self.default
        found = []
        for part in select.split(","):
            name = part.strip()
            if name not in self.properties or (name in self.beta and not beta):
                raise bad_request(
                    "Parsing OData Select and Expand failed: Could not find a property named "
                    f"'{name}' on type 'microsoft.graph.{self.type}'.",
                    code="BadRequest",
                )
            found.append(name)
        return tuple(dict.fromkeys(found))

    def write(self, record: Any, view: View, names: tuple[str, ...]) -> dict[str, Any]:
        properties = self.properties
        return {name: properties[name](record, view) for name in names}

    def reader(self, record: Any, view: View) -> Callable[[str], Any]:
        """Properties by path, for filters."""

        def get(path: str) -> Any:
            head, _, rest = path.partition("/")
            value = self.properties[head](record, view)
            while rest and isinstance(value, dict):
                head, _, rest = rest.partition("/")
                value = value.get(head)
            return value

        return get


def attribute(name: str) -> Getter:
    return lambda record, view: getattr(record, name)


def constant(value: Any) -> Getter:
    return lambda record, view: value


def moment(name: str) -> Getter:
    return lambda record, view: stamp(getattr(record, name))
