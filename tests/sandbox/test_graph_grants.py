"""Delegated grants: how they are listed, made, narrowed and taken back, by Graph's own rules."""

import pytest

from sandbox.catalogue import FABRIKAM, app_id
from sandbox.objects import GRAPH_APP_ID, grant_id
from tests.sandbox.graph import EVENTUAL, Graph, refused

GRANTS = "oauth2PermissionGrants"
NOBODY = "dddddddd-0000-4000-8000-000000000000"


@pytest.fixture
def graph(served):
    return Graph.as_portal(served)


@pytest.fixture
def sidekick(graph):
    return graph.tenant.service_principal_for(app_id("Mail Sidekick"))


@pytest.fixture
def api(graph):
    return graph.tenant.service_principal_for(GRAPH_APP_ID)


@pytest.fixture
def grant(graph, sidekick, api):
    """What Adele allowed Mail Sidekick."""
    return graph.tenant.grant_for(sidekick.id, api.id, graph.user("adele").id)


@pytest.fixture
def wish(graph, sidekick, api):
    """The body of a grant that is not there yet."""
    return {
        "clientId": sidekick.id,
        "consentType": "Principal",
        "principalId": graph.user("nestor").id,
        "resourceId": api.id,
        "scope": "Mail.Read User.Read",
    }


# --- reading ---------------------------------------------------------------------------------------


def test_a_grant_on_the_wire(graph, grant, sidekick, api):
    assert graph.get(f"{GRANTS}/{grant.id}") == {
        "@odata.context": f"{graph.url}/v1.0/$metadata#oauth2PermissionGrants/$entity",
        "clientId": sidekick.id,
        "consentType": "Principal",
        "id": grant.id,
        "principalId": graph.user("adele").id,
        "resourceId": api.id,
        "scope": "openid profile offline_access User.Read Mail.ReadWrite Mail.Send Contacts.Read",
    }


def test_ids_are_made_of_the_ids_they_join(graph):
    lengths = {one["consentType"]: len(one["id"]) for one in graph.get(GRANTS)["value"]}

    assert lengths == {"AllPrincipals": 43, "Principal": 64}


def test_a_persons_list_leaves_out_what_holds_for_everybody(graph):
    own = graph.get(f"users/adele@contoso.example/{GRANTS}")["value"]

    assert {one["consentType"] for one in own} == {"Principal"}
    assert {one["principalId"] for one in own} == {graph.user("adele").id}
    assert len(own) == 6


def test_an_apps_list_holds_both_kinds(graph):
    travel = graph.tenant.service_principal_for(app_id("Contoso Travel"))

    assert graph.values(f"servicePrincipals/{travel.id}/{GRANTS}", "consentType") == ["AllPrincipals"]


def test_a_person_lists_their_own(served):
    adele = Graph.as_person(served, "adele@contoso.example", "Directory.Read.All")

    assert len(adele.get(f"me/{GRANTS}")["value"]) == 6
    refused(adele.send("GET", "users/adele@contoso.example/" + GRANTS), 403, "Authorization_RequestDenied")


def test_filters_narrow_the_tenants_list(graph, sidekick):
    tenant, adele = graph.tenant, graph.user("adele")

    def count(text):
        return len(graph.get(f"{GRANTS}?$filter={text}")["value"])

    assert count("consentType eq 'AllPrincipals'") == len(tenant.grants_of_principal(None)) == 2
    assert count(f"clientId eq '{sidekick.id}'") == 5
    assert count(f"clientId eq '{sidekick.id}' and principalId eq '{adele.id}'") == 1
    assert count(f"clientId eq '{sidekick.id}' and consentType eq 'AllPrincipals'") == 0
    assert count(f"principalId eq '{adele.id}' or principalId eq '{graph.user('alex').id}'") == 8
    assert count(f"clientId in ('{sidekick.id}', '{NOBODY}')") == 5


def test_ids_in_filters_are_strings(graph, sidekick):
    answer = graph.send("GET", f"{GRANTS}?$filter=clientId eq {sidekick.id}")

    refused(answer, 400, "BadRequest", "incompatible types")


def test_the_tenants_list_can_be_made_to_leave_rows_out_unless_asked_properly(graph):
    everything = len(graph.tenant.grants)
    graph.world.incomplete_grants = True

    assert len(graph.get(GRANTS)["value"]) < everything
    assert len(graph.get(f"{GRANTS}?$count=true")["value"]) < everything
    assert len(graph.get(f"{GRANTS}?$count=true", **EVENTUAL)["value"]) == everything


# --- creating --------------------------------------------------------------------------------------


def test_a_new_grant_answers_201_with_the_object(graph, wish):
    answer = graph.post(GRANTS, wish)

    made = answer.json()
    assert answer.status_code == 201
    assert made["id"] == grant_id(wish["clientId"], wish["resourceId"], wish["principalId"])
    assert answer.headers["Location"] == f"{graph.url}/v1.0/{GRANTS}/{made['id']}"
    assert {name: made[name] for name in wish} == wish
    assert graph.tenant.grants[made["id"]].scope == "Mail.Read User.Read"


