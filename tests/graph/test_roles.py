"""Which roles somebody holds: directly and through groups, built-in and custom, in any scope."""

from urllib.parse import unquote

import pytest

from graph.errors import Forbidden, Unavailable
from tests.graph.scripted import Reply, problem

PERSON = "aaaaaaaa-0000-4000-8000-000000000001"
ADMINS, STAFF, HIDDEN = (f"dddddddd-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
CUSTOM = "12345678-0000-4000-8000-000000000001"
UNIT = "5d107bba-d8e2-4e13-b6ae-884be90e5d1a"


def assignment(principal: str, role: str, scope: str = "/") -> dict:
    return {
        "id": f"{principal}-{role}",
        "principalId": principal,
        "directoryScopeId": scope,
        "roleDefinitionId": role,
    }


def group(group_id: str, name: str | None, assignable: bool | None) -> dict:
    return {"id": group_id, "displayName": name, "description": None, "isAssignableToRole": assignable}


def of_batch(*lists: list | int) -> Reply:
    """An answer per call: its rows, or the status it was refused with."""
    responses = [
        {"id": str(place), "status": 200, "body": {"value": rows}}
        if isinstance(rows, list)
        else {"id": str(place), "status": rows, "body": problem("Authorization_RequestDenied")}
        for place, rows in enumerate(lists)
    ]
    return Reply(body={"responses": responses})


def test_roles_of_a_person_are_their_own_and_those_of_their_role_assignable_groups(microsoft, contoso_graph):
    microsoft.answers(
        Reply(body={"value": [group(ADMINS, "Admins", True), group(STAFF, "Staff", None)]}),
        of_batch([assignment(PERSON, CUSTOM, f"/administrativeUnits/{UNIT}")], [assignment(ADMINS, HELPDESK)]),
    )

    scoped, through_group = contoso_graph.roles_of(PERSON)

    assert (str(scoped.role_id), scoped.administrative_unit, scoped.is_tenant_wide) == (CUSTOM, UNIT, False)
    assert (str(through_group.role_id), through_group.is_tenant_wide) == (HELPDESK, True)
    groups, batch = microsoft.graph_requests
    assert groups.headers["ConsistencyLevel"] == "eventual"
    assert groups.path.startswith(f"/v1.0/users/{PERSON}/transitiveMemberOf/microsoft.graph.group?")
    assert "$count=true" in groups.path
    asked = [unquote(one["url"]) for one in batch.body["requests"]]
    assert asked == [
        f"/roleManagement/directory/roleAssignments?$filter=principalId eq '{holder}'" for holder in (PERSON, ADMINS)
    ]


def test_a_group_that_is_shown_by_its_id_alone_is_asked_about_too(microsoft, contoso_graph):
    microsoft.answers(Reply(body={"value": [group(HIDDEN, None, None)]}), of_batch([], [assignment(HIDDEN, HELPDESK)]))

    (held,) = contoso_graph.roles_of(PERSON)

    assert str(held.principal_id) == HIDDEN


def test_roles_that_may_not_be_read_are_not_no_roles(microsoft, contoso_graph):
    microsoft.answers(Reply(body={"value": []}), of_batch(403))

    with pytest.raises(Forbidden):
        contoso_graph.roles_of(PERSON)


def test_an_unreadable_role_is_not_no_role(microsoft, contoso_graph):
    microsoft.answers(of_batch([{"id": "odd", "principalId": PERSON}]))

    with pytest.raises(Unavailable):
        contoso_graph.role_assignments_of([PERSON])


def test_a_throttled_or_long_list_of_roles_is_read_to_its_end(microsoft, contoso_graph):
    link = "https://graph.microsoft.com/v1.0/roleManagement/directory/roleAssignments?$skiptoken=two"
    busy = {"id": "1", "status": 429, "headers": {"Retry-After": "0"}, "body": problem("TooManyRequests")}
    first = {"id": "0", "status": 200, "body": {"value": [assignment(PERSON, HELPDESK)], "@odata.nextLink": link}}
    microsoft.answers(
        Reply(body={"responses": [first, busy]}),
        Reply(body={"value": [assignment(PERSON, HELPDESK)], "@odata.nextLink": link}),
        Reply(body={"value": [assignment(PERSON, CUSTOM)]}),
        Reply(body={"value": [assignment(ADMINS, HELPDESK)]}),
    )

    found = contoso_graph.role_assignments_of([PERSON, ADMINS])

    assert [str(one.role_id) for one in found] == [HELPDESK, CUSTOM, HELPDESK]


def test_all_roles_of_a_tenant_are_read_page_by_page(microsoft, contoso_graph):
    link = "https://graph.microsoft.com/v1.0/roleManagement/directory/roleAssignments?$skiptoken=two"
    microsoft.answers(
        Reply(body={"value": [assignment(PERSON, HELPDESK)], "@odata.nextLink": link}),
        Reply(body={"value": [assignment(ADMINS, CUSTOM)]}),
    )

    held = [one for page in contoso_graph.role_assignments() for one in page.items]

    assert [str(one.principal_id) for one in held] == [PERSON, ADMINS]
    assert "$top" not in microsoft.graph_requests[0].path  # not among the documented options of this list
