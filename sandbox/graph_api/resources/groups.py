"""Groups, who is in them, and which roles people hold.

https://learn.microsoft.com/graph/api/group-list-transitivemembers
https://learn.microsoft.com/graph/api/user-list-transitivememberof
"""

from __future__ import annotations

from typing import Any

from sandbox.graph_api.errors import bad_request, unsupported
from sandbox.graph_api.pages import collection, counted, entity, writer
from sandbox.graph_api.resources import find
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shapes import DIRECTORY_ROLE, GROUP, USER, shape_of
from sandbox.graph_api.wire import Answer, Ask
from sandbox.objects import ROLE_NAMES, Group, User, make_id

CAST_NEEDS_COUNT = (
    "The specified filter to the reference property query is currently not supported. "
    "Use 'ConsistencyLevel: eventual' and $count=true."
)


@graph.on("GET", "/groups")
def list_groups(ask: Ask) -> Answer:
    return collection(ask, GROUP, ask.view.all("groups"))


@graph.on("GET", "/groups/{}")
def get_group(ask: Ask, key: str) -> Answer:
    return entity(ask, GROUP, find.group(ask, key))


@graph.on("GET", "/groups/{}/members", units=3)
def list_members(ask: Ask, key: str) -> Answer:
    """Direct members, people and groups alike."""
    found = [ask.view.get("users", one) or ask.view.get("groups", one) for one in find.group(ask, key).members]
    return _mixed(ask, [one for one in found if one])


@graph.on("GET", "/groups/{}/owners", units=2)
def list_owners(ask: Ask, key: str) -> Answer:
    """https://learn.microsoft.com/graph/api/group-list-owners"""
    found = [ask.view.get("users", one) for one in find.group(ask, key).owners]
    return _mixed(ask, [one for one in found if one])


@graph.on("GET", "/groups/{}/members/graph.user", units=3)
def list_direct_people(ask: Ask, key: str) -> Answer:
    people = [ask.view.get("users", one) for one in find.group(ask, key).members]
    return collection(ask, USER, [one for one in people if one])


@graph.on("GET", "/groups/{}/transitiveMembers", units=5)
def list_transitive_members(ask: Ask, key: str) -> Answer:
    return _mixed(ask, ask.tenant.members_of(find.group(ask, key).id))


@graph.on("GET", "/groups/{}/transitiveMembers/graph.user", units=5)
def list_people(ask: Ask, key: str) -> Answer:
    if not ask.advanced and "$skiptoken" not in ask.query:
        raise unsupported(CAST_NEEDS_COUNT)
    return collection(ask, USER, ask.tenant.members_of(find.group(ask, key).id))


@graph.on("GET", "/groups/{}/transitiveMembers/$count", units=5)
@graph.on("GET", "/groups/{}/transitiveMembers/graph.user/$count", units=5)
def count_people(ask: Ask, key: str) -> Answer:
    return counted(ask, USER, ask.tenant.members_of(find.group(ask, key).id))


# --- what somebody belongs to ----------------------------------------------------------------------


@graph.on("GET", "/users/{}/memberOf", units=2)
def list_memberships(ask: Ask, key: str) -> Answer:
    return _mixed(ask, _memberships(ask, find.user(ask, key), transitive=False))


@graph.on("GET", "/users/{}/transitiveMemberOf", units=2)
def list_transitive_memberships(ask: Ask, key: str) -> Answer:
    return _mixed(ask, _memberships(ask, find.user(ask, key), transitive=True))


@graph.on("GET", "/me/memberOf", units=2)
def list_own_memberships(ask: Ask) -> Answer:
    return _mixed(ask, _memberships(ask, find.me(ask), transitive=False))


@graph.on("GET", "/me/transitiveMemberOf", units=2)
def list_own_transitive_memberships(ask: Ask) -> Answer:
    return _mixed(ask, _memberships(ask, find.me(ask), transitive=True))


