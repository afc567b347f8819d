"""Groups, who is in them, and what somebody is a member of.

https://learn.microsoft.com/graph/api/group-list-transitivemembers
https://learn.microsoft.com/graph/api/user-list-transitivememberof
"""

from __future__ import annotations

from typing import Any

from sandbox.graph_api import access as may, bodies, relations
from sandbox.graph_api.errors import bad_request, unsupported
from sandbox.graph_api.pages import collection, counted, entity
from sandbox.graph_api.resources import find
from sandbox.graph_api.resources.changing import changes
from sandbox.graph_api.role_shapes import DIRECTORY_ROLE
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shapes import GROUP, OBJECT, USER
from sandbox.graph_api.wire import Answer, Ask, new_id
from sandbox.objects import Group, User

FIXED = frozenset(
    {"id", "createdDateTime", "deletedDateTime", "isManagementRestricted", "mail", "renewedDateTime"}
    | {"securityIdentifier", "proxyAddresses", "onPremisesSyncEnabled", "hasMembersWithLicenseErrors"}
)
CHANGEABLE = {"displayName": "display_name", "description": "description", "isAssignableToRole": "role_assignable"}
CAST_NEEDS_COUNT = (
    "The specified filter to the reference property query is currently not supported. "
    "Use 'ConsistencyLevel: eventual' and $count=true."
)


@graph.on("GET", "/groups")
def list_groups(ask: Ask) -> Answer:
    return collection(ask, GROUP, ask.view.all("groups"))


@graph.on("GET", "/groups/$count")
def count_groups(ask: Ask) -> Answer:
    return counted(ask, GROUP, ask.view.all("groups"))


@graph.on("GET", "/groups/{}")
def get_group(ask: Ask, key: str) -> Answer:
    return entity(ask, GROUP, find.group(ask, key))


@graph.on("POST", "/groups", roles=may.GROUP_WRITERS)
def create_group(ask: Ask) -> Answer:
    """https://learn.microsoft.com/graph/api/group-post-groups"""
    needed = ("displayName", "mailNickname")
    given = bodies.properties(ask, "group", required=needed, read_only=FIXED)
    if "mailEnabled" not in given or "securityEnabled" not in given:
        raise bad_request("A value is required for property 'mailEnabled' of resource 'Group'.", target="mailEnabled")
    now = ask.world.clock.now()
    made = Group(id=new_id(), display_name=given["displayName"], created=now, owners=[ask.caller.object_id])
    for name, value in changes(made, given, CHANGEABLE).items():
        setattr(made, name, value)
    ask.tenant.add_group(made)
    answer = entity(ask, GROUP, made)
    answer.status = 201
    answer.headers["Location"] = ask.location(made.id, "Group")
    return answer


@graph.on("DELETE", "/groups/{}", roles=may.GROUP_WRITERS)
def delete_group(ask: Ask, key: str) -> Answer:
    ask.tenant.delete_group(find.group(ask, key).id)
    return Answer(204)


@graph.on("GET", "/groups/{}/members", units=3)
def list_members(ask: Ask, key: str) -> Answer:
    """Direct members, people and groups alike."""
    return collection(ask, OBJECT, ask.view.objects(find.group(ask, key).members), related=True)


@graph.on("GET", "/groups/{}/owners", units=2)
def list_owners(ask: Ask, key: str) -> Answer:
    """https://learn.microsoft.com/graph/api/group-list-owners"""
    return collection(ask, OBJECT, ask.view.objects(find.group(ask, key).owners), related=True)


@graph.on("GET", "/groups/{}/members/graph.user", units=3)
def list_direct_people(ask: Ask, key: str) -> Answer:
    found = ask.view.objects(find.group(ask, key).members)
    return collection(ask, USER, [one for one in found if isinstance(one, User)], related=True)


@graph.on("GET", "/groups/{}/transitiveMembers", units=5)
def list_transitive_members(ask: Ask, key: str) -> Answer:
    return collection(ask, OBJECT, ask.tenant.members_of(find.group(ask, key).id), related=True)


@graph.on("GET", "/groups/{}/transitiveMembers/graph.user", units=5)
def list_people(ask: Ask, key: str) -> Answer:
    _check_cast(ask)
    return collection(ask, USER, ask.tenant.members_of(find.group(ask, key).id), related=True)


@graph.on("GET", "/groups/{}/transitiveMembers/$count", units=5)
@graph.on("GET", "/groups/{}/transitiveMembers/graph.user/$count", units=5)
def count_people(ask: Ask, key: str) -> Answer:
    return counted(ask, USER, ask.tenant.members_of(find.group(ask, key).id))


@graph.on("GET", "/groups/{}/memberOf", units=2)
def list_groups_of_group(ask: Ask, key: str) -> Answer:
    return collection(ask, OBJECT, relations.memberships_of(find.group(ask, key), ask.view), related=True)


@graph.on("GET", "/groups/{}/transitiveMemberOf", units=2)
def list_all_groups_of_group(ask: Ask, key: str) -> Answer:
    found = ask.tenant.groups_of(find.group(ask, key).id, transitive=True)
    return collection(ask, OBJECT, found, related=True)


# --- what somebody belongs to ----------------------------------------------------------------------


