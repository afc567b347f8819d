"""Agents on the wire: who answers for them, and what they inherit from their blueprint.

https://learn.microsoft.com/graph/api/resources/agentidentity
"""

from dataclasses import dataclass
from uuid import UUID

from graph.kinds import type_of
from graph.types import Call, uuid_of

AGENTS = "/servicePrincipals/microsoft.graph.agentIdentity"
PAGE_SIZE = 100  # the most that the list of agents gives
EXPANDED_MOST = 20  # an expansion that long may have been cut: https://learn.microsoft.com/graph/query-parameters


@dataclass(frozen=True)
class Holder:
    """A sponsor or an owner. `name` is empty where the portal may not read who it is."""

    id: UUID
    type: str
    name: str

    @classmethod
    def read(cls, data: dict) -> "Holder":
        return cls(UUID(data["id"]), type_of(data), data.get("displayName") or "")


@dataclass(frozen=True)
class Agent:
    """An agent with its sponsors or its owners, whichever were asked for.

    Attributes:
        whole: whether those are all of them.
    """

    id: UUID
    blueprint_app_id: UUID | None
    holders: tuple[Holder, ...]
    whole: bool

    SPONSORS = {"$expand": "sponsors"}
    OWNERS = {"$filter": "servicePrincipalType eq 'ServiceIdentity'", "$expand": "owners"}

    @classmethod
    def with_sponsors(cls, data: dict) -> "Agent":
        return cls._read(data, "sponsors")

    @classmethod
    def with_owners(cls, data: dict) -> "Agent":
        return cls._read(data, "owners")

    @classmethod
    def _read(cls, data: dict, name: str) -> "Agent":
        found = tuple(Holder.read(one) for one in data[name])
        blueprint = uuid_of(data.get("agentIdentityBlueprintId"))
        return cls(UUID(data["id"]), blueprint, found, len(found) < EXPANDED_MOST)


@dataclass(frozen=True)
class InheritedRole:
    """An application permission that an agent acts with because its blueprint's principal holds it."""

    resource_id: UUID
    app_role_id: UUID

    @classmethod
    def read(cls, data: dict) -> "InheritedRole":
        return cls(UUID(data["resourceId"]), UUID(data["appRoleId"]))


def owners(object_id: UUID) -> Call:
    return Call("GET", f"/servicePrincipals/{object_id}/owners")


def sponsors(object_id: UUID, kind: str) -> Call:
    """Who sponsors one agent or blueprint, of this type.

    https://learn.microsoft.com/graph/api/agentidentity-list-sponsors
    """
    return Call("GET", f"/servicePrincipals/{object_id}/microsoft.graph.{kind}/sponsors")


def inherited_scopes(agent_id: UUID) -> Call:
    """https://learn.microsoft.com/graph/api/agentidentity-list-inheritedoauth2permissiongrants?view=graph-rest-beta"""
    return Call("GET", f"/servicePrincipals/{agent_id}/inheritedOauth2PermissionGrants", beta=True)


def inherited_roles(agent_id: UUID) -> Call:
    """https://learn.microsoft.com/graph/api/agentidentity-list-inheritedapproleassignments?view=graph-rest-beta"""
    return Call("GET", f"/servicePrincipals/{agent_id}/inheritedAppRoleAssignments", beta=True)
