"""Who holds which directory role, of the whole tenant or of one person: read in full, or not known.

Microsoft's list of role assignments has every role in every scope, built in or custom. What is eligible and not
active (Privileged Identity Management) is not in it. A group's members hold its roles; whose members may not be read,
its roles are *possible* for everybody. https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import UUID

from graph.client import GraphClient
from graph.errors import Forbidden, GraphError, NotFound
from graph.paging import read_all
from graph.requesting import ADVANCED
from graph.roles import RoleAssignment, all_held, held_by, id_of, members_of, of_role_groups, owners_of
from graph.types import Answer, Call, Group, Items

GROUPS_AT_ONCE = 10  # asked for their members and their owners in one batch of twenty
MOST_GROUPS = 100  # of one person, that may be role-assignable and are asked about one by one


@dataclass
class Holding:
    """The roles of one person. `scoped`: one of them is limited to an administrative unit."""

    roles: set[UUID] = field(default_factory=set)
    scoped: bool = False

    def add(self, assignments: Iterable[RoleAssignment]) -> "Holding":
        for one in assignments:
            self.roles.add(one.role_id)
            self.scoped |= bool(one.administrative_unit)
        return self


# --- The whole tenant ---------------------------------------------------------------------------------


@dataclass
class TenantRoles:
    """What the whole list came to.

    Attributes:
        held: by person; who is not in it holds none, but for `possible`.
        possible: roles that anybody may hold, because the members of a group that holds them may not be read.
        group_people: members and owners of role-assignable groups; all of them where `groups_known`.
        count: assignments read.
        unreadable: rows nobody can make sense of, and groups whose people may not be read.
    """

    held: dict[UUID, Holding] = field(default_factory=lambda: defaultdict(Holding))
    possible: set[UUID] = field(default_factory=set)
    group_people: set[UUID] = field(default_factory=set)
    groups_known: bool = True
    count: int = 0
    unreadable: int = 0


def of_tenant(client: GraphClient, people: Container[UUID], apps: Container[UUID]) -> TenantRoles:
    """Everybody's roles.

    Args:
        people: the tenant's people, and `apps`: its service principals. Whoever else holds a role may be a group.

    Raises `GraphError` where the list of assignments cannot be read: then nothing is known, and nobody has "none".
    """
    found = TenantRoles()
    calls = [all_held(), of_role_groups()]
    held, groups_answer = client.batch(calls)
    by_principal = _by_principal(client.finish(calls[0], held, RoleAssignment.read), found)
    groups = _role_groups(client, calls[1], groups_answer, found)
    for principal_id, assignments in by_principal.items():
        if groups is not None and principal_id in groups:
            continue
        if groups is not None or principal_id in people or principal_id in apps:
            found.held[principal_id].add(assignments)
        else:  # neither a person nor an app we know, and which groups there are may not be read
            found.possible |= {one.role_id for one in assignments}
            found.unreadable += 1
    ids = list(groups or ())
    for start in range(0, len(ids), GROUPS_AT_ONCE):
        _expand(client, ids[start : start + GROUPS_AT_ONCE], by_principal, found)
    return found


def _by_principal(held: Items[RoleAssignment], found: TenantRoles) -> dict[UUID, list[RoleAssignment]]:
    by_principal: dict[UUID, list[RoleAssignment]] = defaultdict(list)
    found.count = len(held) + len(held.unreadable)
    found.unreadable += len(held.unreadable)
    for one in held:
        by_principal[one.principal_id].append(one)
    return by_principal


def _role_groups(client: GraphClient, call: Call, answer: Answer, found: TenantRoles) -> set[UUID] | None:
    """Groups that may hold roles, whether they do or not; None where the portal may not list groups."""
    try:
        groups = client.finish(call, answer, Group.read)
    except Forbidden:
        found.groups_known = False
        return None
    _note(found, groups)
    return {group.id for group in groups}


def _expand(client: GraphClient, group_ids: list[UUID], by_principal: Mapping, found: TenantRoles) -> None:
    """Give groups' roles to their members, and note their members and owners. Two questions for each, in one batch."""
    calls = [call for group_id in group_ids for call in (members_of(group_id), owners_of(group_id))]
    answers = client.batch(calls)
    for at, group_id in enumerate(group_ids):
        assignments = by_principal.get(group_id, ())
        (ask_members, ask_owners), (members, owners) = calls[2 * at : 2 * at + 2], answers[2 * at : 2 * at + 2]
        try:
            members = client.finish(ask_members, members, id_of)
            owners = client.finish(ask_owners, owners, id_of)
        except NotFound:
            continue  # deleted since
        except Forbidden:
            found.possible |= {one.role_id for one in assignments}
            found.groups_known = False
            found.unreadable += 1
            continue
        _note(found, members)
        _note(found, owners)
        if assignments:
            for person_id in members:
                found.held[person_id].add(assignments)
        found.group_people |= {*members, *owners}


def _note(found: TenantRoles, items) -> None:
    """A row that cannot be read is somebody, or some group, all the same."""
    if items.unreadable:
        found.unreadable += len(items.unreadable)
        found.groups_known = False


# --- One person ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PersonRoles:
    """One person's roles, read in full. `in_role_group`: they are a member of a group that may hold roles."""

    held: Holding
    in_role_group: bool


def calls_for(object_id: UUID) -> list[Call]:
    """What to ask about one person; `of_person` reads the answers.

    https://learn.microsoft.com/graph/api/user-list-transitivememberof
    """
    query = urlencode({"$select": Group.SELECT, "$top": "999", "$count": "true"}, safe="$,")
    groups = f"/users/{object_id}/transitiveMemberOf/microsoft.graph.group?{query}"
    return [held_by(object_id), Call("GET", groups, headers=ADVANCED)]


def of_person(client: GraphClient, calls: list[Call], direct: Answer, groups: Answer) -> PersonRoles | None:
    """The person's roles; None where any part of them could not be read: half a list is no answer.

    A group the portal may not read comes back without its name, and is asked about like a role-assignable one.
    https://learn.microsoft.com/graph/permissions-overview#limited-information-returned-for-inaccessible-member-objects
    """
    try:
        assignments = client.finish(calls[0], direct, RoleAssignment.read, strict=True)
        theirs = client.finish(calls[1], groups, Group.read, strict=True)
        through = [group.id for group in theirs if group.assignable_to_roles is not False]
        if len(through) > MOST_GROUPS:
            return None
        held = Holding().add(assignments).add(client.role_assignments_of(through))
    except GraphError:
        return None
    return PersonRoles(held, any(group.assignable_to_roles for group in theirs))


def seen(direct: Answer) -> Holding:
    """The roles one answer names, be they all of them or not."""
    return Holding().add(read_all(direct.body, RoleAssignment.read) if direct.ok else ())