@graph.on("GET", "/users/{}/memberOf/graph.directoryRole", units=2)
def list_direct_roles(ask: Ask, key: str) -> Answer:
    return collection(ask, DIRECTORY_ROLE, find.user(ask, key).role_template_ids)


@graph.on("GET", "/users/{}/transitiveMemberOf/graph.directoryRole", units=2)
def list_roles(ask: Ask, key: str) -> Answer:
    return _roles(ask, find.user(ask, key))


@graph.on("GET", "/me/transitiveMemberOf/graph.directoryRole", units=2)
def list_own_roles(ask: Ask) -> Answer:
    return _roles(ask, find.me(ask))


@graph.on("GET", "/users/{}/transitiveMemberOf/graph.group", units=2)
def list_groups_of_user(ask: Ask, key: str) -> Answer:
    if not ask.advanced and "$skiptoken" not in ask.query:
        raise unsupported(CAST_NEEDS_COUNT)
    return collection(ask, GROUP, ask.tenant.groups_of(find.user(ask, key).id, transitive=True))


@graph.on("GET", "/directoryRoles")
def list_directory_roles(ask: Ask) -> Answer:
    held = {role for user in ask.tenant.users.values() for role in user.role_template_ids}
    held |= {role for group in ask.tenant.groups.values() for role in group.role_template_ids}
    return collection(ask, DIRECTORY_ROLE, sorted(held))


@graph.on("GET", "/roleManagement/directory/roleDefinitions")
def list_role_definitions(ask: Ask) -> Answer:
    value = [
        {"id": role, "templateId": role, "displayName": name, "isBuiltIn": True, "isEnabled": True}
        for role, name in ROLE_NAMES.items()
    ]
    return Answer(body={"@odata.context": ask.context("roleManagement/directory/roleDefinitions"), "value": value})


@graph.on("GET", "/roleManagement/directory/roleAssignments")
def list_role_assignments(ask: Ask) -> Answer:
    """Who holds which role directly: people, and role-assignable groups."""
    holders = [*ask.tenant.users.values(), *(one for one in ask.tenant.groups.values() if one.role_assignable)]
    wanted = ask.query.get("$filter")
    if wanted:
        name, _, value = wanted.partition(" eq ")
        if name.strip() not in ("principalId", "roleDefinitionId"):
            raise bad_request("The filter is not supported.", code="Request_UnsupportedQuery")
        wanted = (name.strip(), value.strip().strip("'").lower())
    found: list[dict[str, Any]] = []
    for holder in holders:
        for role in holder.role_template_ids:
            item = {
                "id": make_id(ask.tenant.id, holder.id, role),
                "principalId": holder.id,
                "directoryScopeId": "/",
                "roleDefinitionId": role,
            }
            if not wanted or item[wanted[0]] == wanted[1]:
                found.append(item)
    return Answer(body={"@odata.context": ask.context("roleManagement/directory/roleAssignments"), "value": found})


def _roles(ask: Ask, user: User) -> Answer:
    if not ask.advanced and "$skiptoken" not in ask.query:
        raise unsupported(CAST_NEEDS_COUNT)
    return collection(ask, DIRECTORY_ROLE, ask.tenant.directory_roles_of(user.id))


def _memberships(ask: Ask, user: User, *, transitive: bool) -> list[Any]:
    found = ask.tenant.directory_roles_of(user.id) if transitive else user.role_template_ids
    return [*found, *ask.tenant.groups_of(user.id, transitive=transitive)]


def _mixed(ask: Ask, records: list[User | Group | str]) -> Answer:
    """Objects of several types in one list. Such lists are short here, and sent whole."""
    value = []
    for record in records:
        shape = shape_of(record)
        write = writer(ask, shape, shape.default, typed=True)
        value.append(write(record))
    return Answer(body={"@odata.context": ask.context("directoryObjects"), "value": value})
