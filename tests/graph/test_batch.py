"""Many calls in one request, each with an answer of its own."""

import pytest

from graph import tokens
from graph.errors import Forbidden, NotFound, Throttled, ThrottleScope, TokenUnavailable, Unauthorized, Unavailable
from graph.types import Call
from tests.graph.scripted import Reply, problem
from tests.sandbox_client import CONTOSO

ADELE = "aaaaaaaa-0000-4000-8000-000000000001"
SIGN_OUT = [Call("POST", f"/users/{number}/revokeSignInSessions") for number in range(3)]


def item(place: int, status: int = 200, body: dict | None = None, **headers: str) -> dict:
    return {"id": str(place), "status": status, "headers": headers, "body": body or {"value": True}}


def batch(*items: dict) -> Reply:
    return Reply(body={"responses": list(items)})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"/users/{ADELE}/revokeSignInSessions", None),
        ("POST", f"/directory/deletedItems/{ADELE}/restore", {}),
        ("PATCH", f"/servicePrincipals/{ADELE}", {"accountEnabled": False}),
    ],
)
def test_a_call_that_writes_carries_a_body_and_its_type_also_where_the_call_has_none(
    microsoft, contoso_graph, method, path, body
):
    """Graph refuses a whole batch over one such item without them. https://learn.microsoft.com/graph/json-batching"""
    microsoft.answers(batch(item(0)))

    contoso_graph.batch([Call(method, path, body)])

    (sent,) = microsoft.graph_requests[0].body["requests"]
    assert sent["headers"]["Content-Type"] == "application/json"
    assert sent["body"] == (body or {})


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_call_that_reads_or_deletes_carries_no_body(microsoft, contoso_graph, method):
    microsoft.answers(batch(item(0)))

    contoso_graph.batch([Call(method, "/oauth2PermissionGrants/1")])

    (sent,) = microsoft.graph_requests[0].body["requests"]
    assert "body" not in sent
    assert "Content-Type" not in sent["headers"]


def test_each_call_says_how_urgent_it_is_and_keeps_headers_of_its_own(microsoft, contoso_graph):
    microsoft.answers(batch(item(0), item(1)))

    contoso_graph.batch([Call("GET", "/users/1"), Call("GET", "/users/2", headers={"ConsistencyLevel": "eventual"})])

    (request,) = microsoft.graph_requests
    plain, own = (one["headers"] for one in request.body["requests"])
    assert request.headers["x-ms-throttle-priority"] == "high"
    assert plain == {"x-ms-throttle-priority": "high"}
    assert own == {"x-ms-throttle-priority": "high", "ConsistencyLevel": "eventual"}


def test_answers_come_in_the_order_of_the_calls_whatever_the_order_they_were_given_in(microsoft, contoso_graph):
    microsoft.answers(batch(item(2, 204), item(0, 200), item(1, 201)))

    answers = contoso_graph.batch(SIGN_OUT)

    assert [answer.status for answer in answers] == [200, 201, 204]
    assert all(answer.ok for answer in answers)


def test_each_call_has_its_own_error(microsoft, contoso_graph):
    throttled = item(2, 429, problem("TooMany"), **{"Retry-After": "17"})
    microsoft.answers(batch(item(0), item(1, 404, problem("Request_ResourceNotFound")), throttled))

    fine, gone, busy = contoso_graph.batch(SIGN_OUT)

    assert fine.error is None
    assert isinstance(gone.error, NotFound)
    assert gone.request_id == "graph-request-1"
    assert isinstance(busy.error, Throttled)
    assert busy.error.retry_after == 17


def test_an_answer_without_a_request_id_has_the_batchs(microsoft, contoso_graph):
    own = item(1, **{"request-id": "of-the-item"})
    refused = item(2, 403, problem("Authorization_RequestDenied"))
    body = {"responses": [{"id": "0", "status": 204, "headers": None}, own, refused]}
    microsoft.answers(Reply(body=body, headers={"request-id": "of-the-batch"}))

    answers = contoso_graph.batch(SIGN_OUT)

    assert [answer.request_id for answer in answers] == ["of-the-batch", "of-the-item", "graph-request-1"]


