"""Groups with their people, and who holds which directory role."""

import pytest

from sandbox.objects import ROLE_IDS, make_id
from tests.sandbox.graph import EVENTUAL, Graph, refused

CAST = "transitiveMemberOf/microsoft.graph.directoryRole?$count=true"


@pytest.fixture
def graph(served):
    return Graph.as_portal(served)


@pytest.fixture
def sales(graph):
    return make_id(graph.tenant.id, "group", "Sales")


def test_groups_are_found_by_the_beginning_of_their_names(graph):
    assert graph.values("groups?$filter=startswith(displayName,'sal')", "displayName") == ["Sales Europe", "Sales"]
    assert graph.values('groups?$search="displayName:europe"', "displayName", **EVENTUAL) == ["Sales Europe"]


def test_direct_members_are_people_and_groups(graph, sales):
    members = graph.get(f"groups/{sales}/members")["value"]

    assert [(one["@odata.type"], one["displayName"]) for one in members] == [
        ("#microsoft.graph.user", "Isaiah Langer"),
        ("#microsoft.graph.user", "Adele Vance"),
        ("#microsoft.graph.group", "Sales Europe"),
    ]


def test_transitive_members_are_the_people_of_inner_groups_too(graph, sales):
    path = f"groups/{sales}/transitiveMembers/microsoft.graph.user?$count=true&$select=displayName"

    answer = graph.get(path, **EVENTUAL)

    names = {one["displayName"] for one in answer["value"]}
    assert names == {"Isaiah Langer", "Adele Vance", "Johanna Lorenz", "Pradeep Gupta"}
    assert answer["@odata.count"] == 4


def test_the_type_in_the_address_needs_the_header(graph, sales):
    path = f"groups/{sales}/transitiveMembers/microsoft.graph.user?$count=true"

    refused(graph.send("GET", path), 400, "Request_UnsupportedQuery")


def test_a_group_that_is_not_there_is_404(graph):
    refused(graph.send("GET", f"groups/{make_id('nobody')}/members"), 404, "Request_ResourceNotFound")


def test_a_persons_roles_carry_their_template(graph):
    found = graph.get(f"users/megan@contoso.example/{CAST}", **EVENTUAL)["value"]

    assert [(one["displayName"], one["roleTemplateId"]) for one in found] == [
        ("Global Administrator", ROLE_IDS["Global Administrator"])
    ]
    assert found[0]["id"] != found[0]["roleTemplateId"]


def test_roles_through_a_role_assignable_group_count(served, graph):
    path, reader = "users/diego@contoso.example", Graph.as_app_with(served, "Directory.Read.All")

    assert graph.values(f"{path}/{CAST}", "displayName", **EVENTUAL) == ["User Administrator"]
    assert reader.get(f"{path}/memberOf/microsoft.graph.directoryRole")["value"] == []


def test_somebody_without_a_role_has_none(graph):
    assert graph.get(f"users/adele@contoso.example/{CAST}", **EVENTUAL)["value"] == []


def test_role_assignments_are_found_by_who_holds_them(graph):
    megan = graph.user("megan")

    found = graph.get(f"roleManagement/directory/roleAssignments?$filter=principalId eq '{megan.id}'")["value"]

    assert [(one["principalId"], one["roleDefinitionId"]) for one in found] == [
        (megan.id, ROLE_IDS["Global Administrator"])
    ]


def test_objects_are_found_by_their_ids(served, graph, sales):
    adele = graph.user("adele")
    body = {"ids": [sales, adele.id, make_id("nobody")], "types": ["user", "group"]}

    found = Graph.as_app_with(served, "Directory.Read.All").post("directoryObjects/getByIds", body).json()["value"]

    assert [(one["@odata.type"], one["id"]) for one in found] == [
        ("#microsoft.graph.group", sales),
        ("#microsoft.graph.user", adele.id),
    ]