def test_granting_again_yields_the_same_id(graph, grant):
    body = {
        name: value
        for name, value in graph.get(f"{GRANTS}/{grant.id}").items()
        if name in ("clientId", "consentType", "principalId", "resourceId", "scope")
    }
    graph.delete(f"{GRANTS}/{grant.id}")

    assert graph.post(GRANTS, body).json()["id"] == grant.id


def test_one_for_everybody_needs_no_person(graph, wish):
    answer = graph.post(GRANTS, wish | {"consentType": "AllPrincipals", "principalId": None})

    assert (answer.status_code, len(answer.json()["id"])) == (201, 43)


def test_the_same_grant_twice_is_a_duplicate(graph, wish):
    graph.post(GRANTS, wish)

    answer = graph.post(GRANTS, wish | {"scope": "Mail.Send"})

    refused(answer, 409, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")


@pytest.mark.parametrize(
    "change",
    [
        {"consentType": "Everybody"},
        {"consentType": "AllPrincipals"},
        {"principalId": None},
        {"clientId": None},
        {"resourceId": "graph"},
        {"scope": "x" * 3851},
        {"scope": ["Mail.Read"]},
        {"note": "hello"},
    ],
)
def test_a_body_that_makes_no_grant_is_400(graph, wish, change):
    before = set(graph.tenant.grants)

    refused(graph.post(GRANTS, wish | change), 400, "Request_BadRequest")

    assert set(graph.tenant.grants) == before


@pytest.mark.parametrize("name", ["clientId", "resourceId", "principalId"])
def test_a_grant_between_objects_that_do_not_exist_is_404(graph, wish, name):
    refused(graph.post(GRANTS, wish | {name: NOBODY}), 404, "Request_ResourceNotFound", NOBODY)


# --- changing and deleting -------------------------------------------------------------------------


def test_the_scope_is_replaced_whole(graph, grant):
    answer = graph.patch(f"{GRANTS}/{grant.id}", {"scope": "openid User.Read"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert graph.get(f"{GRANTS}/{grant.id}")["scope"] == "openid User.Read"


@pytest.mark.parametrize("name", ["clientId", "principalId", "resourceId", "consentType"])
def test_nothing_else_about_a_grant_changes(graph, grant, name):
    answer = graph.patch(f"{GRANTS}/{grant.id}", {"scope": "openid", name: "AllPrincipals"})

    refused(answer, 400, "Request_BadRequest", "read-only")
    assert "Mail.Send" in grant.scopes


def test_a_deleted_grant_is_gone_and_cannot_be_deleted_twice(graph, grant):
    first, second = (graph.delete(f"{GRANTS}/{grant.id}") for _ in range(2))

    assert (first.status_code, first.content) == (204, b"")
    refused(second, 404, "Request_ResourceNotFound", grant.id)
    refused(graph.send("GET", f"{GRANTS}/{grant.id}"), 404, "Request_ResourceNotFound")
    assert grant.id not in graph.tenant.grants


@pytest.mark.parametrize("method", ["DELETE", "PATCH"])
@pytest.mark.parametrize("owner", ["users/adele@contoso.example", "me"])
def test_nothing_is_written_through_a_persons_list(served, graph, grant, method, owner):
    megan = Graph.as_person(served, "megan@contoso.example", "DelegatedPermissionGrant.ReadWrite.All")

    answer = megan.send(method, f"{owner}/{GRANTS}/{grant.id}", {"scope": ""})

    refused(answer, 400, "BadRequest", "Write requests are only supported on contained entities")
    assert grant.id in graph.tenant.grants


def test_another_tenants_grant_is_404(graph):
    theirs = next(iter(graph.world.tenants[FABRIKAM].grants))

    refused(graph.send("GET", f"{GRANTS}/{theirs}"), 404, "Request_ResourceNotFound")
    refused(graph.delete(f"{GRANTS}/{theirs}"), 404, "Request_ResourceNotFound")
    assert theirs in graph.world.tenants[FABRIKAM].grants


def test_an_id_that_cannot_be_one_is_400(graph):
    refused(graph.delete(f"{GRANTS}/nonsense"), 400, "Request_BadRequest", "Invalid object identifier")


def test_what_was_done_is_in_the_directorys_audit_log(graph, grant):
    graph.patch(f"{GRANTS}/{grant.id}", {"scope": "openid"})
    graph.delete(f"{GRANTS}/{grant.id}")
    graph.post("users/adele@contoso.example/revokeSignInSessions")

    entries = graph.get("auditLogs/directoryAudits")["value"]

    assert [one["activityDisplayName"] for one in entries] == [
        "Update StsRefreshTokenValidFrom Timestamp",
        "Remove delegated permission grant",
        "Add delegated permission grant",
        "Remove delegated permission grant",
    ]
    assert {one["initiatedBy"]["app"]["displayName"] for one in entries} == {"Consentry"}
    assert entries[0]["targetResources"][0]["userPrincipalName"] == "adele@contoso.example"
    changed = entries[2]["targetResources"][0]["modifiedProperties"]
    assert changed == [{"displayName": "DelegatedPermissionGrant.Scope", "oldValue": None, "newValue": '"openid"'}]
