"""Service principals and the recycle bin."""

from datetime import timedelta

import pytest

from sandbox.catalogue import FABRIKAM, PORTAL_APP_ID, app_id
from sandbox.objects import GRAPH_APP_ID, MICROSOFT_TENANT
from tests.sandbox.graph import EVENTUAL, Graph, refused

APPS = "servicePrincipals"
BIN = "directory/deletedItems"
DELETED = f"{BIN}/microsoft.graph.servicePrincipal"


@pytest.fixture
def graph(served):
    return Graph.as_portal(served)


@pytest.fixture
def sidekick(graph):
    return graph.tenant.service_principal_for(app_id("Mail Sidekick"))


# --- reading ---------------------------------------------------------------------------------------


def test_an_app_on_the_wire(graph, sidekick):
    shown = graph.get(f"{APPS}/{sidekick.id}")

    assert list(shown)[:8] == [
        "@odata.context",
        "id",
        "deletedDateTime",
        "accountEnabled",
        "alternativeNames",
        "appDisplayName",
        "appDescription",
        "appId",
    ]
    assert "publishedPermissionScopes" not in shown
    assert shown["verifiedPublisher"] == {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None}
    assert shown["tags"] == ["WindowsAzureActiveDirectoryIntegratedApp"]
    assert shown["servicePrincipalNames"][0] == shown["appId"]
    assert shown["appOwnerOrganizationId"] == sidekick.owner_tenant_id


def test_graphs_own_permissions_carry_their_real_ids(graph):
    api = graph.get(f"{APPS}(appId='{GRAPH_APP_ID}')?$select=appOwnerOrganizationId,oauth2PermissionScopes,appRoles")

    scopes = {one["value"]: (one["id"], one["type"]) for one in api["oauth2PermissionScopes"]}
    roles = {one["value"]: (one["id"], one["allowedMemberTypes"]) for one in api["appRoles"]}
    assert api["appOwnerOrganizationId"] == MICROSOFT_TENANT
    assert scopes["Mail.ReadWrite"] == ("024d486e-b451-40bb-833d-3e66d98c5c73", "User")
    assert scopes["User.Read"] == ("e1fe6dd8-ba31-4d61-89e7-88639da4683d", "User")
    assert scopes["Directory.Read.All"] == ("06da0dbc-49e2-44d2-8312-53f166ab848a", "Admin")
    assert roles["User.RevokeSessions.All"] == ("77f3a031-c388-4f99-b373-dc68676a979e", ["Application"])
    assert roles["DelegatedPermissionGrant.ReadWrite.All"][0] == "8e8e4742-1d95-4f68-9d56-6ee75648c72a"


def test_beta_has_the_older_names_as_well(graph, sidekick):
    shown = graph.get(f"beta/{APPS}/{sidekick.id}")

    assert {"publishedPermissionScopes", "publisherName", "oauth2PermissionScopes"} <= set(shown)


def test_the_same_app_has_another_id_in_another_tenant(served, graph):
    theirs = Graph.as_portal(served, FABRIKAM).get(f"{APPS}(appId='{app_id('Mail Sidekick')}')")

    assert theirs["id"] != graph.get(f"{APPS}(appId='{app_id('Mail Sidekick')}')")["id"]
    refused(graph.send("GET", f"{APPS}/{theirs['id']}"), 404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"appId eq '{PORTAL_APP_ID}'", ["Consentry"]),
        ("startswith(displayName,'Micros')", ["Microsoft Graph", "Microsoft Teams", "Micros0ft Office Viewer"]),
        ("accountEnabled eq false", ["Relecloud Forms"]),
        ("servicePrincipalNames/any(n:n eq 'https://graph.microsoft.com')", ["Microsoft Graph"]),
        ("displayName in ('Wingtip Notes','Contoso Travel')", ["Contoso Travel", "Wingtip Notes"]),
    ],
)
def test_filters(graph, text, names):
    found = graph.values(f"{APPS}?$filter={text}&$select=displayName", "displayName")

    assert set(names) <= set(found)
    assert len(found) == len(names) or text.startswith("startswith")


