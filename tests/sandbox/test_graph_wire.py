"""What every answer has in common: headers, ids, the error envelope, and how addresses are read."""

import re
import uuid
from urllib.parse import quote

import pytest

from sandbox.catalogue import CONTOSO, FABRIKAM, PORTAL_APP_ID
from sandbox.identity import state, tokens
from sandbox.objects import GRAPH_APP_ID
from tests.sandbox.graph import Graph, refused


@pytest.fixture
def graph(served):
    return Graph.as_portal(served)


def test_an_answer_carries_graphs_headers(graph):
    answer = graph.send("GET", "users")

    headers = answer.headers
    assert headers["Content-Type"].startswith("application/json;odata.metadata=minimal")
    assert headers["OData-Version"] == "4.0"
    assert headers["x-ms-resource-unit"] == "2"
    assert headers["Cache-Control"] == "no-cache"
    assert "x-ms-ags-diagnostic" in headers
    assert uuid.UUID(headers["request-id"])
    assert headers["client-request-id"] == headers["request-id"]


def test_a_callers_own_request_id_comes_back(graph):
    mine = str(uuid.uuid4())

    fine = graph.send("GET", "users", **{"client-request-id": mine})
    wrong = graph.send("GET", "users/nobody@contoso.example", **{"client-request-id": mine})

    assert fine.headers["client-request-id"] == mine
    inner = refused(wrong, 404, "Request_ResourceNotFound")["innerError"]
    assert inner["client-request-id"] == mine
    assert inner["request-id"] == wrong.headers["request-id"] != mine
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", inner["date"])


def test_an_error_is_plain_json(graph):
    answer = graph.send("GET", "nonsense")

    assert answer.headers["Content-Type"] == "application/json"
    assert "OData-Version" not in answer.headers


@pytest.mark.parametrize("path", ["nonsense", "users/x/nonsense", "v1.0/reports/servicePrincipalSignInActivities"])
def test_an_unknown_segment_is_400(graph, path):
    refused(graph.send("GET", path), 400, "BadRequest", "Resource not found for the segment")


@pytest.mark.parametrize(("method", "path"), [("DELETE", "organization"), ("PUT", "users"), ("POST", "me")])
def test_a_method_that_does_not_fit_is_405(graph, method, path):
    refused(graph.send(method, path), 405, "Request_BadRequest", "HTTP method is not allowed")


@pytest.mark.parametrize(
    "path", ["USERS", "Users?$TOP=3", "oAuth2PermissionGrants", "serviceprincipals", "users?top=3"]
)
def test_addresses_and_option_names_are_read_without_regard_to_case(graph, path):
    assert graph.send("GET", path).status_code == 200


def test_an_object_is_found_by_every_spelling_of_its_address(graph):
    adele, consentry = graph.user("adele"), graph.tenant.service_principal_for(PORTAL_APP_ID)

    people = ["users/ADELE@contoso.example", f"users('{adele.id}')", f"users/{adele.id.upper()}"]
    apps = [f"servicePrincipals(appId='{PORTAL_APP_ID}')", f"servicePrincipals(appId%3D'{PORTAL_APP_ID}')"]

    assert {graph.get(path)["id"] for path in people} == {adele.id}
    assert {graph.get(path)["id"] for path in apps} == {consentry.id}


def test_a_guest_is_found_by_a_upn_with_its_hash_encoded(graph):
    upn = "lynne_fabrikam.example#EXT#@contoso.onmicrosoft.com"

    assert graph.get(f"users/{quote(upn)}?$select=userPrincipalName,userType") == {
        "@odata.context": f"{graph.url}/v1.0/$metadata#users(userPrincipalName,userType)/$entity",
        "userPrincipalName": upn,
        "userType": "Guest",
    }


def test_contexts_and_links_carry_the_name_the_caller_used(graph):
    answer = graph.send("GET", "users?$top=1", Host="graph.microsoft.com", **{"x-forwarded-proto": "https"}).json()

    assert answer["@odata.context"] == "https://graph.microsoft.com/v1.0/$metadata#users"
    assert answer["@odata.nextLink"].startswith("https://graph.microsoft.com/v1.0/users?$top=1&$skiptoken=")


def test_another_tenants_objects_do_not_exist(graph):
    robin = graph.world.tenants[FABRIKAM].user("robin@fabrikam.example")

    refused(graph.send("GET", f"users/{robin.id}"), 404, "Request_ResourceNotFound")
    refused(graph.send("GET", f"users/{robin.upn}"), 404, "Request_ResourceNotFound")
    refused(graph.post(f"users/{robin.id}/revokeSignInSessions"), 404, "Request_ResourceNotFound")


def test_a_service_principals_id_must_be_one(graph):
    refused(
        graph.send("GET", "servicePrincipals/mail-sidekick"), 400, "Request_BadRequest", "Invalid object identifier"
    )


def test_a_body_that_is_no_json_is_400(graph):
    answer = graph.send("POST", "oauth2PermissionGrants", None, **{"Content-Type": "application/json"})

    refused(answer, 400, "Request_BadRequest", "Unable to read JSON")


def test_the_same_option_twice_is_400(graph):
    refused(graph.send("GET", "users?$top=1&$top=2"), 400, "BadRequest")


