"""Batches: up to twenty requests in one, each answered for itself."""

import time

import pytest
import requests

from tests.sandbox.graph import Graph, refused

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def graph(served):
    return Graph.as_portal(served)


def get(url, **more):
    return {"method": "GET", "url": url, **more}


def post(url, body=None):
    return {"method": "POST", "url": url, "headers": JSON, "body": body or {}}


def revoke(name):
    """Without a body to send Graph wants an empty one: https://learn.microsoft.com/graph/json-batching"""
    return post(f"/users/{name}@contoso.example/revokeSignInSessions")


def test_every_item_has_its_own_status_headers_and_body(graph):
    answers = graph.batch(
        get("/users/adele@contoso.example?$select=id"),
        get("/users/nobody@contoso.example"),
        revoke("alex"),
        {"method": "PATCH", "url": f"/servicePrincipals/{_last(graph)}", "body": {"notes": "x"}, "headers": JSON},
    )

    assert [answers[str(number)]["status"] for number in range(4)] == [200, 404, 200, 204]
    assert answers["0"]["body"]["id"] == graph.user("adele").id
    assert answers["0"]["headers"]["Content-Type"].startswith("application/json")
    assert answers["0"]["headers"]["x-ms-resource-unit"] == "1"
    refused(answers["1"], 404, "Request_ResourceNotFound")
    assert answers["2"]["body"]["value"] is True
    assert "body" not in answers["3"]


def test_answers_come_in_any_order(graph):
    items = [{"id": str(number), **get("/organization")} for number in range(20)]

    orders = {
        tuple(one["id"] for one in graph.post("$batch", {"requests": items}).json()["responses"]) for _ in range(3)
    }

    assert len(orders) > 1
    assert all(sorted(order, key=int) == [str(number) for number in range(20)] for order in orders)


def test_all_items_run_on_the_version_of_the_batch(graph):
    item = post("/users/adele@contoso.example/invalidateAllRefreshTokens")

    assert graph.batch(item, version="beta")["0"]["status"] == 200
    refused(graph.batch(item)["0"], 400, "BadRequest")


def test_an_items_headers_are_its_own(graph):
    path = '/users?$search="displayName:adele"&$select=displayName'

    answers = graph.batch(get(path, headers={"ConsistencyLevel": "eventual"}), get(path))

    assert [one["displayName"] for one in answers["0"]["body"]["value"]] == ["Adele Vance"]
    refused(answers["1"], 400, "Request_UnsupportedQuery")


def test_links_in_items_lead_out_of_the_batch(graph):
    link = graph.batch(get("/users?$top=5"))["0"]["body"]["@odata.nextLink"]

    assert len(graph.get(link)["value"]) == 5


@pytest.mark.parametrize(
    "requests",
    [
        None,
        [],
        "all of them",
        [{"id": str(number), **get("/organization")} for number in range(21)],
        [get("/organization")],
        [{"id": "a", **get("/organization")}, {"id": "A", **get("/organization")}],
        [{"id": "1", "method": "GET"}],
        [{"id": "1", "url": "/organization", "method": "LOOK"}],
        [{"id": "1", "method": "PATCH", "url": "/servicePrincipals/x", "body": {"notes": "x"}}],
        [{"id": "1", **get("/organization"), "dependsOn": ["2"]}],
        [
            {"id": "1", **get("/organization"), "dependsOn": ["2"]},
            {"id": "2", **get("/organization"), "dependsOn": ["1"]},
        ],
    ],
    ids=["nothing", "empty", "text", "21", "no-id", "same-id", "no-url", "method", "no-type", "absent", "circle"],
)
def test_a_batch_that_makes_no_sense_is_400_as_a_whole(graph, requests):
    before = graph.tenant.sequence

    refused(graph.post("$batch", {"requests": requests}), 400, "BadRequest")

    assert graph.tenant.sequence == before


@pytest.mark.parametrize("missing", [("body",), ("headers",), ("body", "headers")], ids=" and ".join)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_one_write_without_a_body_or_its_type_refuses_the_whole_batch(graph, method, missing):
    """ "While the target URL doesn't require a request body, you must still specify the headers and body":
    https://learn.microsoft.com/graph/json-batching. The words are those of the service."""
    whole = {"id": "2", **revoke("alex"), "method": method}
    faulty = {name: value for name, value in whole.items() if name not in missing}
    before = graph.tenant.sequence

    answer = graph.post("$batch", {"requests": [{"id": "1", **revoke("adele")}, faulty]})

    refused(answer, 400, "BadRequest", "Write request id : 2 does not contain Content-Type header or body.")
    assert graph.tenant.sequence == before


def test_a_deletion_in_a_batch_needs_no_body(graph):
    grant = next(iter(graph.tenant.grants))

    assert graph.batch({"method": "DELETE", "url": f"/oauth2PermissionGrants/{grant}"})["0"]["status"] == 204


def test_a_bad_token_refuses_the_batch_as_a_whole(served, graph):
    stranger = Graph(served, "abc", graph.tenant)

    refused(stranger.post("$batch", {"requests": [{"id": "1", **revoke("adele")}]}), 401, "InvalidAuthenticationToken")