@graph.on("GET", "/users/{}/memberOf", units=2)
def list_memberships(ask: Ask, key: str) -> Answer:
    return collection(ask, OBJECT, relations.memberships_of(find.user(ask, key), ask.view), related=True)


@graph.on("GET", "/users/{}/transitiveMemberOf", units=2)
def list_transitive_memberships(ask: Ask, key: str) -> Answer:
    return collection(ask, OBJECT, relations.all_memberships_of(find.user(ask, key), ask.view), related=True)


@graph.on("GET", "/me/memberOf", units=2)
def list_own_memberships(ask: Ask) -> Answer:
    return collection(ask, OBJECT, relations.memberships_of(find.me(ask), ask.view), related=True)


@graph.on("GET", "/me/transitiveMemberOf", units=2)
def list_own_transitive_memberships(ask: Ask) -> Answer:
    return collection(ask, OBJECT, relations.all_memberships_of(find.me(ask), ask.view), related=True)


@graph.on("GET", "/users/{}/memberOf/graph.directoryRole", units=2)
def list_direct_roles(ask: Ask, key: str) -> Answer:
    return collection(ask, DIRECTORY_ROLE, find.user(ask, key).role_template_ids, related=True)


@graph.on("GET", "/users/{}/transitiveMemberOf/graph.directoryRole", units=2)
def list_roles(ask: Ask, key: str) -> Answer:
    """Microsoft's own roles for the whole tenant; custom ones, and those for a part of it, are no directoryRole."""
    return _roles(ask, find.user(ask, key))


@graph.on("GET", "/me/transitiveMemberOf/graph.directoryRole", units=2)
def list_own_roles(ask: Ask) -> Answer:
    return _roles(ask, find.me(ask))


@graph.on("GET", "/users/{}/memberOf/graph.group", units=2)
def list_direct_groups_of_user(ask: Ask, key: str) -> Answer:
    _check_cast(ask)
    return collection(ask, GROUP, ask.tenant.groups_of(find.user(ask, key).id), related=True)


@graph.on("GET", "/users/{}/transitiveMemberOf/graph.group", units=2)
def list_groups_of_user(ask: Ask, key: str) -> Answer:
    _check_cast(ask)
    return collection(ask, GROUP, ask.tenant.groups_of(find.user(ask, key).id, transitive=True), related=True)


@graph.on("POST", "/me/getMemberGroups", units=2)
def get_own_groups(ask: Ask) -> Answer:
    return _group_ids(ask, find.me(ask).id)


@graph.on("POST", "/users/{}/getMemberGroups", units=2)
def get_groups_of_user(ask: Ask, key: str) -> Answer:
    return _group_ids(ask, find.user(ask, key).id)


@graph.on("POST", "/groups/{}/getMemberGroups", units=2)
def get_groups_of_group(ask: Ask, key: str) -> Answer:
    return _group_ids(ask, find.group(ask, key).id)


@graph.on("POST", "/directoryObjects/{}/getMemberGroups", units=2)
def get_groups_of_object(ask: Ask, key: str) -> Answer:
    return _group_ids(ask, find.any_object(ask, key).id)


@graph.on("POST", "/me/checkMemberGroups", units=4)
def check_own_groups(ask: Ask) -> Answer:
    return _checked(ask, find.me(ask).id)


@graph.on("POST", "/users/{}/checkMemberGroups", units=4)
def check_groups_of_user(ask: Ask, key: str) -> Answer:
    return _checked(ask, find.user(ask, key).id)


@graph.on("POST", "/groups/{}/checkMemberGroups", units=4)
@graph.on("POST", "/directoryObjects/{}/checkMemberGroups", units=4)
def check_groups_of_object(ask: Ask, key: str) -> Answer:
    return _checked(ask, find.any_object(ask, key).id)


def _group_ids(ask: Ask, object_id: str) -> Answer:
    """https://learn.microsoft.com/graph/api/directoryobject-getmembergroups"""
    bodies.parameters(ask, {"securityEnabledOnly": "Boolean"})
    return _ids(ask, ask.tenant.groups_of(object_id, transitive=True))


def _checked(ask: Ask, object_id: str) -> Answer:
    """https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups"""
    wanted = {
        str(one).lower() for one in bodies.parameters(ask, {"groupIds": "*String"}, required=("groupIds",))["groupIds"]
    }
    return _ids(ask, [one for one in ask.tenant.groups_of(object_id, transitive=True) if one.id in wanted])


def _ids(ask: Ask, groups: list[Group]) -> Answer:
    context = ask.context("Collection(Edm.String)")
    return Answer(body={"@odata.context": context, "value": [group.id for group in groups]})


def _roles(ask: Ask, user: User) -> Answer:
    _check_cast(ask)
    found: list[Any] = ask.tenant.directory_roles_of(user.id)
    return collection(ask, DIRECTORY_ROLE, found, related=True)


def _check_cast(ask: Ask) -> None:
    """A type in the address of a list makes it an advanced query: https://learn.microsoft.com/graph/aad-advanced-queries"""
    if not ask.advanced and "$skiptoken" not in ask.query:
        raise unsupported(CAST_NEEDS_COUNT)
