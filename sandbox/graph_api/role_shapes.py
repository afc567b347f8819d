"""Directory roles, who holds them, and the parts of the directory they are held for, on the wire."""

from __future__ import annotations

from typing import Any

from sandbox.graph_api.shape import Shape, attribute, constant
from sandbox.graph_api.view import View
from sandbox.objects import ROLE_NAMES, RoleAssignment, make_id


def directory_role_id(tenant_id: str, template_id: str) -> str:
    """A role activated in a tenant is an object of its own; its template is the same everywhere."""
    return make_id(tenant_id, "directoryRole", template_id)


DIRECTORY_ROLE = Shape(
    type="directoryRole",
    set="directoryRoles",
    kind="",
    default=("id", "deletedDateTime", "description", "displayName", "roleTemplateId"),
    properties={  # the record is the template id
        "id": lambda role, view: directory_role_id(view.tenant.id, role),
        "deletedDateTime": constant(None),
        "description": lambda role, view: f"Members hold the role {ROLE_NAMES.get(role, role)}.",
        "displayName": lambda role, view: ROLE_NAMES.get(role, role),
        "roleTemplateId": lambda role, view: role,
    },
)
ROLE_DEFINITION = Shape(
    type="unifiedRoleDefinition",
    set="roleManagement/directory/roleDefinitions",
    kind="",
    default=("id", "description", "displayName", "isBuiltIn", "isEnabled", "rolePermissions", "templateId", "version"),
    properties={
        "id": attribute("id"),
        "templateId": attribute("id"),
        "displayName": attribute("name"),
        "description": lambda role, view: f"What holders of {role.name} may do.",
        "isBuiltIn": attribute("built_in"),
        "isEnabled": constant(True),
        "resourceScopes": constant(["/"]),
        "rolePermissions": lambda role, view: [{"allowedResourceActions": list(role.actions), "condition": None}],
        "version": constant("1"),
    },
)
ROLE_ASSIGNMENT = Shape(
    type="unifiedRoleAssignment",
    set="roleManagement/directory/roleAssignments",
    kind="",
    default=("id", "principalId", "directoryScopeId", "roleDefinitionId"),
    properties={
        "id": attribute("id"),
        "principalId": attribute("principal_id"),
        "directoryScopeId": attribute("scope"),
        "roleDefinitionId": attribute("role_id"),
        "principalOrganizationId": lambda one, view: view.tenant.id,
    },
)


def _member_info(one: RoleAssignment, view: View) -> dict[str, Any]:
    holder = view.object(one.principal_id)
    return {"id": one.principal_id, "displayName": holder.display_name if holder else None}


SCOPED_MEMBERSHIP = Shape(
    type="scopedRoleMembership",
    set="scopedRoleMemberships",
    kind="",
    default=("id", "roleId", "administrativeUnitId", "roleMemberInfo"),
    properties={
        "id": attribute("id"),
        "roleId": lambda one, view: directory_role_id(view.tenant.id, one.role_id),
        "administrativeUnitId": lambda one, view: one.scope.rpartition("/")[2],
        "roleMemberInfo": _member_info,
    },
)
UNIT = Shape(
    type="administrativeUnit",
    set="directory/administrativeUnits",
    kind="administrative_units",
    default=("id", "deletedDateTime", "displayName", "description", "visibility", "isMemberManagementRestricted"),
    properties={
        "id": attribute("id"),
        "displayName": attribute("display_name"),
        "description": attribute("description"),
        "isMemberManagementRestricted": attribute("restricted"),
    },
)