@pytest.mark.parametrize("odd", [{"id": "1"}, {"id": "1", "status": "soon"}, "text", None])
def test_a_call_without_a_readable_answer_may_have_been_done(microsoft, contoso_graph, odd):
    microsoft.answers(batch(item(0), odd, item(2)))

    _, unknown, last = contoso_graph.batch(SIGN_OUT)

    assert isinstance(unknown.error, Unavailable)
    assert unknown.error.sent
    assert last.ok


def test_a_batch_of_writes_is_sent_once_over_a_fault(microsoft, contoso_graph):
    microsoft.answers(Reply(503, b"busy"))

    with pytest.raises(Unavailable) as caught:
        contoso_graph.batch(SIGN_OUT)

    assert caught.value.sent
    assert len(microsoft.graph_requests) == 1


def test_a_batch_throttled_as_a_whole_says_how_long_to_wait(microsoft, contoso_graph):
    microsoft.answers(Reply(429, problem("TooMany"), {"Retry-After": "30"}))

    with pytest.raises(Throttled) as caught:
        contoso_graph.batch(SIGN_OUT)

    assert caught.value.retry_after == 30
    assert not caught.value.sent


def test_calls_whose_token_was_refused_are_sent_again_and_only_those(microsoft, contoso_graph):
    refused = item(1, 401, problem("InvalidAuthenticationToken"))
    microsoft.answers(batch(item(0), refused, item(2)), batch(item(0, 204)))

    answers = contoso_graph.batch(SIGN_OUT)

    assert [answer.status for answer in answers] == [200, 204, 200]
    second = microsoft.graph_requests[1].body["requests"]
    assert [one["url"] for one in second] == [SIGN_OUT[1].path]


def test_answers_are_kept_when_the_refused_calls_cannot_be_sent_again(microsoft, contoso_graph):
    tokens.app_token(CONTOSO)  # it is in memory now
    microsoft.token_replies.append(Reply(503, b"busy"))
    microsoft.answers(batch(item(0), item(1, 401, problem("InvalidAuthenticationToken")), item(2)))

    first, refused, last = contoso_graph.batch(SIGN_OUT)

    assert first.ok
    assert last.ok
    assert isinstance(refused.error, Unauthorized | TokenUnavailable)
    assert not refused.error.sent


def test_refused_calls_whose_second_sending_got_no_answer_may_have_been_done(microsoft, contoso_graph):
    microsoft.answers(batch(item(0), item(1, 401, problem("x")), item(2)), Reply(200, b"<html>"))

    first, unknown, last = contoso_graph.batch(SIGN_OUT)

    assert first.ok
    assert last.ok
    assert unknown.error.sent


def test_beta_calls_go_to_beta_and_find_their_places_again(microsoft, contoso_graph):
    mixed = [Call("POST", "/users/1/invalidateAllRefreshTokens", beta=True), Call("GET", "/users/2")]
    microsoft.answers(batch(item(0, 200)), batch(item(0, 204)))

    answers = contoso_graph.batch(mixed)

    assert [answer.status for answer in answers] == [204, 200]
    assert [one.path for one in microsoft.graph_requests] == ["/v1.0/$batch", "/beta/$batch"]


def test_answers_of_one_version_survive_a_fault_of_the_other(microsoft, contoso_graph):
    mixed = [
        Call("POST", "/users/1/revokeSignInSessions"),
        Call("POST", "/users/1/invalidateAllRefreshTokens", beta=True),
    ]
    microsoft.answers(batch(item(0, 200)), Reply(503, b"busy"))

    first, second = contoso_graph.batch(mixed)

    assert first.ok
    assert isinstance(second.error, Unavailable)
    assert second.error.sent


