"""JSON batching: up to 20 requests in one, each answered for itself, in any order.

A POST, PUT or PATCH among them must bring a body and its Content-Type even where its address takes none; one that does
not makes Graph refuse the whole batch, and nothing of it is done.

https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

from typing import Any

from sandbox.graph_api.errors import Refused
from sandbox.graph_api.wire import JSON, Answer, Incoming, json_of

LIMIT = 20
WITH_BODY = frozenset({"POST", "PATCH", "PUT"})
METHODS = WITH_BODY | {"GET", "DELETE"}


def read(raw: Any) -> list[dict[str, Any]]:
    """The items of a batch.

    Raises:
        Refused: 400, the batch as a whole makes no sense; nothing was done.
    """
    body = json_of(raw) if isinstance(raw, bytes) else raw
    items = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(items, list) or not items:
        raise _invalid("Invalid batch payload format.")
    if len(items) > LIMIT:
        raise _invalid(f"Number of batch request steps exceeds the maximum value of {LIMIT}.")
    seen = set()
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("id"), str) or not item["id"]:
            raise _invalid("Invalid batch payload format: every request needs an id.")
        if item["id"].lower() in seen:
            raise _invalid(f"Request id: {item['id']} is not unique within the batch.")
        seen.add(item["id"].lower())
        if str(item.get("method", "")).upper() not in METHODS or not isinstance(item.get("url"), str):
            raise _invalid(f"Request id: {item['id']} needs a method and a url.")
        if not isinstance(item.get("headers") or {}, dict):
            raise _invalid(f"Request id: {item['id']} has headers that are no object.")
        typed = "content-type" in {name.lower() for name in item.get("headers") or {}}
        has_body = item.get("body") is not None
        if (has_body or item["method"].upper() in WITH_BODY) and not (has_body and typed):
            raise _invalid(f"Write request id : {item['id']} does not contain Content-Type header or body.")
    for item in items:
        if not set(needs(item)) <= seen - {name_of(item)}:
            raise _invalid(f"Request id: {item['id']} depends on a request that is not in the batch.")
    _check_order(items)
    return items


def _check_order(items: list[dict[str, Any]]) -> None:
    done: set[str] = set()
    left = items
    while left:
        later = [item for item in left if not set(needs(item)) <= done]
        if len(later) == len(left):
            raise _invalid("The requests of the batch depend on each other in a circle.")
        done |= {name_of(item) for item in left if item not in later}
        left = later


def name_of(item: dict[str, Any]) -> str:
    """Ids are the same whatever their case."""
    return item["id"].lower()


def needs(item: dict[str, Any]) -> list[str]:
    """The items that must be done before this one."""
    names = item.get("dependsOn") or ()
    if not isinstance(names, list | tuple) or not all(isinstance(one, str) for one in names):
        raise _invalid(f"Request id: {item['id']} has a dependsOn that is no list of ids.")
    return [one.lower() for one in names]


def incoming(outer: Incoming, item: dict[str, Any]) -> Incoming:
    """An item as a request of its own."""
    path, _, query = item["url"].partition("?")
    headers = {name.lower(): str(value) for name, value in (item.get("headers") or {}).items()}
    if "client-request-id" in outer.headers:
        headers.setdefault("client-request-id", outer.headers["client-request-id"])
    return Incoming(
        method=item["method"].upper(),
        version=outer.version,
        path=path if path.startswith("/") else f"/{path}",
        query=query,
        headers=headers,
        body=item.get("body"),
        base=outer.base,
        in_batch=True,
    )


def response(item: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """An item's place in the answer."""
    headers = {"Cache-Control": "no-cache"}
    if answer.body is not None:
        if answer.status < 400:
            headers["OData-Version"] = "4.0"
        headers["Content-Type"] = "application/json" if answer.status >= 400 else JSON
    headers.update(answer.headers)
    found = {"id": item["id"], "status": answer.status, "headers": headers}
    if answer.body is not None:
        found["body"] = answer.body
    return found


def _invalid(message: str) -> Refused:
    return Refused(400, "BadRequest", message)
