"""Records as answers carry them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.graph_api.access import may_read
from sandbox.graph_api.relations import Expansion
from sandbox.graph_api.shape import Shape
from sandbox.graph_api.wire import Ask

EXPAND_LIMIT = 20  # https://learn.microsoft.com/graph/query-parameters#expand-parameter
Write = Callable[[Any], dict[str, Any] | None]


def writer(
    ask: Ask,
    shape: Shape,
    names: tuple[str, ...] | None,
    expanded: list[Expansion] | None = None,
    *,
    limit_to: frozenset[str] | None = None,
    related: bool = False,
    present: bool = False,
) -> Write:
    """What turns a record into its place in an answer; None for one that has gone, unless it is known to be `present`.

    A record of a more special type than the list's says so. Of `related` objects the caller may not read, Graph sends
    the type and the id and null for the rest: https://learn.microsoft.com/graph/permissions-overview
    """
    tenant, view, caller = ask.tenant, ask.view, ask.caller
    table = getattr(tenant, shape.kind) if shape.kind and not view.lag and not present else None
    chosen: dict[str, tuple[str, ...]] = {}
    further = [(one, writer(ask, one.relation.shape, one.names, related=True)) for one in expanded or ()]

    def write(record: Any) -> dict[str, Any] | None:
        if table is not None and record.id not in table and getattr(record, "deleted_at", None) is None:
            return None
        own = shape.of(record)
        wanted = chosen.get(own.type)
        if wanted is None:
            wanted = chosen[own.type] = own.chosen(names, beta=ask.beta)
        if related and not may_read(own.type, caller.permissions):
            hidden = {"@odata.type": f"#microsoft.graph.{own.type}", "id": own.getters["id"](record, view)}
            return hidden | {name: None for name in wanted if name != "id"}
        body = own.write(record, view, wanted)
        if limit_to is not None:
            body = {name: value if name in limit_to else None for name, value in body.items()}
        for one, entry in further:
            found = [entry(child) for child in one.relation.find(record, view)[:EXPAND_LIMIT]]
            body[one.name] = (found[0] if found else None) if one.relation.one else found
        return body if own is shape else {"@odata.type": f"#microsoft.graph.{own.type}", **body}

    return write
