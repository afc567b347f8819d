"""App role assignments: people in apps, and application permissions.

https://learn.microsoft.com/graph/api/resources/approleassignment
"""

from __future__ import annotations

from sandbox.graph_api import access as may, bodies, relations
from sandbox.graph_api.errors import Refused, bad_request, forbidden, not_found
from sandbox.graph_api.pages import collection, entity
from sandbox.graph_api.resources import find
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shapes import ASSIGNMENT
from sandbox.graph_api.wire import Answer, Ask, exact_stamp
from sandbox.objects import AGENT, DEFAULT_ROLE, GRAPH_APP_ID, Assignment, ServicePrincipal
from sandbox.records import BLOCKED_ROLES_FOR_AGENTS

# Needed beside AppRoleAssignment.ReadWrite.All: https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto
READS_APPS = may.names("Application.Read.All Application.ReadWrite.All Directory.Read.All Directory.ReadWrite.All")
ALREADY_THERE = "Permission being assigned already exists on the object."


@graph.on("GET", "/servicePrincipals/{}/appRoleAssignments", units=2)
def list_held(ask: Ask, key: str) -> Answer:
    """Application permissions that an app holds."""
    client = find.service_principal(ask, key)
    return collection(ask, ASSIGNMENT, relations.assignments_of(client, ask.view))


@graph.on("GET", "/servicePrincipals/{}/appRoleAssignedTo")
def list_assigned(ask: Ask, key: str) -> Answer:
    """Who is assigned to an app, and which apps hold permissions on it."""
    resource = find.service_principal(ask, key)
    return collection(ask, ASSIGNMENT, relations.assigned_to(resource, ask.view))


@graph.on("GET", "/servicePrincipals/{}/appRoleAssignedTo/{}")
def get_assigned(ask: Ask, key: str, assignment_id: str) -> Answer:
    return _one(ask, relations.assigned_to(find.service_principal(ask, key), ask.view), assignment_id)


@graph.on("GET", "/servicePrincipals/{}/appRoleAssignments/{}")
def get_held(ask: Ask, key: str, assignment_id: str) -> Answer:
    return _one(ask, relations.assignments_of(find.service_principal(ask, key), ask.view), assignment_id)


@graph.on("GET", "/users/{}/appRoleAssignments")
def list_of_user(ask: Ask, key: str) -> Answer:
    return _of_person(ask, find.user(ask, key).id)


@graph.on("GET", "/me/appRoleAssignments")
def list_own(ask: Ask) -> Answer:
    return _of_person(ask, find.me(ask).id)


@graph.on("GET", "/groups/{}/appRoleAssignments")
def list_of_group(ask: Ask, key: str) -> Answer:
    return collection(ask, ASSIGNMENT, ask.view.assignments_of(find.group(ask, key).id))


@graph.on("POST", "/servicePrincipals/{}/appRoleAssignments", roles=may.ASSIGNMENT_WRITERS)
def give_to_app(ask: Ask, key: str) -> Answer:
    return _give(ask, principal_id=find.service_principal(ask, key).id)


@graph.on("POST", "/servicePrincipals/{}/appRoleAssignedTo", roles=may.ASSIGNMENT_WRITERS)
def give_on_app(ask: Ask, key: str) -> Answer:
    return _give(ask, resource_id=find.service_principal(ask, key).id)


@graph.on("POST", "/users/{}/appRoleAssignments", roles=may.ASSIGNMENT_WRITERS)
def give_to_user(ask: Ask, key: str) -> Answer:
    return _give(ask, principal_id=find.user(ask, key).id)


@graph.on("DELETE", "/servicePrincipals/{}/appRoleAssignments/{}", roles=may.ASSIGNMENT_WRITERS)
def take_from_app(ask: Ask, key: str, assignment_id: str) -> Answer:
    client = find.service_principal(ask, key)
    return _take(ask, assignment_id, principal_id=client.id)


@graph.on("DELETE", "/servicePrincipals/{}/appRoleAssignedTo/{}", roles=may.ASSIGNMENT_WRITERS)
def take_on_app(ask: Ask, key: str, assignment_id: str) -> Answer:
    resource = find.service_principal(ask, key)
    return _take(ask, assignment_id, resource_id=resource.id)


@graph.on("DELETE", "/users/{}/appRoleAssignments/{}", roles=may.ASSIGNMENT_WRITERS)
def take_from_user(ask: Ask, key: str, assignment_id: str) -> Answer:
    return _take(ask, assignment_id, principal_id=find.user(ask, key).id)


