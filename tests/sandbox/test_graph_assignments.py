"""App role assignments: people in apps, and permissions of apps acting by themselves."""

import pytest

from sandbox.catalogue import PORTAL_APP_ID, app_id
from sandbox.objects import DEFAULT_ROLE, GRAPH_APP_ID
from tests.sandbox.client import claims
from tests.sandbox.graph import Graph, refused

ZEROS = DEFAULT_ROLE
WRITE = "AppRoleAssignment.ReadWrite.All"


@pytest.fixture
def graph(served):
    return Graph.as_portal(served)


@pytest.fixture
def api(graph):
    return graph.tenant.service_principal_for(GRAPH_APP_ID)


@pytest.fixture
def backup(graph):
    return graph.tenant.service_principal_for(app_id("Proseware Backup"))


@pytest.fixture
def northwind(graph):
    return graph.tenant.service_principal_for(app_id("Northwind Expenses"))


def test_an_apps_permissions_on_the_wire(graph, backup, api):
    held = graph.get(f"servicePrincipals/{backup.id}/appRoleAssignments")["value"]

    assert {one["appRoleId"] for one in held} == {
        api.app_role(value).id for value in ("User.Read.All", "Mail.Read", "Files.Read.All", "Sites.Read.All")
    }
    assert {(one["principalType"], one["principalDisplayName"], one["resourceDisplayName"]) for one in held} == {
        ("ServicePrincipal", "Proseware Backup", "Microsoft Graph")
    }
    assert all(len(one["id"]) == 43 for one in held)


def test_an_api_knows_who_holds_its_permissions(graph, backup, api):
    holders = graph.get(f"servicePrincipals/{api.id}/appRoleAssignedTo")["value"]

    assert {one["principalDisplayName"] for one in holders} == {
        "Consentry",
        "Proseware Backup",
        "Adatum Sign-in Monitor",
    }


def test_ids_in_filters_are_guids(graph, backup, api):
    path = f"servicePrincipals/{backup.id}/appRoleAssignments?$filter=resourceId eq "

    assert len(graph.get(f"{path}{api.id}")["value"]) == 4
    refused(graph.send("GET", f"{path}'{api.id}'"), 400, "BadRequest", "incompatible types")


def test_a_persons_list_names_groups_they_are_assigned_through(served, graph):
    reader = Graph.as_app_with(served, WRITE)

    found = reader.get("users/adele@contoso.example/appRoleAssignments")["value"]

    assert {(one["principalType"], one["resourceDisplayName"], one["appRoleId"]) for one in found} == {
        ("User", "Northwind Expenses", ZEROS),
        ("Group", "Contoso Travel", ZEROS),
    }


def test_a_permission_just_consented_to_takes_its_time(served, graph, backup, api):
    """Tokens taken right after consent often lack roles: https://github.com/microsoftgraph/microsoft-graph-docs/issues/10907"""
    served.world.set_consent_lag(20)
    graph.tenant.assign(backup.id, "ServicePrincipal", api.id, api.app_role("Mail.Send").id)

    def seen():
        held = graph.get(f"servicePrincipals/{backup.id}/appRoleAssignments")["value"]
        holders = graph.get(f"servicePrincipals/{api.id}/appRoleAssignedTo")["value"]
        wanted = api.app_role("Mail.Send").id
        return [
            wanted in {one["appRoleId"] for one in held},
            (backup.id, wanted) in {(one["principalId"], one["appRoleId"]) for one in holders},
            "Mail.Send" in claims(Graph.as_app(served, backup.app_id).token)["roles"],
        ]

    assert seen() == [False] * 3
    served.world.clock.advance(21)
    assert seen() == [True] * 3


def test_a_permission_is_given_and_shows_in_the_apps_tokens(served, graph, backup, api):
    body = {"principalId": backup.id, "resourceId": api.id, "appRoleId": api.app_role("Mail.Send").id}

    answer = graph.post(f"servicePrincipals/{api.id}/appRoleAssignedTo", body)

    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in body} == body
    assert answer.json()["id"] in graph.tenant.assignments
    assert "Mail.Send" in graph.tenant.roles_of(backup.id, api.id)


