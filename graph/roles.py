"""Who holds which role in the directory, and where. Built-in and custom roles, in every scope.

A person holds a role themselves or through a role-assignable group; roles that could be activated but are not do not
count. https://learn.microsoft.com/graph/api/resources/unifiedroleassignment
"""

from dataclasses import dataclass
from uuid import UUID

from graph.types import Call, Group

ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
_WHOLE_TENANT = "/"
_UNIT = "/administrativeUnits/"


@dataclass(frozen=True)
class RoleAssignment:
    """A role, held by a person, a role-assignable group or an app.

    Attributes:
        role_id: the definition's id. A built-in role's is its template id, the same in every tenant.
        scope: where it counts: `/` is the whole tenant, `/administrativeUnits/{id}` a part of its people, `/{id}` one
            object such as an app. Empty where an app of its own defines the scope.
    """

    id: str
    principal_id: UUID
    role_id: UUID
    scope: str

    @classmethod
    def read(cls, data: dict) -> "RoleAssignment":
        return cls(
            id=data["id"],
            principal_id=UUID(data["principalId"]),
            role_id=UUID(data["roleDefinitionId"]),
            scope=data.get("directoryScopeId") or "",
        )

    @property
    def is_tenant_wide(self) -> bool:
        return self.scope == _WHOLE_TENANT

    @property
    def administrative_unit(self) -> str:
        """The id of the administrative unit it is limited to; empty when it is not limited to one."""
        return self.scope.removeprefix(_UNIT) if self.scope.startswith(_UNIT) else ""


def held_by(principal_id: UUID | str) -> Call:
    """Asks for the roles a person, group or app holds directly, for use in a batch."""
    return Call("GET", f"{ASSIGNMENTS}?$filter=principalId%20eq%20'{UUID(str(principal_id))}'")


def all_held() -> Call:
    """Asks for every role held in the tenant, active ones only. `Forbidden` without RoleManagement.Read.Directory.

    https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments
    """
    return Call("GET", ASSIGNMENTS)


def of_role_groups() -> Call:
    """Asks for the groups that may hold roles, whether they do or not. `Forbidden` without GroupMember.Read.All.

    https://learn.microsoft.com/graph/api/group-list
    """
    return Call("GET", f"/groups?$filter=isAssignableToRole%20eq%20true&$select={Group.SELECT}&$top=999")


def members_of(group_id: UUID | str) -> Call:
    """Asks who is in a group, also through groups in it; by id alone.

    https://learn.microsoft.com/graph/api/group-list-transitivemembers
    """
    path = f"/groups/{UUID(str(group_id))}/transitiveMembers/microsoft.graph.user"
    return Call("GET", f"{path}?$select=id&$top=999&$count=true", headers={"ConsistencyLevel": "eventual"})


def owners_of(group_id: UUID | str) -> Call:
    """Asks who owns a group, by id alone. https://learn.microsoft.com/graph/api/group-list-owners"""
    return Call("GET", f"/groups/{UUID(str(group_id))}/owners?$select=id&$top=999")


def id_of(row: dict) -> UUID:
    """Of a person, in a list of ids alone."""
    return UUID(row["id"])
