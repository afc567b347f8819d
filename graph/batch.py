"""JSON batching: up to 20 calls in one request, each answered for itself, in any order.

https://learn.microsoft.com/graph/json-batching
"""

from collections.abc import Mapping, Sequence

from graph.answers import error_of, request_id_of
from graph.errors import Unavailable
from graph.types import Answer, Call

LIMIT = 20
# "While the target URL doesn't require a request body, you must still specify the headers and body": one item of
# these without either makes Graph refuse the whole batch, and none of its calls is carried out.
WRITES_A_BODY = frozenset({"POST", "PUT", "PATCH"})


def payload(calls: Sequence[Call], headers: Mapping[str, str]) -> dict:
    """The body of the batch request; ids are the calls' places.

    Args:
        headers: what every call carries beside its own headers. Those of the batch request do not count for its calls.
    """
    return {"requests": [_item(place, call, headers) for place, call in enumerate(calls)]}


def _item(place: int, call: Call, shared: Mapping[str, str]) -> dict:
    item = {"id": str(place), "method": call.method, "url": call.path}
    headers = {**shared, **(call.headers or {})}
    if call.method in WRITES_A_BODY:
        headers["Content-Type"] = "application/json"
        item["body"] = call.body or {}
    if headers:
        item["headers"] = headers
    return item


def answers(calls: Sequence[Call], body: dict) -> list[Answer]:
    """The answers in the order of the calls.

    A call whose answer is missing or unreadable may have been carried out: it gets `Unavailable` with `sent`.

    Raises:
        Unavailable: the answer holds no answers at all.
    """
    responses = body.get("responses")
    if not isinstance(responses, list):
        raise Unavailable("Graph's batch answer holds no answers.", sent=True)
    by_place = {str(item.get("id")): item for item in responses if isinstance(item, dict)}
    return [_answer(by_place.get(str(place))) for place in range(len(calls))]


def _answer(item: dict | None) -> Answer:
    status = item.get("status") if item else None
    try:
        status = int(status)
    except (TypeError, ValueError):
        return missing("Graph's batch answer leaves this call out.")
    headers = item.get("headers")
    headers = {str(key): str(value) for key, value in headers.items()} if isinstance(headers, dict) else {}
    body = item.get("body")
    body = body if isinstance(body, dict) else None
    error = error_of(status, headers, body)
    return Answer(
        status=status,
        body=body,
        headers=headers,
        request_id=error.request_id if error else request_id_of(headers, {}),
        error=error,
    )


def name_answers(body: dict, request_id: str) -> None:
    """Give answers that name no request id the one of the whole batch: Microsoft's support finds a call by either."""
    for item in body.get("responses") or []:
        if not request_id or not isinstance(item, dict):
            continue
        headers = dict(item["headers"]) if isinstance(item.get("headers"), dict) else {}
        error = item["body"].get("error") if isinstance(item.get("body"), dict) else None
        if not request_id_of(headers, error if isinstance(error, dict) else {}):
            item["headers"] = {**headers, "request-id": request_id}


def missing(message: str) -> Answer:
    return Answer(status=0, error=Unavailable(message, sent=True))