def test_more_than_twenty_calls_are_a_mistake_of_ours(contoso_graph):
    with pytest.raises(ValueError, match="20"):
        contoso_graph.batch([Call("GET", "/me")] * 21)


def test_items_are_read_again_when_they_were_throttled(microsoft, contoso_graph):
    people = [{"id": f"aaaaaaaa-0000-4000-8000-00000000000{n}"} for n in range(3)]
    busy = item(1, 429, problem("TooMany"), **{"Retry-After": "0"})
    microsoft.answers(
        batch(item(0, 200, people[0]), busy, item(2, 404, problem("Request_ResourceNotFound"))),
        batch(item(0, 200, people[1])),
    )

    found = contoso_graph.users_by_ids(one["id"] for one in people)

    assert [str(one.id) for one in found] == [people[0]["id"], people[1]["id"]]


SCOPES = [
    (
        "Tenant_Application/ReadWrite/9a3d526c-b3c1-4479-ba74-197b5c5751ae/0785ef7c-2d7a-4542-b048-95bcab406e0b",
        "TENANT_APP",
    ),
    ("Tenant/Write/9a3d526c-b3c1-4479-ba74-197b5c5751ae/0785ef7c-2d7a-4542-b048-95bcab406e0b", "TENANT"),
    ("Application/Write/9a3d526c-b3c1-4479-ba74-197b5c5751ae/0785ef7c-2d7a-4542-b048-95bcab406e0b", "APP"),
    ("application/write", "APP"),
    ("Galaxy/Write/x/y", "UNKNOWN"),
    ("", "UNKNOWN"),
]


@pytest.mark.parametrize(("named", "scope"), SCOPES)
def test_whose_limit_was_met_is_known_of_a_call_and_of_a_batch(microsoft, contoso_graph, named, scope):
    """The form is Microsoft's: https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits"""
    headers = {"Retry-After": "30"} | ({"x-ms-throttle-scope": named} if named else {})
    busy = problem("TooManyRequests")
    microsoft.answers(batch(item(0, 429, busy, **headers)), Reply(429, busy, headers))

    (answer,) = contoso_graph.batch(SIGN_OUT[:1])
    with pytest.raises(Throttled) as caught:
        contoso_graph.batch(SIGN_OUT[:1])

    assert answer.error.scope == caught.value.scope == ThrottleScope[scope]
    assert answer.error.retry_after == caught.value.retry_after == 30


LINK = "https://graph.microsoft.com/v1.0/servicePrincipals/1/appRoleAssignedTo?$skiptoken=two"
LONG = Call("GET", "/servicePrincipals/1/appRoleAssignedTo?$top=999", headers={"ConsistencyLevel": "eventual"})


def test_a_list_that_goes_on_is_read_to_its_end(microsoft, contoso_graph):
    first = {"value": [{"id": "a"}], "@odata.nextLink": LINK}
    microsoft.answers(batch(item(0, 200, first), item(1)), Reply(body=first), Reply(body={"value": [{"id": "b"}]}))

    whole, other = contoso_graph.batch([LONG, SIGN_OUT[0]])

    assert whole.body == {"value": [{"id": "a"}, {"id": "b"}]}
    assert other.ok
    begun, followed = microsoft.graph_requests[1:]
    assert begun.path == "/v1.0" + LONG.path
    assert followed.headers["ConsistencyLevel"] == "eventual"


def test_a_list_whose_end_cannot_be_read_is_an_error_of_its_own(microsoft, contoso_graph):
    first = {"value": [{"id": "a"}], "@odata.nextLink": LINK}
    microsoft.answers(batch(item(0, 200, first), item(1)), Reply(body=first), Reply(403, problem("x")))

    broken, other = contoso_graph.batch([LONG, SIGN_OUT[0]])

    assert isinstance(broken.error, Forbidden)
    assert other.ok