def test_giving_twice_is_400(graph, backup, api):
    body = {"principalId": backup.id, "resourceId": api.id, "appRoleId": api.app_role("Mail.Read").id}

    answer = graph.post(f"servicePrincipals/{backup.id}/appRoleAssignments", body)

    refused(answer, 400, "Request_BadRequest", "already exists")


def test_a_person_is_assigned_without_a_role_in_particular(graph, northwind):
    alex = graph.user("alex")
    body = {"principalId": alex.id, "resourceId": northwind.id, "appRoleId": ZEROS}

    assert graph.post(f"users/{alex.id}/appRoleAssignments", body).status_code == 201
    assert "Alex Wilber" in graph.values(f"servicePrincipals/{northwind.id}/appRoleAssignedTo", "principalDisplayName")


@pytest.mark.parametrize("change", ["principal", "resource", "role", "default"])
def test_an_assignment_that_cannot_be_is_refused(graph, backup, api, change):
    body = {"principalId": backup.id, "resourceId": api.id, "appRoleId": api.app_role("Mail.Send").id}
    nobody = "dddddddd-0000-4000-8000-000000000000"
    wrong = {
        "principal": {"principalId": nobody},
        "resource": {"resourceId": nobody},
        "role": {"appRoleId": nobody},
        "default": {"appRoleId": ZEROS},
    }[change]

    answer = graph.post(f"servicePrincipals/{backup.id}/appRoleAssignments", body | wrong)

    assert answer.status_code in (400, 404)
    assert len(graph.tenant.assignments_of(backup.id)) == 4


@pytest.mark.parametrize("through", ["client", "resource"])
def test_a_permission_is_taken_from_either_side(graph, backup, api, through):
    one = graph.tenant.assignments_of(backup.id)[0]
    path = f"{backup.id}/appRoleAssignments" if through == "client" else f"{api.id}/appRoleAssignedTo"

    first, second = (graph.delete(f"servicePrincipals/{path}/{one.id}") for _ in range(2))

    assert (first.status_code, first.content) == (204, b"")
    refused(second, 404, "Request_ResourceNotFound")
    assert len(graph.tenant.assignments_of(backup.id)) == 3


def test_an_assignment_is_not_found_under_another_object(graph, backup, northwind):
    one = graph.tenant.assignments_of(backup.id)[0]

    refused(
        graph.delete(f"servicePrincipals/{northwind.id}/appRoleAssignedTo/{one.id}"), 404, "Request_ResourceNotFound"
    )
    refused(
        graph.delete(f"users/{graph.user('adele').id}/appRoleAssignments/{one.id}"), 404, "Request_ResourceNotFound"
    )


def test_the_apps_own_permission_suffices_on_its_paths_but_not_on_peoples(served, graph, northwind):
    writer = Graph.as_app_with(served, "Application.ReadWrite.All")
    adeles, pradeeps = graph.tenant.assigned_to(northwind.id)

    on_app = writer.delete(f"servicePrincipals/{northwind.id}/appRoleAssignedTo/{adeles.id}")
    on_person = writer.delete(f"users/{graph.user('pradeep').id}/appRoleAssignments/{pradeeps.id}")

    assert on_app.status_code == 204
    refused(on_person, 403, "Authorization_RequestDenied")


def test_graphs_own_permissions_need_a_higher_role_of_a_person(served, graph, backup, api):
    isaiah = Graph.as_person(served, "isaiah@contoso.example", WRITE)
    megan = Graph.as_person(served, "megan@contoso.example", WRITE)
    path = f"servicePrincipals/{api.id}/appRoleAssignedTo/{graph.tenant.assignments_of(backup.id)[0].id}"

    refused(isaiah.delete(path), 403, "Authorization_RequestDenied")
    assert megan.delete(path).status_code == 204


def test_a_role_in_the_portal_is_an_assignment_with_a_role(graph):
    portal = graph.tenant.service_principal_for(PORTAL_APP_ID)
    roles = {role.id: role.value for role in portal.app_roles}

    held = graph.get(f"servicePrincipals/{portal.id}/appRoleAssignedTo")["value"]

    assert {(one["principalDisplayName"], roles[one["appRoleId"]]) for one in held} == {
        ("Megan Bowen", "Portal.TenantAdmin"),
        ("Isaiah Langer", "Portal.TenantAdmin"),
        ("Henrietta Mueller", "Portal.Helpdesk"),
        ("Nestor Wilke", "Portal.Auditor"),
    }
