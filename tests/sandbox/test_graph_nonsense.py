"""Whatever is sent, Graph answers in its own words: no request makes it fail."""

import pytest

from sandbox import facts
from sandbox.catalogue import WOODGROVE
from sandbox.graph_api.resources import all_of_them
from sandbox.graph_api.router import GRAPH
from tests.sandbox.graph import Graph

QUERIES = [
    "$select=",
    "$select=id,,id",
    "$filter=",
    "$filter=((",
    "$filter=id eq",
    "$filter=tags/any(t:t eq 'x')",
    "$filter=identities/any(i:i/nothing eq 'x')",
    "$filter=verifiedPublisher/displayName eq null",
    "$filter=id in ('x'",
    "$expand=(",
    "$expand=owners($select=)",
    "$orderby=,",
    "$orderby=id sideways",
    "$top=²",
    "$top=-1",
    "$search=x",
    '$search="displayName:"',
    "$skiptoken=x",
    "$deltatoken=x",
    "$count=perhaps",
    "=&&%ff",
]
BODIES = [
    None,
    [],
    "text",
    7,
    {},
    {"id": {}},
    {"displayName": []},
    {"ids": [None]},
    {"principalId": 7},
    {"a": {"b": [{}]}},
]


@pytest.fixture
def everything(served):
    """An app that holds every permission there is."""
    every = {name for kinds in facts.permissions().values() for name in kinds["application"]}
    return Graph.as_app_with(served, *sorted(every), tenant_id=WOODGROVE)


def keys_of(graph, path):
    tenant = graph.tenant
    if path.startswith("users"):
        return tenant.user("hugo").id if tenant.user("hugo") else next(iter(tenant.users))
    if path.startswith("groups"):
        return next(iter(tenant.groups))
    return next(iter(tenant.service_principals))


def test_no_query_makes_it_fail(everything):
    assert all_of_them
    for method, path, endpoint in GRAPH.calls():
        if method != "GET" or endpoint.access.me:
            continue
        version = "beta" if endpoint.beta_only else "v1.0"
        address = f"{version}/{path.replace('{}', keys_of(everything, path), 1).replace('{}', 'x')}"
        for query in QUERIES:
            for headers in ({}, {"ConsistencyLevel": "eventual"}):
                answer = everything.send("GET", f"{address}?{query}", **headers)
                assert answer.status_code < 500, (address, query, answer.text)


def test_no_body_makes_it_fail(everything):
    for method, path, endpoint in GRAPH.calls():
        if method not in ("POST", "PATCH") or endpoint.access.me:
            continue
        version = "beta" if endpoint.beta_only else "v1.0"
        address = f"{version}/{path.replace('{}', keys_of(everything, path), 1).replace('{}', 'x')}"
        for body in BODIES:
            answer = everything.send(method, address, body)
            assert answer.status_code < 500, (method, address, body, answer.text)
