"""Woodgrove: roles, units, agents and people that plain lists do not show for what they are."""

import pytest
import requests

from sandbox.catalogue import FABRIKAM, WOODGROVE, app_id
from sandbox.objects import ROLE_IDS, make_id
from sandbox.odd_cases import BLUEPRINT_APP_ID, KEEPERS, MUNICH, SESSION_KEEPER
from tests.sandbox.graph import EVENTUAL, Graph, refused

ROLES = "roleManagement/directory"
TENANT_ROLES = "transitiveMemberOf/microsoft.graph.directoryRole?$count=true&$select=id,displayName,roleTemplateId"
TENANT_GROUPS = "transitiveMemberOf/microsoft.graph.group?$count=true&$select=id,isAssignableToRole"
AGENT, NAMELESS = (make_id(WOODGROVE, "agent", place) for place in ("Berlin", "Oslo"))
BLUEPRINT = make_id(WOODGROVE, "servicePrincipal", BLUEPRINT_APP_ID)
IDENTITY = make_id(WOODGROVE, "managedIdentity", "backup-vm")


@pytest.fixture
def graph(served):
    return Graph.as_portal(served, WOODGROVE)


@pytest.fixture
def keepers(graph):
    return make_id(WOODGROVE, "group", KEEPERS)


def app_with(served, *permissions):
    return Graph.as_app_with(served, *permissions, tenant_id=WOODGROVE)


# --- what one may not read -------------------------------------------------------------------------


def test_a_role_one_may_not_read_is_there_with_its_id_alone(served, graph):
    """ "Limited information": https://learn.microsoft.com/graph/permissions-overview#limited-information-returned-for-inaccessible-member-objects"""
    path = f"users/wilma@woodgrove.example/{TENANT_ROLES}"
    shown = graph.get(path, **EVENTUAL)["value"][0]

    hidden = app_with(served, "User.Read.All").get(path, **EVENTUAL)["value"]

    assert shown["roleTemplateId"] == ROLE_IDS["Global Administrator"]
    assert hidden == [
        {
            "@odata.type": "#microsoft.graph.directoryRole",
            "id": shown["id"],
            "displayName": None,
            "roleTemplateId": None,
        }
    ]


def test_groups_and_their_people_are_limited_as_well(served, graph, keepers):
    karl, greta = graph.user("karl").id, graph.user("greta").id
    users, groups = app_with(served, "User.Read.All"), app_with(served, "GroupMember.Read.All")

    hidden_group = users.get(f"users/{karl}/{TENANT_GROUPS}", **EVENTUAL)["value"]
    members = groups.get(f"groups/{keepers}/members?$select=id,displayName")["value"]
    owners = groups.get(f"groups/{keepers}/owners?$select=id")["value"]

    assert hidden_group == [{"@odata.type": "#microsoft.graph.group", "id": keepers, "isAssignableToRole": None}]
    assert members == [{"@odata.type": "#microsoft.graph.user", "id": karl, "displayName": None}]
    assert owners == [{"@odata.type": "#microsoft.graph.user", "id": greta}]
    shown = graph.get(f"users/{karl}/{TENANT_GROUPS}", **EVENTUAL)["value"]
    assert shown == [{"id": keepers, "isAssignableToRole": True}]
    assert graph.values("groups?$filter=isAssignableToRole eq true&$select=id", "id") == [keepers]
    assert graph.get(f"groups/{keepers}/owners")["value"][0]["displayName"] == "Greta Ohm"


def test_select_counts_in_lists_of_several_types(served):
    """https://learn.microsoft.com/graph/api/user-list-memberof"""
    reader = app_with(served, "Directory.Read.All")

    found = reader.get("users/ines@woodgrove.example/memberOf?$select=displayName")["value"]

    assert found == [{"@odata.type": "#microsoft.graph.administrativeUnit", "displayName": MUNICH}]
    answer = reader.send("GET", "users/ines@woodgrove.example/memberOf?$select=nonsense")
    refused(answer, 400, "BadRequest", "Could not find a property named 'nonsense'")


# --- roles -----------------------------------------------------------------------------------------


def test_the_type_in_the_address_finds_roles_of_microsoft_for_the_whole_tenant_only(graph):
    """https://learn.microsoft.com/graph/api/resources/directoryrole"""

    def roles(name):
        return graph.values(f"users/{name}@woodgrove.example/{TENANT_ROLES}", "displayName", **EVENTUAL)

    assert roles("karl") == ["Privileged Role Administrator"]  # through a group
    assert roles("paula") == roles("ines") == roles("bea") == []  # a custom role, and two for a unit


@pytest.mark.parametrize(
    ("name", "role", "unit"),
    [
        ("oscar", ROLE_IDS["Helpdesk Administrator"], None),
        ("paula", SESSION_KEEPER, None),
        ("ines", ROLE_IDS["User Administrator"], MUNICH),
    ],
)
def test_role_assignments_know_custom_and_scoped_roles(graph, name, role, unit):
    """https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments"""
    person = graph.user(name)

    found = graph.get(f"{ROLES}/roleAssignments?$filter=principalId eq '{person.id}'")["value"]

    scope = f"/administrativeUnits/{make_id(WOODGROVE, 'unit', unit)}" if unit else "/"
    assert [(one["roleDefinitionId"], one["directoryScopeId"]) for one in found] == [(role, scope)]


