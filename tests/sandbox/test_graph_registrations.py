"""Registrations, their credentials, and the relatives that other clients ask for."""

import base64
import hashlib
import time
import uuid

import jwt
import pytest
import requests

from sandbox.catalogue import CONTOSO, PORTAL_APP_ID, app_id
from sandbox.identity.keys import SigningKey
from sandbox.objects import GRAPH_APP_ID, make_id
from tests.sandbox.graph import Graph, refused

WRITE = "Application.ReadWrite.All"


@pytest.fixture
def manager(served):
    return Graph.as_app_with(served, WRITE)


@pytest.fixture
def robot(manager):
    answer = manager.post("applications", {"displayName": "Robot", "signInAudience": "AzureADMyOrg"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def token_with(served, client_id, **credential):
    return requests.post(
        f"{served.url}/{CONTOSO}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": client_id,
            "scope": "https://graph.microsoft.com/.default",
            **credential,
        },
        timeout=10,
    )


def test_registrations_are_those_of_the_home_tenant(manager):
    found = {one["displayName"]: one for one in manager.get("applications?$top=999")["value"]}

    assert set(found) == {"Consentry", "Contoso Travel"}
    portal = manager.get(f"applications(appId='{PORTAL_APP_ID}')")
    assert portal["id"] == found["Consentry"]["id"] != portal["appId"]
    asked = {one["resourceAppId"]: one["resourceAccess"] for one in portal["requiredResourceAccess"]}
    assert {one["type"] for one in asked[GRAPH_APP_ID]} == {"Scope", "Role"}
    assert portal["web"]["redirectUris"]
    assert manager.values(f"applications?$filter=appId eq '{PORTAL_APP_ID}'&$select=displayName", "displayName") == [
        "Consentry"
    ]
    refused(manager.send("GET", f"applications/{make_id('nobody')}"), 404, "Request_ResourceNotFound")


def test_a_new_registration_becomes_an_app_with_what_it_asks_for(served, manager, robot):
    api = manager.tenant.service_principal_for(GRAPH_APP_ID)
    asked = [{"id": api.app_role("User.Read.All").id, "type": "Role"}]
    change = {
        "requiredResourceAccess": [{"resourceAppId": GRAPH_APP_ID, "resourceAccess": asked}],
        "web": {"redirectUris": ["https://robot.example/cb"]},
        "notes": "made by a test",
    }

    assert manager.patch(f"applications/{robot['id']}", change).status_code == 204
    principal = manager.post("servicePrincipals", {"appId": robot["appId"]})

    assert principal.status_code == 201
    assert principal.json()["replyUrls"] == ["https://robot.example/cb"]
    shown = manager.get(f"applications/{robot['id']}")
    assert shown["requiredResourceAccess"][0]["resourceAccess"] == asked
    assert (shown["signInAudience"], shown["notes"]) == ("AzureADMyOrg", "made by a test")
    assert served.world.applications[robot["appId"]].wanted().roles == ["User.Read.All"]


def test_a_certificate_registered_through_graph_signs_in(served, manager, robot):
    """https://learn.microsoft.com/graph/applications-how-to-add-certificate"""
    manager.post("servicePrincipals", {"appId": robot["appId"]})
    own = SigningKey.generate()
    der = own.certificate
    assertion = _assertion(own.private, der, robot["appId"], f"{served.url}/{CONTOSO}/oauth2/v2.0/token")
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    path = f"applications/{robot['id']}"

    before = token_with(served, robot["appId"], client_assertion=assertion, client_assertion_type=kind)
    body = {
        "keyCredentials": [{"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64.b64encode(der).decode()}]
    }
    assert manager.patch(path, body).status_code == 204
    listed = manager.get(f"{path}?$select=keyCredentials")["keyCredentials"]
    assert manager.patch(path, {"keyCredentials": listed}).status_code == 204  # as a client does that adds another
    after = token_with(served, robot["appId"], client_assertion=assertion, client_assertion_type=kind)

    assert before.json()["error_codes"] == [700027]
    assert after.status_code == 200, after.text
    refused(manager.patch(path, {"keyCredentials": [{"key": "AAAA"}]}), 400, "Request_BadRequest")


@pytest.mark.parametrize("kind", ["applications", "servicePrincipals"])
def test_a_password_is_told_once_and_signs_in(served, manager, robot, kind):
    """https://learn.microsoft.com/graph/api/application-addpassword"""
    principal = manager.post("servicePrincipals", {"appId": robot["appId"]}).json()
    object_id = robot["id"] if kind == "applications" else principal["id"]
    body = {"passwordCredential": {"displayName": "test"}}

    answer = manager.post(f"{kind}/{object_id}/addPassword", body)

    made = answer.json()
    assert (answer.status_code, made["displayName"]) == (200, "test")
    assert token_with(served, robot["appId"], client_secret=made["secretText"]).status_code == 200
    listed = manager.get(f"{kind}/{object_id}")["passwordCredentials"]
    assert [(one["keyId"], one["secretText"]) for one in listed] == [(made["keyId"], None)]
    if kind == "applications":
        assert manager.post(f"{kind}/{object_id}/removePassword", {"keyId": made["keyId"]}).status_code == 204
        refusal = token_with(served, robot["appId"], client_secret=made["secretText"])
        assert refusal.json()["error_codes"] == [7000215]


def test_a_deleted_registration_takes_its_presence_along_and_comes_back(served, manager, robot):
    principal = manager.post("servicePrincipals", {"appId": robot["appId"]}).json()

    assert manager.delete(f"applications/{robot['id']}").status_code == 204

    refused(manager.send("GET", f"servicePrincipals/{principal['id']}"), 404, "Request_ResourceNotFound")
    assert token_with(served, robot["appId"], client_secret="x").json()["error_codes"] == [700016]
    bin_of_apps = "directory/deletedItems/microsoft.graph.application"
    assert manager.values(bin_of_apps, "displayName") == ["Robot"]
    assert manager.post(f"directory/deletedItems/{robot['id']}/restore").json()["appId"] == robot["appId"]
    assert manager.get(f"applications/{robot['id']}")["displayName"] == "Robot"


@pytest.mark.parametrize(
    "part",
    [
        {"appRoles": [{"displayName": "x"}]},
        {"requiredResourceAccess": [{"resourceAppId": GRAPH_APP_ID}]},
        {"optionalClaims": {"idToken": [{"essential": True}]}},
        {"api": {"oauth2PermissionScopes": [{}]}},
        {"keyCredentials": [{}]},
    ],
    ids=lambda part: next(iter(part)),
)
def test_half_a_part_is_refused_and_changes_nothing(manager, robot, part):
    path = f"applications/{robot['id']}"
    before = manager.get(path)

    refused(manager.patch(path, {"notes": "x", "displayName": "Other"} | part), 400, "Request_BadRequest")

    assert manager.get(path) == before


def test_who_owns_nothing_changes_no_registration(served, robot):
    """https://learn.microsoft.com/graph/api/application-update"""
    path = f"applications/{robot['id']}"
    adele = Graph.as_person(served, "adele@contoso.example", WRITE)
    isaiah = Graph.as_person(served, "isaiah@contoso.example", WRITE)

    refused(adele.patch(path, {"notes": "x"}), 403, "Authorization_RequestDenied")
    assert isaiah.patch(path, {"notes": "x"}).status_code == 204
    refused(
        Graph.as_app_with(served, "Application.Read.All").patch(path, {"notes": "x"}),
        403,
        "Authorization_RequestDenied",
    )


# --- relatives -------------------------------------------------------------------------------------


def test_people_are_made_by_who_may(served):
    """https://learn.microsoft.com/graph/api/user-post-users"""
    body = {
        "displayName": "New Person",
        "mailNickname": "new",
        "userPrincipalName": "new@contoso.example",
        "accountEnabled": True,
        "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"},
    }

    refused(Graph.as_portal(served).post("users", body), 403, "Authorization_RequestDenied")
    writer = Graph.as_app_with(served, "User.ReadWrite.All")
    made = writer.post("users", body)

    assert made.status_code == 201
    assert writer.get("users/new@contoso.example")["id"] == made.json()["id"]
    refused(writer.post("users", body), 400, "Request_BadRequest", "already exists")
    refused(writer.post("users", body | {"userPrincipalName": "x@elsewhere.example"}), 400, "Request_BadRequest")


def test_groups_are_made_and_deleted_by_who_may(served):
    """https://learn.microsoft.com/graph/api/group-post-groups"""
    body = {"displayName": "Team", "mailNickname": "team", "mailEnabled": False, "securityEnabled": True}

    refused(Graph.as_portal(served).post("groups", body), 403, "Authorization_RequestDenied")
    writer = Graph.as_app_with(served, "Group.ReadWrite.All")
    made = writer.post("groups", body)

    assert made.status_code == 201
    refused(Graph.as_portal(served).delete(f"groups/{made.json()['id']}"), 403, "Authorization_RequestDenied")
    assert writer.delete(f"groups/{made.json()['id']}").status_code == 204
    refused(writer.send("GET", f"groups/{made.json()['id']}"), 404, "Request_ResourceNotFound")


def test_memberships_are_asked_and_checked(served):
    """https://learn.microsoft.com/graph/api/directoryobject-getmembergroups, .../directoryobject-checkmembergroups"""
    graph = Graph.as_portal(served)
    sales, europe = (make_id(CONTOSO, "group", name) for name in ("Sales", "Sales Europe"))
    johanna = graph.user("johanna").id

    found = graph.post(f"users/{johanna}/getMemberGroups", {"securityEnabledOnly": True}).json()["value"]
    checked = graph.post(f"directoryObjects/{johanna}/checkMemberGroups", {"groupIds": [sales, make_id("none")]})

    assert {sales, europe} <= set(found)
    assert checked.json()["value"] == [sales]
    refused(graph.post(f"users/{johanna}/getMemberGroups", {"securityEnabledOnly": "yes"}), 400, "Request_BadRequest")


def test_a_deleted_persons_name_is_free_again(served):
    """https://learn.microsoft.com/powershell/module/microsoft.entra/get-entradeleteduser"""
    graph = Graph.as_app_with(served, "User.ReadWrite.All")
    alex = graph.user("alex").id
    graph.delete(f"users/{alex}")

    listed = graph.get("directory/deletedItems/microsoft.graph.user")["value"]

    assert [one["userPrincipalName"] for one in listed] == [f"{alex.replace('-', '')}alex@contoso.example"]
    restored = graph.post(f"directory/deletedItems/{alex}/restore").json()
    assert restored["userPrincipalName"] == "alex@contoso.example"


def test_ones_own_tenant_has_a_second_name(served):
    """https://learn.microsoft.com/graph/call-api"""
    graph = Graph.as_portal(served)

    assert graph.get("myorganization/users/adele@contoso.example")["displayName"] == "Adele Vance"


def test_domains_and_licences_are_listed(served):
    reader = Graph.as_app_with(served, "Directory.Read.All")

    assert reader.values("domains?$filter=isDefault eq true", "id") == ["contoso.example"]
    assert reader.values("subscribedSkus", "skuPartNumber") == ["AAD_PREMIUM_P2"]


def test_policies_say_who_may_consent(served):
    """https://learn.microsoft.com/graph/api/authorizationpolicy-update"""
    reader = Graph.as_app_with(served, "Policy.Read.All", "Policy.Read.PermissionGrant")
    writer = Graph.as_app_with(served, "Policy.ReadWrite.Authorization")
    path = "policies/authorizationPolicy"

    def assigned():
        return reader.get(path)["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"]

    assert assigned() == ["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"]
    known = reader.values("policies/permissionGrantPolicies", "id")
    assert assigned()[0].partition(".")[2] in known
    nobody = {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": []}}
    refused(reader.patch(path, nobody), 403, "Authorization_RequestDenied")
    assert writer.patch(path, nobody).status_code == 204
    assert (assigned(), reader.tenant.user_consent) == ([], "none")


def test_what_somebody_owns_is_theirs_to_see(served):
    megan = Graph.as_person(served, "megan@contoso.example", "User.Read", "Application.Read.All")
    northwind = megan.tenant.service_principal_for(app_id("Northwind Expenses"))
    northwind.owners.append(megan.user("megan").id)

    assert "Northwind Expenses" in megan.values("me/ownedObjects", "displayName")


def _assertion(key, der, client_id, audience):
    now = int(time.time())
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
    claims = {
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "exp": now + 300,
    }
    return jwt.encode(claims, key, algorithm="PS256", headers={"x5t#S256": thumbprint})