def _one(ask: Ask, assignments: list[Assignment], assignment_id: str) -> Answer:
    found = next((one for one in assignments if one.id == assignment_id), None)
    if found is None:
        raise not_found(assignment_id)
    return entity(ask, ASSIGNMENT, found)


def _of_person(ask: Ask, user_id: str) -> Answer:
    """With those of groups the person is a direct member of; these rows name the group."""
    holders = [user_id, *(group.id for group in ask.tenant.groups_of(user_id))]
    return collection(ask, ASSIGNMENT, [one for holder in holders for one in ask.view.assignments_of(holder)])


def _give(ask: Ask, *, principal_id: str | None = None, resource_id: str | None = None) -> Answer:
    needed = ("principalId", "resourceId", "appRoleId")
    fixed = ("id", "createdDateTime", "deletedDateTime", "principalDisplayName", "principalType", "resourceDisplayName")
    given = bodies.properties(ask, "appRoleAssignment", required=needed, read_only=fixed)
    given = {name: value.lower() for name, value in given.items()}
    expected = (principal_id or given["principalId"], resource_id or given["resourceId"])
    if expected != (given["principalId"], given["resourceId"]):
        raise bad_request("The object in the address and the one in the body must be the same.")
    tenant = ask.tenant
    resource = tenant.service_principals.get(given["resourceId"])
    kind = _kind(ask, given["principalId"])
    if resource is None or kind is None:
        raise not_found(given["resourceId"] if resource is None else given["principalId"])
    _check_role(resource, kind, given["appRoleId"])
    _check_for_agents(ask, given["principalId"], resource, given["appRoleId"])
    _check_rank(ask, resource)
    if not ask.caller.has(*READS_APPS):
        raise forbidden()
    same = (given["resourceId"], given["appRoleId"])
    if any((one.resource_id, one.app_role_id) == same for one in tenant.assignments_of(given["principalId"])):
        raise Refused(400, "Request_BadRequest", ALREADY_THERE)
    made = tenant.assign(given["principalId"], kind, given["resourceId"], given["appRoleId"])
    tenant.audit.assigned(made, ask.caller)
    answer = entity(ask, ASSIGNMENT, made)
    answer.body["createdDateTime"] = exact_stamp(made.created)
    answer.status = 201
    answer.headers["Location"] = ask.location(made.principal_id, "AppRoleAssignment")
    return answer


def _take(ask: Ask, assignment_id: str, *, principal_id: str | None = None, resource_id: str | None = None) -> Answer:
    found: Assignment | None = ask.tenant.assignments.get(assignment_id)
    fits = found is not None and (principal_id or found.principal_id, resource_id or found.resource_id) == (
        found.principal_id,
        found.resource_id,
    )
    if not fits:
        raise not_found(assignment_id)
    _check_rank(ask, ask.tenant.service_principals[found.resource_id])
    ask.tenant.unassign(found.id)
    ask.tenant.audit.unassigned(found, ask.caller)
    return Answer(204)


def _kind(ask: Ask, principal_id: str) -> str | None:
    tenant = ask.tenant
    if principal_id in tenant.users:
        return "User"
    if principal_id in tenant.service_principals:
        return "ServicePrincipal"
    return "Group" if principal_id in tenant.groups else None


def _check_role(resource: ServicePrincipal, kind: str, role_id: str) -> None:
    member = "Application" if kind == "ServicePrincipal" else "User"
    role = resource.app_role(role_id)
    fits = member in role.members if role else role_id == DEFAULT_ROLE and kind != "ServicePrincipal"
    if not fits:
        raise bad_request("Permission being assigned was not found on application", target="appRoleId")


def _check_for_agents(ask: Ask, principal_id: str, resource: ServicePrincipal, role_id: str) -> None:
    """Some permissions nobody can give to an agent: 400, in words that are not documented."""
    holder, role = ask.tenant.service_principals.get(principal_id), resource.app_role(role_id)
    if holder and holder.kind == AGENT and role and role.value in BLOCKED_ROLES_FOR_AGENTS:
        raise bad_request(f"The permission {role.value} cannot be granted to an agent identity.", target="appRoleId")


def _check_rank(ask: Ask, resource: ServicePrincipal) -> None:
    """Microsoft Graph's own roles need a permission of their own, and of a person a higher role.

    Application.ReadWrite.All "allows management of app role assignments, except those exposed by Microsoft Graph".
    """
    caller = ask.caller
    if resource.app_id != GRAPH_APP_ID:
        return
    if not caller.has("AppRoleAssignment.ReadWrite.All"):
        raise forbidden()
    if not caller.app_only and not caller.holds(may.GRAPH_ROLE_WRITERS):
        raise forbidden()
