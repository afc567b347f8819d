"""Finds what answers an address: a tree of segments, built once, walked without regular expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.graph_api.access import Access, access_to
from sandbox.graph_api.errors import Refused, no_segment
from sandbox.graph_api.wire import Answer

Handler = Callable[..., Answer]


@dataclass(slots=True, frozen=True)
class Endpoint:
    handler: Handler
    access: Access
    units: int
    beta_only: bool
    raw: bool = False  # takes its body as bytes


@dataclass(slots=True)
class Node:
    children: dict[str, Node] = field(default_factory=dict)
    anything: Node | None = None
    methods: dict[str, Endpoint] = field(default_factory=dict)


class Router:
    def __init__(self):
        self._root = Node()

    def on(
        self,
        method: str,
        path: str,
        *,
        roles: frozenset[str] | None = None,
        also: tuple[str, ...] = (),
        units: int = 1,
        beta_only: bool = False,
        raw: bool = False,
    ) -> Callable:
        """Register a function for a method and a path; `{}` stands for any one segment, which the function is given.

        Which permissions open it is Microsoft's to say; `roles` and `also` see `access.access_to`.
        """
        access = access_to(method, path, roles, also)

        def register(handler: Handler) -> Handler:
            node = self._root
            for segment in path.strip("/").split("/"):
                if segment == "{}":
                    node.anything = node.anything or Node()
                    node = node.anything
                else:
                    node = node.children.setdefault(segment.lower(), Node())
            node.methods[method] = Endpoint(handler, access, units, beta_only, raw)
            return handler

        return register

    def calls(self) -> Iterator[tuple[str, str, Endpoint]]:
        """Everything that is served: method, path in small letters, and what answers."""
        left = [("", self._root)]
        while left:
            path, node = left.pop()
            for method, endpoint in node.methods.items():
                yield method, path.removeprefix("/"), endpoint
            left += [(f"{path}/{segment}", child) for segment, child in node.children.items()]
            if node.anything:
                left.append((f"{path}/{{}}", node.anything))

    def find(self, method: str, segments: list[str], *, beta: bool) -> tuple[Endpoint, list[str]]:
        """The endpoint and the segments that stood for `{}`.

        Raises:
            Refused: 400 for an address that does not exist, 405 for one that does not take the method.
        """
        node, values = self._root, list[Any]()
        for segment in segments:
            following = node.children.get(segment.lower())
            if following is None:
                following = node.anything
                if following is None:
                    raise no_segment(segment)
                values.append(segment)
            node = following
        endpoint = node.methods.get(method)
        if endpoint is None:
            if not node.methods:
                raise no_segment(segments[-1] if segments else "")
            if all(one.beta_only for one in node.methods.values()) and not beta:
                raise no_segment(segments[-1])
            raise Refused(405)
        if endpoint.beta_only and not beta:
            raise no_segment(segments[-1])
        return endpoint, values


GRAPH = Router()  # the modules under resources/ register here
