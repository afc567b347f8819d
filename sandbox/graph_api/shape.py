"""What a resource type looks like on the wire, whatever the type.

Names and types are the metadata's (`sandbox.facts`): what the sandbox does not model is null or empty, or what somebody
wrote there; what v1.0 does not have is refused. Names match without regard to case.

https://learn.microsoft.com/graph/traverse-the-graph
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox import facts
from sandbox.graph_api.errors import Refused, bad_request
from sandbox.graph_api.view import View
from sandbox.graph_api.wire import stamp

Getter = Callable[[Any, View], Any]
LEFT_OUT = object()  # a value that is not even sent as null


@dataclass(frozen=True, eq=False)
class Shape:
    """A resource type. `default` are the properties of an answer without `$select`; `beta` those that only beta has.

    `derive` finds the more special shape of a record in a list of this type, itself where there is none.
    """

    type: str  # "user"
    set: str  # "users", as in contexts
    kind: str  # the dict on Tenant
    properties: dict[str, Getter]
    default: tuple[str, ...]
    beta: frozenset[str] = frozenset()
    beta_default: tuple[str, ...] = ()
    sortable: frozenset[str] = frozenset()  # without an advanced query
    advanced: frozenset[str] = frozenset()  # filtered by with an advanced query only
    derive: Callable[[Any], Shape] | None = None
    family: tuple[Shape, ...] = ()  # what a list of this type may hold, where its properties may be named too

    @cached_property
    def getters(self) -> dict[str, Getter]:
        """Every property there is, modelled or not."""
        found: dict[str, Getter] = {}
        for one in self.family:
            found |= {name: _of_the_record(self, name) for name in one.getters}
        for name, kind in facts.resource(self.type).properties.items():
            found[name] = _kept(name, [] if kind.startswith("*") else None)
        return found | self.properties

    @cached_property
    def _spellings(self) -> dict[str, str]:
        return {name.lower(): name for name in self.getters}

    def name_of(self, text: str, *, beta: bool = True) -> str | None:
        """A property's name as the metadata writes it; None for one that the type does not have in this version."""
        name = self._spellings.get(text.lower())
        return None if name in self.beta and not beta else name

    def names(self, select: str | None, *, beta: bool) -> tuple[str, ...] | None:
        """The properties to send; None where nobody chose.

        Raises:
            Refused: 400 for one that the type does not have in this version.
        """
        if select is None or not select.strip() or select.strip() == "*":
            return None
        found = []
        for part in select.split(","):
            name = self.name_of(part.strip(), beta=beta)
            if name is None:
                raise unknown_property(self, part.strip())
            found.append(name)
        return tuple(dict.fromkeys(found))

    def of(self, record: Any) -> Shape:
        return self.derive(record) if self.derive else self

    def chosen(self, names: tuple[str, ...] | None, *, beta: bool) -> tuple[str, ...]:
        """What is sent of a record of exactly this type."""
        if names is None:
            return (*self.default, *self.beta_default) if beta else self.default
        return tuple(name for name in names if name in self.getters)

    def write(self, record: Any, view: View, names: tuple[str, ...]) -> dict[str, Any]:
        getters = self.getters
        return {name: value for name in names if (value := getters[name](record, view)) is not LEFT_OUT}

    def reader(self, record: Any, view: View) -> Callable[[str], Any]:
        """Properties by path, for filters."""
        getters = self.of(record).getters

        def get(path: str) -> Any:
            getter, inside = getters.get(path), ""
            if getter is None:
                head, _, inside = path.partition("/")
                getter = getters.get(head)
            value = getter(record, view) if getter else None
            while inside and isinstance(value, dict):
                head, _, inside = inside.partition("/")
                value = value.get(head)
            return None if value is LEFT_OUT else value

        return get

    def type_of(self, path: str) -> str | None:
        """The metadata's type of a property, such as `Guid` or `*String!`; None where it says nothing."""
        head, _, rest = path.partition("/")
        kind = facts.resource(self.type).properties.get(head)
        for one in self.family:
            kind = kind or one.type_of(head)
        while kind and rest:
            head, _, rest = rest.partition("/")
            plain = kind.strip("*!")
            kind = facts.resource(plain).properties.get(head) if facts.is_type(plain) else None
        return kind


def unknown_property(shape: Shape, name: str) -> Refused:
    return bad_request(
        "Parsing OData Select and Expand failed: Could not find a property named "
        f"'{name}' on type 'microsoft.graph.{shape.type}'.",
        code="BadRequest",
    )


def _of_the_record(shape: Shape, name: str) -> Getter:
    def get(record: Any, view: View) -> Any:
        getter = shape.of(record).getters.get(name)
        return getter(record, view) if getter else None

    return get


def _kept(name: str, otherwise: Any) -> Getter:
    """What somebody wrote to a property that means nothing to the sandbox."""

    def get(record: Any, view: View) -> Any:
        extra = getattr(record, "extra", None)
        return extra.get(name, otherwise) if extra else otherwise

    return get


def attribute(name: str) -> Getter:
    return lambda record, view: getattr(record, name)


def constant(value: Any) -> Getter:
    return lambda record, view: value


def moment(name: str) -> Getter:
    return lambda record, view: stamp(getattr(record, name))
