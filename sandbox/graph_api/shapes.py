"""How records look on the wire: one table of properties per resource type, and which are sent unasked."""

from __future__ import annotations

from typing import Any

from sandbox.graph_api.shape import Shape, attribute, constant, moment
from sandbox.graph_api.view import View
from sandbox.graph_api.wire import stamp
from sandbox.objects import ROLE_NAMES, AppRole, Group, Scope, ServicePrincipal, User, make_id

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
        "refreshTokensValidFromDateTime": moment("valid_from"),
        "lastPasswordChangeDateTime": moment("created"),
        "externalUserState": lambda user, view: "Accepted" if user.guest else None,
        "identityParentId": constant(None),
        "creationType": lambda user, view: "Invitation" if user.guest else None,
        "identities": lambda user, view: [
            {
                "signInType": "userPrincipalName",
                "issuer": view.tenant.initial_domain,
                "issuerAssignedId": user.upn,
            }
        ],
        "proxyAddresses": lambda user, view: [f"SMTP:{user.mail}"] if user.mail else [],
        "signInActivity": _sign_in_activity,
        "businessPhones": constant([]),
        "otherMails": constant([]),
        "assignedLicenses": constant([]),
        "mobilePhone": constant(None),
        "preferredLanguage": constant(None),
        "companyName": constant(None),
        "country": constant(None),
        "usageLocation": constant(None),
        "employeeId": constant(None),
        "isManagementRestricted": constant(None),
        "onPremisesSyncEnabled": constant(None),
        "onPremisesImmutableId": constant(None),
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
)
BASIC_PROFILE = frozenset({"id", "displayName", "givenName", "surname", "mail", "userPrincipalName"})


# --- apps ------------------------------------------------------------------------------------------


def _publisher(principal: ServicePrincipal, view: View) -> dict[str, Any]:
    if not principal.verified:
        return {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None}
    return {
        "displayName": principal.publisher,
        "verifiedPublisherId": str(int(make_id("publisher", principal.publisher or "")[:8], 16)),
        "addedDateTime": "2021-04-24T17:49:44Z",
    }


def app_role(role: AppRole) -> dict[str, Any]:
    return {
        "allowedMemberTypes": list(role.members),
        "description": role.description or role.name,
        "displayName": role.name,
        "id": role.id,
        "isEnabled": True,
        "origin": "Application",
        "value": role.value,
    }


def scope(one: Scope) -> dict[str, Any]:
    return {
        "adminConsentDescription": one.description or one.name or one.value,
        "adminConsentDisplayName": one.name or one.value,
        "id": one.id,
        "isEnabled": True,
        "type": "Admin" if one.admin_only else "User",
        "userConsentDescription": one.user_description or None,
        "userConsentDisplayName": one.user_name or None,
        "value": one.value,
    }


def _scopes(principal: ServicePrincipal, view: View) -> list[dict[str, Any]]:
    return [scope(one) for one in principal.scopes]


SERVICE_PRINCIPAL = Shape(
    type="servicePrincipal",
    set="servicePrincipals",
    kind="service_principals",
    default=(
        "id",
        "deletedDateTime",
        "accountEnabled",
        "alternativeNames",
        "appDisplayName",
        "appDescription",
        "appId",
        "applicationTemplateId",
        "appOwnerOrganizationId",
        "appRoleAssignmentRequired",
        "createdDateTime",
        "description",
        "disabledByMicrosoftStatus",
        "displayName",
        "homepage",
        "loginUrl",
        "logoutUrl",
        "notes",
        "notificationEmailAddresses",
        "preferredSingleSignOnMode",
        "preferredTokenSigningKeyThumbprint",
        "replyUrls",
        "servicePrincipalNames",
        "servicePrincipalType",
        "signInAudience",
        "tags",
        "tokenEncryptionKeyId",
        "samlSingleSignOnSettings",
        "verifiedPublisher",
        "addIns",
        "appRoles",
        "info",
        "keyCredentials",
        "oauth2PermissionScopes",
        "passwordCredentials",
        "resourceSpecificApplicationPermissions",
    ),
    properties={
        "id": attribute("id"),
        "deletedDateTime": moment("deleted_at"),
        "accountEnabled": attribute("enabled"),
        "alternativeNames": constant([]),
        "appDisplayName": attribute("display_name"),
        "appDescription": attribute("description"),
        "appId": attribute("app_id"),
        "applicationTemplateId": constant(None),
        "appOwnerOrganizationId": attribute("owner_tenant_id"),
        "appRoleAssignmentRequired": attribute("assignment_required"),
        "createdDateTime": moment("created"),
        "description": attribute("description"),
        "disabledByMicrosoftStatus": attribute("disabled_by_microsoft"),
        "displayName": attribute("display_name"),
        "homepage": attribute("homepage"),
        "isDisabled": constant(None),
        "loginUrl": constant(None),
        "logoutUrl": attribute("logout_url"),
        "notes": attribute("notes"),
        "notificationEmailAddresses": constant([]),
        "preferredSingleSignOnMode": constant(None),
        "preferredTokenSigningKeyThumbprint": constant(None),
        "replyUrls": attribute("reply_urls"),
        "servicePrincipalNames": attribute("names"),
        "servicePrincipalType": attribute("type"),
        "signInAudience": lambda app, view: "AzureADMultipleOrgs" if app.multi_tenant else "AzureADMyOrg",
        "tags": attribute("tags"),
        "tokenEncryptionKeyId": constant(None),
        "samlSingleSignOnSettings": constant(None),
        "verifiedPublisher": _publisher,
        "addIns": constant([]),
        "appRoles": lambda app, view: [app_role(role) for role in app.app_roles],
        "info": constant(
            {
                "logoUrl": None,
                "marketingUrl": None,
                "privacyStatementUrl": None,
                "supportUrl": None,
                "termsOfServiceUrl": None,
            }
        ),
        "keyCredentials": constant([]),
        "oauth2PermissionScopes": _scopes,
        "publishedPermissionScopes": _scopes,
        "publisherName": attribute("publisher"),
        "passwordCredentials": constant([]),
        "resourceSpecificApplicationPermissions": constant([]),
    },
    guids=frozenset({"appOwnerOrganizationId"}),
    beta=frozenset({"publishedPermissionScopes", "publisherName"}),
    beta_default=("publishedPermissionScopes", "publisherName"),
)


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
        "deletedDateTime": constant(None),
        "appRoleId": attribute("app_role_id"),
        "createdDateTime": moment("created"),
        "principalDisplayName": lambda one, view: _name_of(one.principal_id, view),
        "principalId": attribute("principal_id"),
        "principalType": attribute("principal_type"),
        "resourceDisplayName": lambda one, view: _name_of(one.resource_id, view),
        "resourceId": attribute("resource_id"),
    },
    guids=frozenset({"appRoleId", "principalId", "resourceId"}),
)


# --- groups and roles ------------------------------------------------------------------------------

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
        "groupTypes": constant([]),
        "isAssignableToRole": lambda group, view: True if group.role_assignable else None,
        "mail": attribute("mail"),
        "mailEnabled": lambda group, view: group.mail is not None,
        "mailNickname": lambda group, view: group.display_name.replace(" ", ""),
        "securityEnabled": constant(True),
        "visibility": constant(None),
    },
    sortable=frozenset({"displayName"}),
)


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


def shape_of(record: Any) -> Shape:
    if isinstance(record, User):
        return USER
    if isinstance(record, Group):
        return GROUP
    return SERVICE_PRINCIPAL if isinstance(record, ServicePrincipal) else DIRECTORY_ROLE