# --- tokens ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (None, "Access token is empty."),
        ("Basic abc", "Access token is empty."),
        ("Bearer abc", "CompactToken parsing failed"),
        ("Bearer a.b.c", "Access token validation failure."),
    ],
)
def test_a_token_that_is_none_is_401(served, header, words):
    nobody = Graph(served, None, served.world.tenants[CONTOSO])

    answer = nobody.send("GET", "users", **({"Authorization": header} if header else {}))

    refused(answer, 401, "InvalidAuthenticationToken", words)
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="", authorization_uri=')
    assert "claims=" not in answer.headers["WWW-Authenticate"]


def test_an_expired_token_is_401(graph):
    graph.world.clock.advance(3601)

    refused(graph.send("GET", "users"), 401, "InvalidAuthenticationToken", "Lifetime validation failed")


def test_a_token_for_another_api_is_401(served, graph):
    world, tenant = served.world, graph.tenant
    portal, other = tenant.service_principal_for(PORTAL_APP_ID), tenant.service_principal_for(PORTAL_APP_ID)
    issued = tokens.access_token_for_app(
        world, tenant, portal, world.applications[PORTAL_APP_ID], other, capable=False, credential="1"
    )

    answer = Graph(served, issued.value, tenant).send("GET", "users")

    refused(answer, 401, "InvalidAuthenticationToken", "Invalid audience")


def test_a_token_signed_by_somebody_else_is_401(served, graph):
    state.of(served.world).keys.rotate(forget_old=True)

    refused(graph.send("GET", "users"), 401, "InvalidAuthenticationToken", "validation failure")


def test_an_app_that_left_the_tenant_is_403(graph):
    graph.tenant.delete_service_principal(graph.tenant.service_principal_for(PORTAL_APP_ID).id)

    refused(graph.send("GET", "users"), 403, "Authorization_IdentityNotFound")


def test_me_needs_a_person(graph):
    refused(graph.send("GET", "me"), 400, "BadRequest", "/me request is only valid with delegated")


# --- who may do what -------------------------------------------------------------------------------

ADELE = "users/adele@contoso.example"
APP = f"servicePrincipals(appId='{GRAPH_APP_ID}')"


@pytest.mark.parametrize(
    ("method", "path", "least"),
    [
        ("GET", "users", "User.ReadBasic.All"),
        ("GET", ADELE, "User.ReadBasic.All"),
        ("GET", "users/delta", "User.Read.All"),
        ("GET", "oauth2PermissionGrants", "DelegatedPermissionGrant.ReadWrite.All"),
        ("GET", f"{ADELE}/oauth2PermissionGrants", "Directory.Read.All"),
        ("GET", f"{APP}/oauth2PermissionGrants", "DelegatedPermissionGrant.ReadWrite.All"),
        ("GET", "servicePrincipals", "Application.Read.All"),
        ("GET", f"{APP}/appRoleAssignedTo", "Application.Read.All"),
        ("GET", f"{ADELE}/appRoleAssignments", "AppRoleAssignment.ReadWrite.All"),
        ("GET", "directory/deletedItems/microsoft.graph.servicePrincipal", "Application.Read.All"),
        ("GET", "groups", "GroupMember.Read.All"),
        ("GET", "roleManagement/directory/roleAssignments", "RoleManagement.Read.Directory"),
        ("GET", "organization", "Organization.Read.All"),
        ("GET", "beta/reports/servicePrincipalSignInActivities", "AuditLog.Read.All"),
        ("GET", "auditLogs/directoryAudits", "AuditLog.Read.All"),
        ("POST", f"{ADELE}/revokeSignInSessions", "User.RevokeSessions.All"),
        ("POST", f"beta/{ADELE}/invalidateAllRefreshTokens", "User.RevokeSessions.All"),
    ],
)
def test_the_least_permission_opens_it_and_others_do_not(served, method, path, least):
    assert Graph.as_app_with(served, least).send(method, path).status_code == 200

    for stranger in ("Policy.Read.All", "Mail.Read", "Calendars.Read"):
        refused(Graph.as_app_with(served, stranger).send(method, path), 403, "Authorization_RequestDenied")


def test_an_app_may_read_itself_without_any_permission(served):
    nothing = Graph.as_app_with(served)

    assert nothing.get(f"servicePrincipals(appId='{PORTAL_APP_ID}')")["appId"] == PORTAL_APP_ID
    refused(nothing.send("GET", APP), 403, "Authorization_RequestDenied", "Insufficient privileges")


def test_a_person_needs_the_permission_and_a_role(served):
    scope = "DelegatedPermissionGrant.ReadWrite.All"
    grant = next(iter(served.world.tenants[CONTOSO].grants))

    refused(
        Graph.as_person(served, "adele@contoso.example", scope).delete(f"oauth2PermissionGrants/{grant}"),
        403,
        "Authorization_RequestDenied",
    )
    refused(
        Graph.as_person(served, "megan@contoso.example", "User.Read").delete(f"oauth2PermissionGrants/{grant}"),
        403,
        "Authorization_RequestDenied",
    )
    assert (
        Graph.as_person(served, "isaiah@contoso.example", scope).delete(f"oauth2PermissionGrants/{grant}").status_code
        == 204
    )


def test_a_refused_write_changes_nothing(served):
    tenant = served.world.tenants[CONTOSO]
    before = tenant.sequence

    refused(Graph.as_app_with(served).post(f"{ADELE}/revokeSignInSessions"), 403, "Authorization_RequestDenied")

    assert tenant.sequence == before
