"""The form of a JSON batch. What its items ask for is judged item by item, as if each had been sent alone.

https://learn.microsoft.com/graph/json-batching
"""

from collections.abc import Iterator
from typing import Any

from tests.wire.paths import shape

Found = Iterator[tuple[str, str]]

LIMIT = 20
_MEMBERS = {"id", "method", "url", "headers", "body", "dependsOn"}
_METHODS = {"GET", "POST", "PATCH", "PUT", "DELETE"}
_WRITES = {"POST", "PATCH", "PUT"}


def judge(body: Any) -> Found:
    """What is wrong with the batch as a whole. Nothing of a batch with such a fault is carried out."""
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests or set(body) != {"requests"}:
        yield "batch-form", "the body is an object with one member, a list named requests"
        return
    if len(requests) > LIMIT:
        yield "batch-size", f"{len(requests)} requests; at most {LIMIT}"
    ids = [str(one.get("id")).lower() for one in requests if isinstance(one, dict)]
    if len(set(ids)) != len(requests):
        yield "batch-ids", "ids are unique, without regard to case"
    for item in requests:
        yield from _item(item)
    yield from _order(requests)


def _item(item: Any) -> Found:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str) or not item["id"]:
        yield "batch-ids", "an item without an id that is a string"
        return
    if unknown := set(item) - _MEMBERS:
        yield "batch-form", f"unknown members {sorted(unknown)}"
    method, url = item.get("method"), item.get("url")
    if method not in _METHODS:
        yield "batch-form", f"method {method!r}"
    if not isinstance(url, str) or "://" in url or url.lstrip("/").split("/")[0].lower() in ("", "v1.0", "beta"):
        yield "batch-url", f"{url!r} is not relative to the version"
    elif url.lstrip("/").lower().startswith("$batch"):
        yield "batch-url", "a batch inside a batch"
    what = f"{method} {shape(str(url))}"
    headers = item.get("headers", {})
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        yield "batch-form", "headers are an object of strings"
        return
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), None)
    if method in _WRITES and ("body" not in item or not kind):
        # "Write request id : … does not contain Content-Type header or body."
        yield "batch-body", f"{what} without Content-Type and body"
    if method in ("GET", "DELETE") and "body" in item:
        yield "batch-body", f"{what} with a body"
    if "body" in item and not kind:
        yield "batch-body", f"{what}: a body without Content-Type"


def _order(requests: list) -> Found:
    """All at once, one after the other, or all after the same one: other orders are a known limitation.

    https://learn.microsoft.com/graph/known-issues#json-batching
    """
    waits = {
        str(one.get("id")).lower(): one["dependsOn"] for one in requests if isinstance(one, dict) and "dependsOn" in one
    }
    ids = [str(one.get("id")).lower() for one in requests if isinstance(one, dict)]
    for waiting, on in waits.items():
        if not isinstance(on, list) or len(on) != 1 or str(on[0]).lower() not in ids or str(on[0]).lower() == waiting:
            yield "batch-order", f"{waiting} depends on {on!r}; one other item of the batch is possible"
            return
    if not waits:
        return
    on = [str(one[0]).lower() for one in waits.values()]
    all_after_one = len(set(on)) == 1 and on[0] not in waits
    chain = len(set(on)) == len(on) and not set(on) >= set(waits)
    if len(waits) != len(ids) - 1 or not (all_after_one or chain):
        yield "batch-order", "neither all after one nor one after the other"
