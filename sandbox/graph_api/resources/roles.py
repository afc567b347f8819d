"""Directory roles: what there is, who holds it, and for which part of the directory.

https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments
https://learn.microsoft.com/graph/api/user-list-scopedrolememberof
"""

from __future__ import annotations

from typing import Any

from sandbox.graph_api.errors import not_found
from sandbox.graph_api.pages import collection, entity
from sandbox.graph_api.resources import find
from sandbox.graph_api.role_shapes import DIRECTORY_ROLE, ROLE_ASSIGNMENT, ROLE_DEFINITION, SCOPED_MEMBERSHIP, UNIT
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shapes import OBJECT
from sandbox.graph_api.wire import Answer, Ask
from sandbox.objects import RoleAssignment


@graph.on("GET", "/directoryRoles")
def list_directory_roles(ask: Ask) -> Answer:
    """Those that are activated, which is: that somebody holds for the whole tenant."""
    held = {role for user in ask.tenant.users.values() for role in user.role_template_ids}
    held |= {role for group in ask.tenant.groups.values() for role in group.role_template_ids}
    return collection(ask, DIRECTORY_ROLE, sorted(held))


@graph.on("GET", "/roleManagement/directory/roleDefinitions")
def list_role_definitions(ask: Ask) -> Answer:
    return collection(ask, ROLE_DEFINITION, ask.tenant.role_definitions())


@graph.on("GET", "/roleManagement/directory/roleDefinitions/{}")
def get_role_definition(ask: Ask, key: str) -> Answer:
    found = next((one for one in ask.tenant.role_definitions() if one.id == key.lower()), None)
    if found is None:
        raise not_found(key)
    return entity(ask, ROLE_DEFINITION, found)


@graph.on("GET", "/roleManagement/directory/roleAssignments")
def list_role_assignments(ask: Ask) -> Answer:
    """Who holds which role directly: people, role-assignable groups and apps, for the tenant or a part of it."""
    return collection(ask, ROLE_ASSIGNMENT, lambda equals: _candidates(ask, equals))


@graph.on("GET", "/users/{}/scopedRoleMemberOf")
def list_scoped_memberships(ask: Ask, key: str) -> Answer:
    """Roles held for an administrative unit."""
    user_id = find.user(ask, key).id
    found = [one for one in ask.tenant.other_role_assignments.values() if one.principal_id == user_id]
    return collection(ask, SCOPED_MEMBERSHIP, [one for one in found if one.scope.startswith("/administrativeUnits/")])


@graph.on("GET", "/directory/administrativeUnits")
def list_units(ask: Ask) -> Answer:
    return collection(ask, UNIT, ask.view.all("administrative_units"))


@graph.on("GET", "/directory/administrativeUnits/{}")
def get_unit(ask: Ask, key: str) -> Answer:
    return entity(ask, UNIT, find.one_of(ask, "administrative_units", key))


@graph.on("GET", "/directory/administrativeUnits/{}/members")
def list_members_of_unit(ask: Ask, key: str) -> Answer:
    members = find.one_of(ask, "administrative_units", key).members
    return collection(ask, OBJECT, ask.view.objects(members), related=True)


def _candidates(ask: Ask, equals: dict[str, Any]) -> list[RoleAssignment]:
    found = ask.tenant.role_assignments()
    if "principalId" in equals:
        found = [one for one in found if one.principal_id == str(equals["principalId"]).lower()]
    return found
