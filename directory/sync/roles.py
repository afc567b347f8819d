"""Who holds which directory role, of the whole tenant or of one person: read in full, or not known.

Microsoft's list of role assignments has every role in every scope, built in or custom. What is eligible and not
active (Privileged Identity Management) is not in it. A group's members hold its roles; whose members may not be read,
its roles are *possible* for everybody. https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from graph.client import GraphClient
from graph.errors import Forbidden, GraphError, NotFound, Unavailable
from graph.paging import read_all
from graph.requesting import ADVANCED
from graph.types import Answer, Call

_LIST = "/roleManagement/directory/roleAssignments"
_UNIT = "/administrativeUnits/"
MOST_GROUPS = 100  # of one person, that may be role-assignable and are asked about one by one
BATCH = 20


@dataclass(frozen=True)
class Assignment:
    """One role of one principal: a person, a role-assignable group or an app."""

    principal_id: UUID
    role_id: UUID
    scoped: bool  # to an administrative unit

    @classmethod
    def read(cls, data: dict) -> "Assignment":
        # A built-in role's definition id is its template id.
        scope = data.get("directoryScopeId") or "/"
        return cls(UUID(data["principalId"]), UUID(data["roleDefinitionId"]), scope.startswith(_UNIT))


@dataclass
class Holding:
    """The roles of one person."""

    roles: set[UUID] = field(default_factory=set)
    scoped: bool = False

    def add(self, assignments: Iterable[Assignment]) -> None:
        for one in assignments:
            self.roles.add(one.role_id)
            self.scoped |= one.scoped


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
    by_principal = _by_principal(client, found)
    groups = _role_groups(client, found)
    for principal_id, assignments in by_principal.items():
        if groups is not None and principal_id in groups:
            continue
        if principal_id in people or principal_id in apps or groups is not None:
            found.held[principal_id].add(assignments)
        else:  # neither a person nor an app we know, and which groups there are may not be read
            found.possible |= {one.role_id for one in assignments}
            found.unreadable += 1
    for group_id in groups or ():
        _expand(client, group_id, by_principal.get(group_id, ()), found)
    return found


def _by_principal(client: GraphClient, found: TenantRoles) -> dict[UUID, list[Assignment]]:
    by_principal: dict[UUID, list[Assignment]] = defaultdict(list)
    for row in _rows(client, _LIST):
        try:
            one = Assignment.read(row)
        except (KeyError, TypeError, ValueError, AttributeError):
            found.unreadable += 1
            # Whose it is cannot be said; what it is often can.
            found.possible |= _role_of(row)
            continue
        found.count += 1
        by_principal[one.principal_id].append(one)
    return by_principal


def _role_of(row: object) -> set[UUID]:
    try:
        return {UUID(row["roleDefinitionId"])}
    except (KeyError, TypeError, ValueError, AttributeError):
        return set()


def _role_groups(client: GraphClient, found: TenantRoles) -> set[UUID] | None:
    """Groups that may hold roles, whether they do or not; None where the portal may not list groups."""
    try:
        return set(_ids(client, "/groups?$filter=isAssignableToRole%20eq%20true&$select=id&$top=999"))
    except Forbidden:
        found.groups_known = False
        return None


def _expand(client: GraphClient, group_id: UUID, assignments: Iterable[Assignment], found: TenantRoles) -> None:
    """Give a group's roles to its members, and note its members and owners."""
    path = f"/groups/{group_id}"
    try:
        members = set(
            _ids(
                client,
                f"{path}/transitiveMembers/microsoft.graph.user?$select=id&$top=999&$count=true",
                headers=ADVANCED,
            )
        )
        owners = set(_ids(client, f"{path}/owners?$select=id&$top=999"))
    except NotFound:
        return  # deleted since
    except Forbidden:
        found.possible |= {one.role_id for one in assignments}
        found.groups_known = False
        found.unreadable += 1
        return
    for person_id in members:
        if assignments:
            found.held[person_id].add(assignments)
    found.group_people |= members | owners


# --- One person ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PersonRoles:
    """One person's roles, read in full. `in_role_group`: they are a member of a group that may hold roles."""

    roles: frozenset[UUID]
    scoped: bool
    in_role_group: bool


def calls_for(object_id: UUID) -> list[Call]:
    """What to ask about one person; `of_person` reads the answers.

    https://learn.microsoft.com/graph/api/user-list-transitivememberof
    """
    select = "$select=id,displayName,isAssignableToRole&$top=999&$count=true"
    groups = f"/users/{object_id}/transitiveMemberOf/microsoft.graph.group?{select}"
    return [_of_principal(object_id), Call("GET", groups, headers=ADVANCED)]


def of_person(client: GraphClient, direct: Answer, groups: Answer) -> PersonRoles | None:
    """The person's roles; None where any part of them could not be read: half a list is no answer.

    A group the portal may not read comes back without its name, and is asked about like a role-assignable one.
    https://learn.microsoft.com/graph/permissions-overview#limited-information-returned-for-inaccessible-member-objects
    """
    if not (_is_whole(direct) and _is_whole(groups)):
        return None
    try:
        found = read_all(direct.body, Assignment.read, strict=True)
        theirs = read_all(groups.body, _Group.read, strict=True)
        asked = [group.id for group in theirs if group.assignable is not False]
        if len(asked) > MOST_GROUPS:
            return None
        for start in range(0, len(asked), BATCH):
            for answer in client.batch([_of_principal(group_id) for group_id in asked[start : start + BATCH]]):
                if not _is_whole(answer):
                    return None
                found += read_all(answer.body, Assignment.read, strict=True)
    except GraphError:
        return None
    held = Holding()
    held.add(found)
    return PersonRoles(frozenset(held.roles), held.scoped, any(group.assignable for group in theirs))


def seen(direct: Answer) -> Holding:
    """The roles one answer names, be it all of them or not."""
    held = Holding()
    if direct.ok:
        held.add(read_all(direct.body, Assignment.read))
    return held


@dataclass(frozen=True)
class _Group:
    """A group somebody is in. `assignable` is None where the portal may not see whether it may hold roles."""

    id: UUID
    assignable: bool | None

    @classmethod
    def read(cls, data: dict) -> "_Group":
        hidden = data.get("displayName") is None
        return cls(UUID(data["id"]), None if hidden else data.get("isAssignableToRole") is True)


def _of_principal(principal_id: UUID) -> Call:
    return Call("GET", f"{_LIST}?$filter=principalId%20eq%20'{principal_id}'")


def _is_whole(answer: Answer) -> bool:
    return answer.ok and "@odata.nextLink" not in answer.body


# --- Lists --------------------------------------------------------------------------------------------


def _ids(client: GraphClient, path: str, headers: dict | None = None) -> Iterator[UUID]:
    for row in _rows(client, path, headers):
        yield UUID(row["id"])


def _rows(client: GraphClient, path: str, headers: dict | None = None) -> Iterator[dict]:
    seen = set()
    while path:
        if path in seen:
            raise Unavailable("Graph's list leads back to a page we had.", sent=False)
        seen.add(path)
        (answer,) = client.batch([Call("GET", path, headers=headers)])
        if answer.error:
            raise answer.error
        yield from read_all(answer.body, dict, strict=True)
        path = _path(answer.body.get("@odata.nextLink"))


def _path(link: str | None) -> str:
    """A link as a path inside the version: a batch takes no other, so it cannot lead to another host."""
    if not link:
        return ""
    parts = urlsplit(link)
    path = parts.path.removeprefix("/v1.0")
    return f"{path}?{parts.query}" if parts.query else path