def test_permissions_are_checked_item_by_item(served):
    reader = Graph.as_app_with(served, "User.Read.All")

    answers = reader.batch(get("/users"), revoke("adele"))

    assert answers["0"]["status"] == 200
    refused(answers["1"], 403, "Authorization_RequestDenied")


def test_an_item_waits_for_the_one_it_depends_on(graph):
    app = _last(graph)

    answers = graph.batch(
        get(f"/servicePrincipals/{app}?$select=notes", dependsOn=["1"]),
        {"method": "PATCH", "url": f"/servicePrincipals/{app}", "body": {"notes": "first"}, "headers": JSON},
    )

    assert answers["0"]["body"]["notes"] == "first"


def test_when_an_item_fails_those_that_depend_on_it_are_not_done(graph):
    before = graph.user("adele").valid_from

    answers = graph.batch(
        get("/users/nobody@contoso.example"), revoke("adele") | {"dependsOn": ["0"]}, get("/users", dependsOn=["1"])
    )

    assert [answers[str(number)]["status"] for number in range(3)] == [404, 424, 424]
    refused(answers["1"], 424, "FailedDependency")
    assert graph.user("adele").valid_from == before


def test_items_are_listed_among_the_requests_received(graph):
    graph.batch(revoke("adele"), get("/users/nobody@contoso.example?$select=id"))

    listed = [(one.method, one.path, one.status, one.in_batch) for one in graph.world.log.entries]

    adele, nobody = (f"/v1.0/users/{name}@contoso.example" for name in ("adele", "nobody"))
    assert listed == [
        ("POST", f"{adele}/revokeSignInSessions", 200, True),
        ("GET", nobody, 404, True),
        ("POST", "/v1.0/$batch", 200, False),
    ]


def test_a_batch_takes_the_time_of_one_request(graph):
    graph.world.latency_ms = 300

    started = time.monotonic()
    graph.batch(*[revoke("adele")] * 20)
    taken = time.monotonic() - started

    assert 0.3 <= taken < 20 * 0.3


# --- faults ----------------------------------------------------------------------------------------


def strike(graph, **rule):
    graph.world.faults.set([rule])


def test_a_fault_strikes_one_item_and_not_its_neighbours(graph):
    strike(graph, path="adele.*/revokeSignInSessions", status=429, retry_after=17)
    before = graph.user("adele").valid_from

    answers = graph.batch(revoke("adele"), revoke("alex"))

    assert answers["1"]["status"] == 200
    refused(answers["0"], 429, "TooManyRequests")
    assert answers["0"]["headers"]["Retry-After"] == "17"
    assert graph.user("adele").valid_from == before


def test_a_fault_afterwards_hides_what_was_done(graph):
    strike(graph, path="revokeSignInSessions", mode="after", status=504, count=1)
    before = graph.user("adele").valid_from

    refused(graph.batch(revoke("adele"))["0"], 504, "UnknownError")

    assert graph.user("adele").valid_from > before
    assert graph.batch(revoke("adele"))["0"]["status"] == 200


def test_a_fault_may_strike_batches_or_items_only(graph):
    strike(graph, where="item", status=503)
    assert graph.get("organization")
    assert graph.batch(get("/organization"))["0"]["status"] == 503

    strike(graph, where="request", path=r"\$batch", status=503)
    refused(graph.post("$batch", {"requests": [{"id": "1", **get("/organization")}]}), 503, "serviceNotAvailable")


def test_a_fault_may_send_anything(graph):
    strike(graph, path="organization", status=200, body="<html>a proxy says no</html>", headers={"X-Proxy": "yes"})

    answer = graph.send("GET", "organization")

    assert (answer.status_code, answer.text, answer.headers["X-Proxy"]) == (200, "<html>a proxy says no</html>", "yes")


def test_the_first_ones_may_pass(graph):
    strike(graph, path="organization", status=503, skip=1, count=1)

    assert [graph.send("GET", "organization").status_code for _ in range(3)] == [200, 503, 200]


def test_a_fault_may_keep_to_one_tenant(served, graph):
    strike(graph, tenant="22222222-2222-4222-8222-222222222222", status=503)

    assert graph.get("organization")
    assert (
        Graph.as_portal(served, "22222222-2222-4222-8222-222222222222").send("GET", "organization").status_code == 503
    )


@pytest.mark.parametrize("mode", ["before", "after"])
def test_a_cut_connection_ends_without_an_answer(graph, mode):
    strike(graph, path="revokeSignInSessions", mode=mode, cut=True)
    before = graph.user("adele").valid_from

    with pytest.raises(requests.ConnectionError):
        graph.post("users/adele@contoso.example/revokeSignInSessions")

    assert (graph.user("adele").valid_from > before) == (mode == "after")
    assert graph.world.log.entries[-1].status == 0


def test_a_batch_is_cut_as_a_whole_with_its_items_done(graph):
    strike(graph, where="request", path=r"\$batch", mode="after", cut=True)
    before = graph.user("adele").valid_from

    with pytest.raises(requests.ConnectionError):
        graph.batch(revoke("adele"))

    assert graph.user("adele").valid_from > before


def _last(graph):
    return list(graph.tenant.service_principals)[-1]
