"""Which object, list or operation a path names, by Microsoft's metadata.

https://docs.oasis-open.org/odata/odata/v4.01/odata-v4.01-part2-url-conventions.html
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote

from tests.wire import documented, published
from tests.wire.published import Kind, Operation

# What stands for one object, so that a thousand people's paths are one shape.
_KEY = re.compile(
    r"/(?:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[\w-]{40,66}|[^/?]*(?:@|%40)[^/?]*)(?=[/?]|$)"
)
_ALTERNATE = re.compile(r"^(\w+)\((\w+)='([^']*)'\)$")
ITEM = "/00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Target:
    """What a path names.

    Attributes:
        template: as in the permission table, casts included.
        plain: the same without casts.
        type: name of the type of the object, or of the items of the list.
        many: a list.
        contained: reached through navigation that owns what it leads to; writes are possible there.
        through: reached through navigation that only refers to what it leads to.
        cast_of_many: a list narrowed to one derived type, of a list that is walked transitively.
        operation: what is called on it.
        methods: the methods that make sense for it.
    """

    template: str
    plain: str
    type: str
    many: bool
    contained: bool = False
    through: bool = False
    cast_of_many: bool = False
    operation: Operation | None = None
    counted: bool = False
    beta_options: frozenset[str] | None = None
    methods: frozenset[str] = field(default_factory=frozenset)


class Unknown(Exception):
    """The path names nothing. The text says where it ends."""


def shape(path: str) -> str:
    """The path with every object's key alike."""
    return _KEY.sub(ITEM, path)


@lru_cache(maxsize=4096)
def resolve(version: str, path: str) -> Target:
    """The target of a path below the version, such as `/users/{guid}/revokeSignInSessions`.

    Raises:
        Unknown: the metadata has no such path.
    """
    segments = [unquote(one) for one in path.strip("/").split("/")]
    if not all(segments):
        raise Unknown("an empty segment")
    return _beta(segments) if version == "beta" else _walk(segments)


def _beta(segments: list[str]) -> Target:
    for known in documented.BETA:
        wanted = known.template.strip("/").split("/")
        if len(wanted) == len(segments) and all(
            want in ("{id}", got.lower()) for want, got in zip(wanted, segments, strict=True)
        ):
            return Target(
                known.template,
                known.template,
                known.type or "",
                many=known.type is not None,
                beta_options=known.options,
                operation=None if known.type else Operation(segments[-1], is_action=True),
                methods=frozenset(one.method for one in documented.BETA if one.template == known.template),
            )
    raise Unknown("a beta path that is not on the list of documented ones")


def _walk(segments: list[str]) -> Target:
    first, rest = segments[0], segments[1:]
    name, key = _keyed(first)
    kind = published.sets().get(name)
    if kind is None:
        raise Unknown(f"no entity set {first!r}")
    here = _Place(f"/{name}", f"/{name}", kind.name, kind.many)
    if key:
        here.enter(key)
    for segment in rest:
        here.step(segment)
    return here.target()


def _keyed(segment: str) -> tuple[str, tuple[str, str] | None]:
    """`users` or `servicePrincipals(appId='…')`: the name in lower case, and the alternate key."""
    if found := _ALTERNATE.match(segment):
        return found[1].lower(), (found[2], found[3])
    return segment.lower(), None


class _Place:
    """Where a walk along the segments has come to."""

    def __init__(self, template: str, plain: str, type_name: str, many: bool) -> None:
        self.template, self.plain, self.type, self.many = template, plain, type_name, many
        self.contained = self.through = self.cast_of_many = self.counted = self.transitive = False
        self.operation: Operation | None = None

    def enter(self, key: tuple[str, str] | None) -> None:
        """Go from a list to one of its objects."""
        if key and key[0] not in (*_type(self.type).keys, "id"):
            raise Unknown(f"{self.type} has no key {key[0]!r}")
        self.many = False
        self._append("{id}")

    def step(self, segment: str) -> None:
        if self.operation or self.counted:
            raise Unknown(f"{segment!r} after the end of the path")
        name, key = _keyed(segment)
        if name == "$count" and self.many:
            self.counted = True
            self._append(name)
        elif name.startswith("microsoft.graph."):
            self._cast(name)
        elif found := published.operation(name, self.type, self.many):
            self.operation = found
            self._append(name)
        elif self.many:
            self.enter(None)
        else:
            self._navigate(name, segment)
        if key and self.many:
            self.enter(key)

    def _append(self, segment: str) -> None:
        self.template += f"/{segment}"
        self.plain += f"/{segment}"

    def _cast(self, name: str) -> None:
        wanted = published.type_names().get(name.removeprefix("microsoft.graph."))
        if wanted is None or self.type not in published.lineage(wanted):
            raise Unknown(f"no {name} among {self.type}")
        self.template += f"/{name}"
        self.type = wanted
        self.cast_of_many = self.many and self.transitive

    def _navigate(self, name: str, segment: str) -> None:
        found = _type(self.type).navigation.get(name)
        if found is None:
            raise Unknown(f"{self.type} has no {segment!r}")
        kind: Kind = found[1]
        self.contained, self.through = kind.contained, not kind.contained
        self.transitive = name.startswith("transitive")
        self.type, self.many = kind.name, kind.many
        self._append(name)

    def target(self) -> Target:
        return Target(
            self.template,
            self.plain,
            self.type,
            self.many,
            self.contained,
            self.through,
            self.cast_of_many,
            self.operation,
            self.counted,
            methods=self._methods(),
        )

    def _methods(self) -> frozenset[str]:
        if self.operation:
            return frozenset({"POST"} if self.operation.is_action else {"GET"})
        if self.counted:
            return frozenset({"GET"})
        if self.through:
            # "Write requests are only supported on contained entities": what is referred to is changed where it lives.
            return frozenset({"GET"})
        return frozenset({"GET", "POST"} if self.many else {"GET", "PATCH", "DELETE"})


def _type(name: str) -> published.Type:
    found = published.type_of(name)
    if found is None:
        raise Unknown(f"{name} is described nowhere")
    return found