def test_an_owner_is_a_guid_and_its_filter_is_advanced(graph):
    path = f"{APPS}?$count=true&$filter=appOwnerOrganizationId eq "

    found = graph.get(f"{path}{MICROSOFT_TENANT}", **EVENTUAL)["value"]

    assert {one["displayName"] for one in found} >= {"Microsoft Graph", "Microsoft Teams"}
    refused(graph.send("GET", f"{path}'{MICROSOFT_TENANT}'", **EVENTUAL), 400, "BadRequest", "incompatible types")


def test_beta_tells_when_apps_were_last_used(graph, sidekick):
    found = {one["appId"]: one for one in graph.get("beta/reports/servicePrincipalSignInActivities")["value"]}

    used = found[sidekick.app_id]["lastSignInActivity"]["lastSignInDateTime"]
    assert used == sidekick.last_sign_in.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert app_id("Adatum Sign-in Monitor") not in found


# --- changing --------------------------------------------------------------------------------------


def test_an_app_is_disabled_and_enabled_again(graph, sidekick):
    for enabled in (False, True):
        answer = graph.patch(f"{APPS}/{sidekick.id}", {"accountEnabled": enabled})

        assert (answer.status_code, answer.content) == (204, b"")
        assert graph.get(f"{APPS}/{sidekick.id}")["accountEnabled"] is enabled


def test_it_can_be_named_by_its_client_id(graph, sidekick):
    assert graph.patch(f"{APPS}(appId='{sidekick.app_id}')", {"notes": "Reported"}).status_code == 204
    assert sidekick.notes == "Reported"


@pytest.mark.parametrize("body", [{"accountEnabled": "no"}, {"appId": PORTAL_APP_ID}, {"nonsense": 1}, ["x"]])
def test_a_change_that_makes_no_sense_is_400_and_changes_nothing(graph, sidekick, body):
    refused(graph.patch(f"{APPS}/{sidekick.id}", body), 400, "Request_BadRequest")

    assert (sidekick.enabled, sidekick.app_id) == (True, app_id("Mail Sidekick"))


def test_an_app_is_made_from_its_registration_once(graph):
    viewer = app_id("Micros0ft Office Viewer")
    graph.tenant.delete_service_principal(graph.tenant.service_principal_for(viewer).id)

    first, second = (graph.post(APPS, {"appId": viewer}) for _ in range(2))

    assert (first.status_code, first.json()["appId"]) == (201, viewer)
    assert first.headers["Location"].endswith(
        f"/v2/{graph.tenant.id}/directoryObjects/{first.json()['id']}/Microsoft.DirectoryServices.ServicePrincipal"
    )
    refused(second, 409, "Request_MultipleObjectsWithSameKeyValue", "already in use")


# --- the recycle bin -------------------------------------------------------------------------------


def test_the_bin_lists_apps_by_type_only(graph):
    assert graph.values(DELETED, "displayName") == ["Fourth Coffee Loyalty"]
    refused(graph.send("GET", BIN), 400, "Request_BadRequest")


def test_the_bin_is_filtered_by_client_id(graph):
    loyalty = app_id("Fourth Coffee Loyalty")

    assert graph.values(f"{DELETED}?$filter=appId eq '{loyalty}'", "appId") == [loyalty]
    assert graph.get(f"{DELETED}?$filter=appId eq '{PORTAL_APP_ID}'")["value"] == []


def test_a_deleted_app_leaves_the_lists_and_lies_in_the_bin(graph, sidekick):
    answer = graph.delete(f"{APPS}/{sidekick.id}")

    assert (answer.status_code, answer.content) == (204, b"")
    refused(graph.send("GET", f"{APPS}/{sidekick.id}"), 404, "Request_ResourceNotFound")
    refused(graph.delete(f"{APPS}/{sidekick.id}"), 404, "Request_ResourceNotFound")
    assert sidekick.id not in graph.values(APPS, "id")
    binned = graph.get(f"{BIN}/{sidekick.id}")
    assert binned["@odata.type"] == "#microsoft.graph.servicePrincipal"
    assert binned["deletedDateTime"]