def test_groups_and_apps_hold_roles_too(graph, keepers):
    holders = set(graph.values(f"{ROLES}/roleAssignments", "principalId"))
    backup = graph.tenant.service_principal_for(app_id("Proseware Backup"))

    assert {keepers, backup.id} <= holders
    expanded = graph.get(f"{ROLES}/roleAssignments?$filter=principalId eq '{keepers}'&$expand=roleDefinition,principal")
    assert expanded["value"][0]["roleDefinition"]["displayName"] == "Privileged Role Administrator"
    assert expanded["value"][0]["principal"]["displayName"] == KEEPERS


def test_a_custom_role_is_defined_by_the_tenant(graph):
    custom = graph.get(f"{ROLES}/roleDefinitions?$filter=isBuiltIn eq false")["value"]

    assert [(one["id"], one["displayName"]) for one in custom] == [(SESSION_KEEPER, "Session Keeper")]
    assert graph.get(f"{ROLES}/roleDefinitions/{SESSION_KEEPER}")["isBuiltIn"] is False


def test_roles_for_a_unit_hang_on_the_person(served, graph):
    """https://learn.microsoft.com/graph/api/user-list-scopedrolememberof"""
    path = "users/ines@woodgrove.example/scopedRoleMemberOf"

    found = app_with(served, "Directory.Read.All").get(path)["value"]

    assert [one["administrativeUnitId"] for one in found] == [make_id(WOODGROVE, "unit", MUNICH)]
    assert found[0]["roleMemberInfo"]["displayName"] == "Ines Duarte"
    refused(graph.send("GET", path), 403, "Authorization_RequestDenied")


# --- people ----------------------------------------------------------------------------------------


def test_nobody_but_its_own_administrators_touches_a_restricted_unit(served, graph):
    """https://learn.microsoft.com/entra/identity/role-based-access-control/admin-units-restricted-management"""
    hugo = "users/hugo@woodgrove.example"
    scope = "User.RevokeSessions.All"
    strong = app_with(served, scope, "User.ReadWrite.All")
    before = graph.user("hugo").valid_from

    assert strong.get(f"{hugo}?$select=isManagementRestricted")["isManagementRestricted"] is True
    refused(strong.post(f"{hugo}/revokeSignInSessions"), 403, "Authorization_RequestDenied")
    refused(strong.patch(hugo, {"accountEnabled": False}), 403, "Authorization_RequestDenied")
    refused(strong.delete(hugo), 403, "Authorization_RequestDenied")
    wilma = Graph.as_person(served, "wilma@woodgrove.example", scope)
    refused(wilma.post(f"{hugo}/revokeSignInSessions"), 403, "Authorization_RequestDenied")
    assert graph.user("hugo").valid_from == before


def test_external_is_not_what_the_user_type_says(served, graph):
    """https://learn.microsoft.com/entra/external-id/user-properties and .../graph/api/user-revokesigninsessions"""
    people = {one.display_name: one for one in graph.tenant.users.values()}
    allan, iris = people["Allan Deyoung"], people["Iris Falk"]
    before = {one.id: one.valid_from for one in (allan, iris)}
    select = "?$select=userType,externalUserState,userPrincipalName,identities"

    member, guest = (graph.get(f"users/{one.id}{select}") for one in (allan, iris))
    for one in (allan, iris):
        assert graph.post(f"users/{one.id}/revokeSignInSessions").status_code == 200

    assert (member["userType"], member["externalUserState"]) == ("Member", "Accepted")
    assert "#EXT#" in member["userPrincipalName"]
    assert member["identities"][0]["issuer"] == "ExternalAzureAD"
    assert (guest["userType"], guest["externalUserState"]) == ("Guest", None)
    assert allan.valid_from == before[allan.id]
    assert iris.valid_from > before[iris.id]
    assert allan.home_tenant_id == FABRIKAM


def test_an_agents_account_is_among_the_people_and_says_so(graph):
    """https://learn.microsoft.com/graph/api/resources/agentuser"""
    found = graph.get("users?$filter=userPrincipalName eq 'minutes@woodgrove.example'&$select=id,identityParentId")

    assert found["value"] == [
        {
            "@odata.type": "#microsoft.graph.agentUser",
            "id": graph.user("minutes").id,
            "identityParentId": AGENT,
        }
    ]


def test_who_manages_agents_accounts_signs_out_nobody_else(served, graph):
    """AgentIdUser.ReadWrite.All is for agents' accounts: https://learn.microsoft.com/graph/permissions-reference"""
    manager = app_with(served, "AgentIdUser.ReadWrite.All")

    assert manager.post(f"users/{graph.user('minutes').id}/revokeSignInSessions").status_code == 200
    answer = manager.post(f"users/{graph.user('wilma').id}/revokeSignInSessions")
    refused(answer, 403, "Authorization_RequestDenied")


