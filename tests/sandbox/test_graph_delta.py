"""Delta in all the ways documents allow: rows in part, replays, no order, worthless tokens, and what it never tells."""

import pytest

from tests.sandbox.graph import EVENTUAL, Graph, refused

APPS = "servicePrincipals/delta?$select=displayName,accountEnabled,notes"
GRANTS = "oauth2PermissionGrants/delta"


@pytest.fixture
def graph(served):
    return Graph.as_portal(served)


def latest(graph, path):
    link = graph.get(f"{path}{'&' if '?' in path else '?'}$deltatoken=latest")["@odata.deltaLink"]
    return link


def told(graph, link):
    answer = graph.get(link)
    return answer["value"], answer["@odata.deltaLink"]


@pytest.mark.parametrize("partial", [True, False])
def test_a_changed_object_comes_with_what_changed_or_whole_and_a_new_one_whole(graph, partial):
    graph.world.delta.partial = partial
    first, second = list(graph.tenant.service_principals)[:2]
    link = latest(graph, APPS)
    graph.patch(f"servicePrincipals/{first}", {"accountEnabled": False})
    graph.tenant.update_service_principal(second, homepage="https://not.selected.example")

    ((row,), link) = told(graph, link)
    assert set(row) == {"id", "accountEnabled"} | (set() if partial else {"displayName", "notes"})

    graph.delete(f"servicePrincipals/{first}")
    graph.post(f"directory/deletedItems/{first}/restore", {})
    ((row,), _link) = told(graph, link)
    assert set(row) == {"id", "accountEnabled", "displayName", "notes"}


def test_what_one_round_told_comes_again_and_every_state_by_itself(graph):
    graph.world.delta.replays = graph.world.delta.shuffled = True
    grant = next(iter(graph.tenant.grants))
    link = latest(graph, GRANTS)
    for scope in ("openid", "profile"):
        graph.patch(f"oauth2PermissionGrants/{grant}", {"scope": scope})

    rows, link = told(graph, link)
    assert sorted(row["scope"] for row in rows) == ["openid", "profile"]
    assert {row["id"] for row in told(graph, link)[0]} == {grant}


def test_a_token_that_was_reset_is_worth_nothing_and_says_where_to_begin(graph):
    link = latest(graph, GRANTS)
    graph.world.delta.configure({"reset": True})

    answer = graph.send("GET", link)

    refused(answer, 410, "resyncRequired")
    assert answer.headers["Location"].endswith("/oauth2PermissionGrants/delta?$deltatoken=")


def test_a_recovery_job_is_told_by_the_audit_log_alone(graph):
    person, tenant = graph.user("adele"), graph.tenant
    link = latest(graph, "users/delta?$select=accountEnabled")
    tenant.silent = True
    tenant.disable_user(person.id)
    tenant.silent = False
    tenant.audit.recovered(1)

    assert told(graph, link)[0] == []
    assert graph.get(f"users/{person.id}?$select=accountEnabled")["accountEnabled"] is False
    (entry,) = graph.get("auditLogs/directoryAudits?$filter=category eq 'Backup and Recovery'")["value"]
    assert entry["result"] == "success"


@pytest.mark.parametrize("silent", [True, False])
def test_grants_that_go_with_their_app_may_be_told_or_not(graph, silent):
    graph.world.delta.silent_ties = silent
    grant = next(one for one in graph.tenant.grants.values() if one.principal_id)
    link = latest(graph, GRANTS)
    graph.tenant.delete_service_principal(grant.client_id)

    assert (grant.id in {row["id"] for row in told(graph, link)[0]}) is not silent


def test_a_property_that_cannot_be_followed_is_refused(graph):
    graph.world.delta.untracked = ["signInSessionsValidFromDateTime"]
    path = "users/delta?$select=id,signInSessionsValidFromDateTime&$deltatoken=latest"
    refused(graph.send("GET", path), 501, "NotImplemented")


@pytest.mark.parametrize("counted", [True, False])
def test_rows_left_out_for_good_are_counted_or_not_and_in_their_apps_own_lists(graph, counted):
    world, every = graph.world, graph.tenant.grants
    world.omitted_grants, world.omitted_are_counted = 5, counted
    answer = graph.get("oauth2PermissionGrants?$count=true&$top=999", **EVENTUAL)
    listed = {one["id"] for one in answer["value"]}
    missing = next(one for one in every.values() if one.id not in listed)

    assert answer["@odata.count"] == (len(every) if counted else len(listed))
    own = graph.get(f"servicePrincipals/{missing.client_id}/oauth2PermissionGrants")["value"]
    assert missing.id in {one["id"] for one in own}