def test_its_grants_go_with_it_and_come_back_with_the_same_ids(graph, sidekick):
    before = {grant.id: grant.scope for grant in graph.tenant.grants_of_client(sidekick.id)}
    graph.delete(f"{APPS}/{sidekick.id}")
    hidden = graph.get("oauth2PermissionGrants")["value"]

    answer = graph.post(f"{BIN}/{sidekick.id}/restore")

    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["@odata.type"]) == (sidekick.id, "#microsoft.graph.servicePrincipal")
    assert not before.keys() & {grant["id"] for grant in hidden}
    shown = graph.get(f"{APPS}/{sidekick.id}/oauth2PermissionGrants")["value"]
    assert {grant["id"]: grant["scope"] for grant in shown} == before
    assert sidekick.id not in graph.values(DELETED, "id")


def test_its_assignments_come_back_too(graph):
    backup = graph.tenant.service_principal_for(app_id("Proseware Backup"))
    before = set(graph.values(f"{APPS}/{backup.id}/appRoleAssignments", "id"))
    graph.delete(f"{APPS}/{backup.id}")

    graph.post(f"{BIN}/{backup.id}/restore")

    assert set(graph.values(f"{APPS}/{backup.id}/appRoleAssignments", "id")) == before
    assert len(before) == 4


def test_a_purged_app_is_gone_for_good(graph, sidekick):
    graph.delete(f"{APPS}/{sidekick.id}")

    assert graph.delete(f"{BIN}/{sidekick.id}").status_code == 204

    for answer in (graph.delete(f"{BIN}/{sidekick.id}"), graph.post(f"{BIN}/{sidekick.id}/restore")):
        refused(answer, 404, "Request_ResourceNotFound")


def test_what_lies_in_the_bin_for_thirty_days_is_purged(graph, sidekick):
    graph.delete(f"{APPS}/{sidekick.id}")

    graph.tenant.clock.advance(timedelta(days=24, hours=1).total_seconds())
    graph = Graph.as_portal(graph)
    assert graph.values(DELETED, "id") == [sidekick.id]  # the one deleted six days before is gone
    graph.tenant.clock.advance(timedelta(days=6).total_seconds())

    assert Graph.as_portal(graph).get(DELETED)["value"] == []


def test_after_a_new_consent_the_old_object_cannot_come_back(graph, sidekick):
    graph.delete(f"{APPS}/{sidekick.id}")
    anew = graph.tenant.instantiate(graph.world.applications[sidekick.app_id])

    assert anew.id != sidekick.id
    refused(graph.post(f"{BIN}/{sidekick.id}/restore"), 409, "Request_MultipleObjectsWithSameKeyValue")


def test_a_person_needs_a_role_to_look_into_the_bin(served):
    adele = Graph.as_person(served, "adele@contoso.example", "Application.Read.All")
    isaiah = Graph.as_person(served, "isaiah@contoso.example", "Application.Read.All")

    refused(adele.send("GET", DELETED), 403, "Authorization_RequestDenied")
    assert isaiah.get(DELETED)["value"]


def test_a_permission_is_told_to_people_in_words_of_their_own(graph):
    """`userConsentDisplayName` speaks to the person: https://learn.microsoft.com/graph/permissions-reference#mailreadwrite"""
    api = graph.get(f"servicePrincipals(appId='{GRAPH_APP_ID}')?$select=oauth2PermissionScopes")
    words = {one["value"]: one for one in api["oauth2PermissionScopes"]}

    assert words["Mail.ReadWrite"]["userConsentDisplayName"] == "Read and write access to your mail"
    assert words["Mail.ReadWrite"]["adminConsentDisplayName"] == "Read and write access to user mail"
    to_people = [one["userConsentDisplayName"] for one in words.values() if one["type"] == "User"]
    assert not [one for one in to_people if one.startswith(("Read user", "View users", "Sign users"))]
