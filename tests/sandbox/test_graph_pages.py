"""Long lists: pages, their links, and what becomes of both while the directory changes."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from sandbox.catalogue import FABRIKAM
from sandbox.objects import User
from tests.sandbox.graph import EVENTUAL, Graph, refused


@pytest.fixture
def graph(served):
    graph = Graph.as_portal(served)
    began = served.world.clock.now()
    for number in range(250):
        upn = f"more{number}@contoso.example"
        user_id = f"aaaaaaaa-0000-4000-8000-{number:012}"
        graph.tenant.add_user(User(user_id, f"More {number}", upn, upn, created=began, valid_from=began))
    return graph


def walk(graph, path, **headers):
    """Every page, by following the links as they are."""
    pages = [graph.get(path, **headers)]
    while link := pages[-1].get("@odata.nextLink"):
        pages.append(graph.get(link, **headers))
    return pages


def ids(pages):
    return [item["id"] for page in pages for item in page["value"]]


@pytest.mark.parametrize(
    ("options", "sizes"),
    [("", [100, 100, 62]), ("?$top=200", [200, 62]), ("?$top=999", [262]), ("?$top=131", [131, 131])],
)
def test_pages_are_of_the_size_asked_for_and_hold_everybody_once(graph, options, sizes):
    pages = walk(graph, f"users{options}")

    assert [len(page["value"]) for page in pages] == sizes
    assert sorted(ids(pages)) == sorted(graph.tenant.users)


def test_a_link_keeps_the_options_of_the_first_request(graph):
    link = graph.get("users?$top=10&$select=id,mail&$filter=startswith(mail,'more')&$count=true", **EVENTUAL)[
        "@odata.nextLink"
    ]

    query = dict(parse_qsl(urlsplit(link).query))
    assert query.pop("$skiptoken")
    assert query == {"$top": "10", "$select": "id,mail", "$filter": "startswith(mail,'more')", "$count": "true"}
    assert set(graph.get(link, **EVENTUAL)["value"][0]) == {"id", "mail"}


def test_the_count_comes_on_the_first_page_only(graph):
    first, second, _ = walk(graph, "users?$count=true", **EVENTUAL)

    assert first["@odata.count"] == 262
    assert "@odata.count" not in second


@pytest.mark.parametrize("top", ["1000", "0", "-1", "many"])
def test_a_page_size_out_of_bounds_is_400(graph, top):
    refused(graph.send("GET", f"users?$top={top}"), 400, "Request_UnsupportedQuery", "Invalid page size specified")


def test_skip_is_not_supported(graph):
    refused(graph.send("GET", "users?$skip=10"), 400, "Request_UnsupportedQuery")


def test_a_page_can_be_read_again(graph):
    link = graph.get("users")["@odata.nextLink"]

    assert graph.get(link)["value"] == graph.get(link)["value"]


def test_a_link_expires_after_ten_minutes(graph):
    link = graph.get("users")["@odata.nextLink"]
    graph.world.clock.advance(601)

    refused(graph.send("GET", link), 400, "Directory_ExpiredPageToken", "expired")


def test_a_link_is_good_for_its_address_and_its_tenant_only(served, graph):
    link = graph.get("users")["@odata.nextLink"]
    token = dict(parse_qsl(urlsplit(link).query))["$skiptoken"]

    refused(graph.send("GET", f"servicePrincipals?$skiptoken={token}"), 400, "Directory_ExpiredPageToken")
    refused(graph.send("GET", "users?$skiptoken=nonsense"), 400, "Directory_ExpiredPageToken")
    refused(Graph.as_portal(served, FABRIKAM).send("GET", link), 400, "Directory_ExpiredPageToken")


def test_what_is_deleted_while_somebody_pages_shortens_a_page(graph):
    first = graph.get("users?$top=100")
    gone = list(graph.tenant.users)[150]
    graph.tenant.delete_user(gone)

    second = graph.get(first["@odata.nextLink"])

    assert len(second["value"]) == 99
    assert gone not in ids([second])
    assert "@odata.nextLink" in second


# --- delta -----------------------------------------------------------------------------------------


def changes(graph, link):
    """What a delta link brings, by id, and the next link."""
    pages = walk(graph, link)
    return {item["id"]: item for page in pages for item in page["value"]}, pages[-1]["@odata.deltaLink"]


def test_the_first_round_brings_everything_and_a_link_for_later(graph):
    everything, link = changes(graph, "users/delta?$select=displayName")

    assert set(everything) == set(graph.tenant.users)
    assert set(next(iter(everything.values()))) == {"id", "displayName"}
    assert "$deltatoken=" in link
    assert changes(graph, link)[0] == {}


def test_later_rounds_bring_what_changed_once(graph):
    _, link = changes(graph, "servicePrincipals/delta?$select=displayName,accountEnabled")
    first, second = list(graph.tenant.service_principals)[:2]
    graph.patch(f"servicePrincipals/{first}", {"accountEnabled": False})
    graph.patch(f"servicePrincipals/{first}", {"notes": "twice"})
    graph.delete(f"servicePrincipals/{second}")

    changed, link = changes(graph, link)

    assert changed[first]["accountEnabled"] is False
    assert changed[second] == {"id": second, "@removed": {"reason": "changed"}}
    assert len(changed) == 2
    assert changes(graph, link)[0] == {}


def test_a_purged_object_is_removed_as_deleted(graph):
    _, link = changes(graph, "servicePrincipals/delta")
    gone = list(graph.tenant.service_principals)[-1]
    graph.delete(f"servicePrincipals/{gone}")
    graph.delete(f"directory/deletedItems/{gone}")

    assert changes(graph, link)[0][gone]["@removed"] == {"reason": "deleted"}


def test_grants_have_no_bin(graph):
    _, link = changes(graph, "oauth2PermissionGrants/delta")
    gone, narrowed = list(graph.tenant.grants)[:2]
    graph.delete(f"oauth2PermissionGrants/{gone}")
    graph.patch(f"oauth2PermissionGrants/{narrowed}", {"scope": "openid"})

    changed, _ = changes(graph, link)

    assert changed[gone] == {"id": gone, "@removed": {"reason": "deleted"}}
    assert changed[narrowed]["scope"] == "openid"


def test_one_can_start_from_now(graph):
    answer = graph.get("users/delta?$deltatoken=latest")

    assert answer["value"] == []
    assert changes(graph, answer["@odata.deltaLink"])[0] == {}


def test_changes_made_while_somebody_pages_come_in_the_next_round(graph):
    first = graph.get("users/delta")
    adele = graph.user("adele")
    graph.tenant.update_user(adele.id, job_title="Astronaut")
    pages = [first]
    while link := pages[-1].get("@odata.nextLink"):
        pages.append(graph.get(link))

    changed, _ = changes(graph, pages[-1]["@odata.deltaLink"])

    assert changed[adele.id]["jobTitle"] == "Astronaut"


def test_a_link_of_last_week_is_gone(served, graph):
    _, link = changes(graph, "users/delta")
    graph.world.clock.advance(7 * 24 * 3600 + 1)
    later = Graph.as_portal(served)

    answer = later.send("GET", link)

    refused(answer, 410, "syncStateNotFound")
    assert answer.headers["Location"] == f"{graph.url}/v1.0/users/delta?$deltatoken="
    assert len(changes(later, answer.headers["Location"])[0]) == 262


def test_delta_takes_no_order_and_no_page_size(graph):
    for option in ("$top=5", "$orderby=displayName", "$expand=manager"):
        refused(graph.send("GET", f"users/delta?{option}"), 400, "Request_UnsupportedQuery")


# --- lag -------------------------------------------------------------------------------------------


def test_an_app_by_itself_reads_the_past_and_a_person_does_not(served):
    graph = Graph.as_portal(served)
    scope = "DelegatedPermissionGrant.ReadWrite.All"
    megan = Graph.as_person(served, "megan@contoso.example", scope)
    grant = next(iter(graph.tenant.grants))
    served.world.lag_seconds = 30

    assert graph.delete(f"oauth2PermissionGrants/{grant}").status_code == 204

    refused(megan.send("GET", f"oauth2PermissionGrants/{grant}"), 404, "Request_ResourceNotFound")
    assert graph.get(f"oauth2PermissionGrants/{grant}")["id"] == grant
    assert grant in graph.values("oauth2PermissionGrants", "id")
    refused(graph.delete(f"oauth2PermissionGrants/{grant}"), 404, "Request_ResourceNotFound")
    served.world.clock.advance(31)
    refused(graph.send("GET", f"oauth2PermissionGrants/{grant}"), 404, "Request_ResourceNotFound")
    assert grant not in graph.values("oauth2PermissionGrants", "id")


def test_what_is_new_is_not_there_yet(served):
    graph = Graph.as_portal(served)
    served.world.lag_seconds = 30
    tenant = graph.tenant
    client, api = list(tenant.service_principals)[-1], next(iter(tenant.service_principals))
    made = graph.post(
        "oauth2PermissionGrants", {"clientId": client, "consentType": "AllPrincipals", "resourceId": api, "scope": "a"}
    ).json()

    refused(graph.send("GET", f"oauth2PermissionGrants/{made['id']}"), 404, "Request_ResourceNotFound")
    assert made["id"] not in graph.values(f"servicePrincipals/{client}/oauth2PermissionGrants", "id")
    served.world.clock.advance(31)

    assert graph.get(f"oauth2PermissionGrants/{made['id']}")["scope"] == "a"


def test_values_are_old_as_well(served):
    graph = Graph.as_portal(served)
    path = "users/adele@contoso.example?$select=signInSessionsValidFromDateTime"
    before = graph.get(path)
    served.world.lag_seconds = 30

    graph.post("users/adele@contoso.example/revokeSignInSessions")

    assert graph.get(path) == before
    served.world.clock.advance(31)
    assert graph.get(path) != before


def test_of_several_changes_the_replica_has_the_state_before_the_first(served):
    graph = Graph.as_portal(served)
    served.world.lag_seconds = 30
    grant = next(iter(graph.tenant.grants.values()))
    before = grant.scope
    for scope in ("one", "two"):
        graph.patch(f"oauth2PermissionGrants/{grant.id}", {"scope": scope})
        served.world.clock.advance(20)

    assert before not in ("one", "two")
    assert graph.get(f"oauth2PermissionGrants/{grant.id}")["scope"] == "one"


def test_delta_lags_too_and_loses_nothing(served):
    graph = Graph.as_portal(served)
    _, link = changes(graph, "oauth2PermissionGrants/delta")
    served.world.lag_seconds = 30
    grant = next(iter(graph.tenant.grants))
    graph.delete(f"oauth2PermissionGrants/{grant}")

    early, link = changes(graph, link)
    served.world.clock.advance(31)
    late, _ = changes(graph, link)

    assert early == {}
    assert set(late) == {grant}
