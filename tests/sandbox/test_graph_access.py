"""Which permission opens what: Microsoft's own table, and what stands beside it.

The table is `permissions/new/permissions.json` of https://github.com/microsoftgraph/microsoft-graph-devx-content
"""

import pytest

from sandbox import facts
from sandbox.catalogue import PORTAL_APP_ID, app_id
from sandbox.graph_api import access
from sandbox.graph_api.resources import all_of_them
from sandbox.graph_api.router import GRAPH
from sandbox.objects import GRAPH_APP_ID, make_id
from tests.sandbox.graph import Graph, refused

GIVE = "AppRoleAssignment.ReadWrite.All"


def served_calls():
    assert all_of_them
    return [(method, path, endpoint) for method, path, endpoint in GRAPH.calls()]


def test_what_the_table_knows_is_not_written_down_again():
    again = [call for call in access.UNLISTED if call in facts.permissions()]

    assert again == []
    assert all(call in facts.permissions() for call in access.CORRECTED)


def test_every_call_that_is_served_needs_a_permission():
    open_to_all = [(method, path) for method, path, one in served_calls() if not (one.access.app or one.access.me)]

    assert len(served_calls()) > 60
    assert open_to_all == []
    assert [(method, path) for method, path, one in served_calls() if not one.access.delegated] == []


@pytest.mark.parametrize("kind", ["application", "delegated"])
def test_without_any_permission_nothing_answers(served, kind):
    if kind == "application":
        nobody = Graph.as_app_with(served)
    else:
        nobody = Graph.as_person(served, "megan@contoso.example", "openid")

    for method, path, endpoint in served_calls():
        version = "beta" if endpoint.beta_only else "v1.0"
        answer = nobody.send(method, f"{version}/{path.replace('{}', make_id('nobody'))}", {})
        expected = 400 if endpoint.access.me and kind == "application" else 403
        assert answer.status_code == expected, (method, path, answer.text)


def test_tokens_are_invalidated_with_the_permission_for_it_alone(served):
    """The table lists User.RevokeSessions.All and nothing else for apps by themselves."""
    path = "beta/users/adele@contoso.example/invalidateAllRefreshTokens"

    for permission in ("User.ReadWrite.All", "Directory.ReadWrite.All"):
        refused(Graph.as_app_with(served, permission).post(path), 403, "Authorization_RequestDenied")
    assert Graph.as_app_with(served, "User.RevokeSessions.All").post(path).status_code == 200


def test_with_user_read_one_reads_oneself_only(served):
    """https://learn.microsoft.com/graph/api/user-get: User.Read is the least, for the signed-in person."""
    adele = Graph.as_person(served, "adele@contoso.example", "User.Read")
    own = adele.user("adele")

    for key in (own.id, own.upn.upper()):
        assert adele.get(f"users/{key}")["jobTitle"] == "Retail Manager"
    refused(adele.send("GET", "users/megan@contoso.example"), 403, "Authorization_RequestDenied")
    refused(adele.send("GET", "users"), 403, "Authorization_RequestDenied")


@pytest.fixture
def northwind(served):
    return Graph.as_portal(served).tenant.service_principal_for(app_id("Northwind Expenses"))


def given(graph, principal, resource, role_id):
    body = {"principalId": principal, "resourceId": resource.id, "appRoleId": role_id}
    return graph.post(f"servicePrincipals/{resource.id}/appRoleAssignedTo", body)


def test_who_manages_apps_manages_assignments_but_not_graphs_own(served, northwind):
    """Application.ReadWrite.All "allows management of app role assignments, except those exposed by Microsoft Graph".

    https://learn.microsoft.com/graph/permissions-reference#applicationreadwriteall
    """
    manager = Graph.as_app_with(served, "Application.ReadWrite.All")
    api = manager.tenant.service_principal_for(GRAPH_APP_ID)
    backup = manager.tenant.service_principal_for(app_id("Proseware Backup"))
    held = manager.tenant.assignments_of(backup.id)[0]

    made = given(manager, manager.user("megan").id, northwind, "00000000-0000-0000-0000-000000000000")
    assert made.status_code == 201
    taken = manager.delete(f"servicePrincipals/{northwind.id}/appRoleAssignedTo/{made.json()['id']}")
    assert taken.status_code == 204
    mail = api.app_role("Mail.Send").id
    refused(given(manager, backup.id, api, mail), 403, "Authorization_RequestDenied")
    answer = manager.delete(f"servicePrincipals/{api.id}/appRoleAssignedTo/{held.id}")
    refused(answer, 403, "Authorization_RequestDenied")


def test_giving_a_role_takes_a_permission_to_read_apps_as_well(served, northwind):
    """https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto"""
    megan = Graph.as_portal(served).user("megan").id
    nobody = "00000000-0000-0000-0000-000000000000"

    refused(given(Graph.as_app_with(served, GIVE), megan, northwind, nobody), 403, "Authorization_RequestDenied")
    refused(
        given(Graph.as_app_with(served, "Application.Read.All"), megan, northwind, nobody),
        403,
        "Authorization_RequestDenied",
    )
    both = Graph.as_app_with(served, GIVE, "Application.Read.All")
    assert given(both, megan, northwind, nobody).status_code == 201


def test_an_app_that_manages_its_own_changes_nothing_else(served, northwind):
    """https://learn.microsoft.com/graph/permissions-reference#applicationreadwriteownedby"""
    owner = Graph.as_app_with(served, access.OWNED_ONLY)
    path = f"servicePrincipals/{northwind.id}"

    refused(owner.patch(path, {"notes": "x"}), 403, "Authorization_RequestDenied")
    northwind.owners.append(owner.tenant.service_principal_for(PORTAL_APP_ID).id)
    assert owner.patch(path, {"notes": "x"}).status_code == 204


def test_the_recycle_bin_asks_for_what_lies_in_it(served):
    """https://learn.microsoft.com/graph/api/directory-deleteditems-restore"""
    apps, people = (Graph.as_app_with(served, one) for one in ("Application.ReadWrite.All", "User.DeleteRestore.All"))
    adele, deleted = apps.user("adele").id, next(iter(apps.tenant.deleted_service_principals))
    apps.tenant.delete_user(adele)

    refused(apps.post(f"directory/deletedItems/{adele}/restore"), 403, "Authorization_RequestDenied")
    refused(people.post(f"directory/deletedItems/{deleted}/restore"), 403, "Authorization_RequestDenied")
    assert people.post(f"directory/deletedItems/{adele}/restore").status_code == 200
    assert apps.post(f"directory/deletedItems/{deleted}/restore").status_code == 200
