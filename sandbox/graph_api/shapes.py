"""How records look on the wire: one table of properties per resource type, and which are sent unasked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.graph_api.app_shapes import APPLICATION, SERVICE_PRINCIPAL
from sandbox.graph_api.role_shapes import DIRECTORY_ROLE, UNIT
from sandbox.graph_api.shape import Shape, attribute, constant, moment
from sandbox.graph_api.view import View
from sandbox.graph_api.wire import stamp
from sandbox.objects import AdministrativeUnit, Application, Group, ServicePrincipal, User, make_id

# --- people ----------------------------------------------------------------------------------------


def _sign_in_activity(user: User, view: View) -> dict[str, Any]:
    last = stamp(user.last_sign_in)
    request_id = make_id("sign-in", user.id) if last else None
    return {
        "lastSignInDateTime": last,
        "lastSignInRequestId": request_id,
        "lastNonInteractiveSignInDateTime": last,
        "lastNonInteractiveSignInRequestId": request_id,
        "lastSuccessfulSignInDateTime": last,
        "lastSuccessfulSignInRequestId": request_id,
    }


def _identities(user: User, view: View) -> list[dict[str, Any]]:
    """Whose sign-in is elsewhere shows it here: https://learn.microsoft.com/graph/api/resources/objectidentity"""
    if user.customer and user.extra:
        return user.extra.get("identities", [])
    local = {
        "signInType": "userPrincipalName",
        "issuer": view.tenant.initial_domain,
        "issuerAssignedId": user.upn,
    }
    elsewhere = {"signInType": "federated", "issuer": "ExternalAzureAD", "issuerAssignedId": None}
    return [elsewhere, local] if user.external else [local]


USER = Shape(
    type="user",
    set="users",
    kind="users",
    default=(
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
        "id",
    ),
    properties={
        "id": attribute("id"),
        "displayName": attribute("display_name"),
        "userPrincipalName": attribute("upn"),
        "mail": attribute("mail"),
        "mailNickname": lambda user, view: user.upn.partition("@")[0],
        "givenName": attribute("given_name"),
        "surname": attribute("surname"),
        "jobTitle": attribute("job_title"),
        "department": attribute("department"),
        "officeLocation": attribute("office"),
        "accountEnabled": attribute("enabled"),
        "userType": attribute("user_type"),
        "createdDateTime": moment("created"),
        "deletedDateTime": moment("deleted_at"),
        "signInSessionsValidFromDateTime": moment("valid_from"),
        "refreshTokensValidFromDateTime": moment("refresh_from"),
        "lastPasswordChangeDateTime": moment("created"),
        "externalUserState": lambda user, view: "Accepted" if user.external else None,
        "identityParentId": attribute("agent_id"),
        "isManagementRestricted": lambda user, view: True if view.tenant.managed_only_within(user.id) else None,
        "creationType": lambda user, view: "Invitation" if user.external else (user.extra or {}).get("creationType"),
        "identities": _identities,
        "proxyAddresses": lambda user, view: [f"SMTP:{user.mail}"] if user.mail else [],
        "signInActivity": _sign_in_activity,
    },
    beta=frozenset({"refreshTokensValidFromDateTime"}),
    beta_default=(
        "accountEnabled",
        "createdDateTime",
        "refreshTokensValidFromDateTime",
        "signInSessionsValidFromDateTime",
        "userType",
    ),
    sortable=frozenset({"displayName", "userPrincipalName"}),
    derive=lambda user: AGENT_USER if user.agent_id else USER,
)
AGENT_USER = replace(USER, type="agentUser", default=(*USER.default, "accountEnabled", "identityParentId"), derive=None)
BASIC_PROFILE = frozenset({"id", "displayName", "givenName", "surname", "mail", "userPrincipalName"})


# --- grants and assignments ------------------------------------------------------------------------

GRANT = Shape(
    type="oAuth2PermissionGrant",
    set="oauth2PermissionGrants",
    kind="grants",
    default=("clientId", "consentType", "id", "principalId", "resourceId", "scope"),
    properties={
        "clientId": attribute("client_id"),
        "consentType": attribute("consent_type"),
        "id": attribute("id"),
        "principalId": attribute("principal_id"),
        "resourceId": attribute("resource_id"),
        "scope": attribute("scope"),
    },
)


def _name_of(object_id: str, view: View) -> str | None:
    for kind in ("service_principals", "users", "groups"):
        if found := view.get(kind, object_id):
            return found.display_name
    return None


ASSIGNMENT = Shape(
    type="appRoleAssignment",
    set="appRoleAssignments",
    kind="assignments",
    default=(
        "id",
        "deletedDateTime",
        "appRoleId",
        "createdDateTime",
        "principalDisplayName",
        "principalId",
        "principalType",
        "resourceDisplayName",
        "resourceId",
    ),
    properties={
        "id": attribute("id"),
        "appRoleId": attribute("app_role_id"),
        "createdDateTime": moment("created"),
        "principalDisplayName": lambda one, view: _name_of(one.principal_id, view),
        "principalId": attribute("principal_id"),
        "principalType": attribute("principal_type"),
        "resourceDisplayName": lambda one, view: _name_of(one.resource_id, view),
        "resourceId": attribute("resource_id"),
    },
)


# --- groups ----------------------------------------------------------------------------------------

GROUP = Shape(
    type="group",
    set="groups",
    kind="groups",
    default=(
        "id",
        "deletedDateTime",
        "createdDateTime",
        "description",
        "displayName",
        "groupTypes",
        "isAssignableToRole",
        "mail",
        "mailEnabled",
        "mailNickname",
        "securityEnabled",
        "visibility",
    ),
    properties={
        "id": attribute("id"),
        "deletedDateTime": moment("deleted_at"),
        "createdDateTime": moment("created"),
        "description": attribute("description"),
        "displayName": attribute("display_name"),
        "isAssignableToRole": lambda group, view: True if group.role_assignable else None,
        "mail": attribute("mail"),
        "mailEnabled": lambda group, view: group.mail is not None,
        "mailNickname": lambda group, view: group.display_name.replace(" ", ""),
        "securityEnabled": constant(True),
    },
    sortable=frozenset({"displayName"}),
)


# --- objects of any kind ---------------------------------------------------------------------------


def shape_of(record: Any) -> Shape:
    for kind, shape in _SHAPES:
        if isinstance(record, kind):
            return shape.of(record)
    return DIRECTORY_ROLE  # the record is the role's template id


_SHAPES = (
    (User, USER),
    (Group, GROUP),
    (ServicePrincipal, SERVICE_PRINCIPAL),
    (AdministrativeUnit, UNIT),
    (Application, APPLICATION),
)
OBJECT = Shape(
    type="directoryObject",
    set="directoryObjects",
    kind="",
    properties={},
    default=(),
    derive=shape_of,
    family=(USER, GROUP, SERVICE_PRINCIPAL, UNIT, DIRECTORY_ROLE),
)
