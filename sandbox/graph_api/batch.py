"""JSON batching: up to 20 requests in one, each answered for itself, in any order.

https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from sandbox.graph_api.errors import Refused
from sandbox.graph_api.wire import JSON, Answer, json_of, new_id

if TYPE_CHECKING:
    from sandbox.graph_api.callers import Caller
    from sandbox.graph_api.engine import Engine, Incoming

LIMIT = 20
METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
_random = random.Random(20)


async def run(engine: Engine, outer: Incoming, caller: Caller, request_id: str) -> Answer:
    """Carry out a batch.

    Raises:
        Refused: 400, the batch as a whole makes no sense; nothing was done.
    """
    items = _items(outer.body)
    order = _order(items)
    answers: dict[str, dict[str, Any]] = {}
    while order:
        # All whose forerunners are done go together, so a batch waits as long as its slowest item.
        ready = [item for item in order if all(one in answers for one in _needs(item))]
        order = [item for item in order if item not in ready]
        waiting = []
        for item in ready:
            if any(answers[one]["status"] >= 400 for one in _needs(item)):
                refusal = engine.refuse(Refused(424), outer.headers, new_id())
                answers[_name(item)] = _response(item, refusal)
                continue
            incoming = _incoming(outer, item)
            fault = engine.fault_for(incoming, caller)
            if fault is None:
                answer = engine.now(incoming, caller, None, new_id())
                engine.log(incoming, caller, answer.status)
                answers[_name(item)] = _response(item, answer)
            else:
                waiting.append((item, engine.spoil(fault, incoming, caller, None, new_id())))
        spoiled = await asyncio.gather(*(one for _, one in waiting))
        for (item, _), answer in zip(waiting, spoiled, strict=True):
            answers[_name(item)] = _response(item, answer)
    responses = list(answers.values())
    _random.shuffle(responses)
    return Answer(body={"responses": responses})


def _items(raw: Any) -> list[dict[str, Any]]:
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
        if item.get("body") is not None and "content-type" not in {name.lower() for name in item.get("headers") or {}}:
            raise _invalid(f"Write request id : {item['id']} does not contain Content-Type header or body.")
    for item in items:
        if not set(_needs(item)) <= seen - {_name(item)}:
            raise _invalid(f"Request id: {item['id']} depends on a request that is not in the batch.")
    return items


def _order(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items, if they can be put into an order at all."""
    done: set[str] = set()
    left = items
    while left:
        later = [item for item in left if not set(_needs(item)) <= done]
        if len(later) == len(left):
            raise _invalid("The requests of the batch depend on each other in a circle.")
        done |= {_name(item) for item in left if item not in later}
        left = later
    return items


def _name(item: dict[str, Any]) -> str:
    return item["id"].lower()


def _needs(item: dict[str, Any]) -> list[str]:
    needs = item.get("dependsOn") or ()
    if not isinstance(needs, list | tuple) or not all(isinstance(one, str) for one in needs):
        raise _invalid(f"Request id: {item['id']} has a dependsOn that is no list of ids.")
    return [one.lower() for one in needs]


def _incoming(outer: Incoming, item: dict[str, Any]) -> Incoming:
    path, _, query = item["url"].partition("?")
    headers = {name.lower(): str(value) for name, value in (item.get("headers") or {}).items()}
    if "client-request-id" in outer.headers:
        headers.setdefault("client-request-id", outer.headers["client-request-id"])
    return type(outer)(
        method=item["method"].upper(),
        version=outer.version,
        path=path if path.startswith("/") else f"/{path}",
        query=query,
        headers=headers,
        body=item.get("body"),
        base=outer.base,
        in_batch=True,
    )


def _response(item: dict[str, Any], answer: Answer) -> dict[str, Any]:
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