# --- apps ------------------------------------------------------------------------------------------


def test_agents_are_among_the_apps_and_may_have_no_client_id(graph):
    """https://learn.microsoft.com/graph/api/resources/agentidentity"""
    rows = {one["id"]: one for one in graph.get("servicePrincipals?$top=999")["value"]}

    assert rows[AGENT]["@odata.type"] == "#microsoft.graph.agentIdentity"
    assert rows[AGENT]["appId"] == AGENT
    assert rows[AGENT]["servicePrincipalType"] == "ServiceIdentity"
    assert rows[AGENT]["agentIdentityBlueprintId"] == BLUEPRINT_APP_ID
    assert "appId" not in rows[NAMELESS]
    assert rows[BLUEPRINT]["@odata.type"] == "#microsoft.graph.agentIdentityBlueprintPrincipal"
    assert "@odata.type" not in rows[IDENTITY]
    assert rows[IDENTITY]["servicePrincipalType"] == "ManagedIdentity"
    chosen = graph.get("servicePrincipals?$top=999&$select=id,appId")["value"]
    assert {"@odata.type": "#microsoft.graph.agentIdentity", "id": NAMELESS} in chosen
    answer = graph.send("GET", "servicePrincipals?$select=agentIdentityBlueprintId")
    refused(answer, 400, "BadRequest", "on type 'microsoft.graph.servicePrincipal'")


def test_the_list_of_agents_needs_a_permission_of_its_own(served, graph):
    """https://learn.microsoft.com/graph/api/agentidentity-list"""
    path = "servicePrincipals/microsoft.graph.agentIdentity"

    found = app_with(served, "AgentIdentity.Read.All").get(path)["value"]

    assert {one["id"] for one in found} == {AGENT, NAMELESS}
    assert all("@odata.type" not in one for one in found)
    refused(graph.send("GET", path), 403, "Authorization_RequestDenied")
    reader = app_with(served, "AgentIdentity.Read.All")
    assert reader.get(f"{path}/{AGENT}")["id"] == reader.get(f"servicePrincipals/{AGENT}/{path[18:]}")["id"] == AGENT
    refused(reader.send("GET", f"{path}/{BLUEPRINT}"), 404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    ("object_id", "kind"), [(AGENT, "AgentIdentity"), (BLUEPRINT, "AgentIdentityBlueprintPrincipal")]
)
def test_agents_are_changed_and_deleted_with_permissions_of_their_own(served, graph, object_id, kind):
    """ "Higher: not available": https://learn.microsoft.com/graph/api/agentidentity-delete, .../agentidentity-update"""
    path = f"servicePrincipals/{object_id}"

    refused(graph.patch(path, {"accountEnabled": False}), 403, "Authorization_RequestDenied")
    refused(graph.delete(path), 403, "Authorization_RequestDenied")
    assert app_with(served, f"{kind}.EnableDisable.All").patch(path, {"accountEnabled": False}).status_code == 204
    strong = app_with(served, f"{kind}.DeleteRestore.All")
    assert strong.delete(path).status_code == 204
    refused(graph.post(f"directory/deletedItems/{object_id}/restore"), 403, "Authorization_RequestDenied")
    assert strong.post(f"directory/deletedItems/{object_id}/restore").status_code == 200


def test_agents_follow_their_blueprint_within_a_day(served, graph):
    """https://learn.microsoft.com/entra/agent-id/identity-platform/delete-agent-identity"""
    strong = app_with(served, "AgentIdentityBlueprintPrincipal.DeleteRestore.All", "Application.Read.All")
    strong.delete(f"servicePrincipals/{BLUEPRINT}")
    refused(strong.delete(f"directory/deletedItems/{BLUEPRINT}"), 403, "Authorization_RequestDenied")
    agents = "servicePrincipals?$filter=servicePrincipalType eq 'ServiceIdentity'&$select=id"

    at_once = strong.values(agents, "id")
    served.world.clock.advance(25 * 3600)
    later = app_with(served, "Application.Read.All")

    assert set(at_once) == {AGENT, NAMELESS}
    assert later.values(agents, "id") == []
    assert {AGENT, NAMELESS, BLUEPRINT} <= set(graph.tenant.deleted_service_principals)


def test_by_another_page_of_microsofts_who_manages_apps_manages_agents(served, graph):
    """The how-to on deleting agents says Application.ReadWrite.All is enough: both readings are played."""
    requests.post(f"{served.url}/_sandbox/readings", json={"agents_need_their_own": False}, timeout=10)

    assert graph.delete(f"servicePrincipals/{AGENT}").status_code == 204


def test_a_managed_identity_is_changed_by_nobody(served, graph):
    """https://learn.microsoft.com/entra/identity/enterprise-apps/restore-application"""
    path = f"servicePrincipals/{IDENTITY}"

    refused(graph.patch(path, {"accountEnabled": False}), 403, "Authorization_RequestDenied")
    refused(graph.delete(path), 403, "Authorization_RequestDenied")
