"""How records look on the wire: one table of properties per resource type, and which are sent unasked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.graph_api.errors import bad_request
from sandbox.graph_api.view import View
from sandbox.graph_api.wire import stamp
from sandbox.objects import ROLE_NAMES, AppRole, Group, Scope, ServicePrincipal, User, make_id

Getter = Callable[[Any, View], Any]


@dataclass(frozen=True)
class Shape:
    """A resource type. `default` are the properties of an answer without `$select`; `beta` those that only beta has."""

    type: str  # "user"
    set: str  # "users", as in contexts
    kind: str  # the dict on Tenant
    properties: dict[str, Getter]
    default: tuple[str, ...]
    guids: frozenset[str] = frozenset()
    beta: frozenset[str] = frozenset()
    beta_default: tuple[str, ...] = ()
    sortable: frozenset[str] = frozenset()  # without an advanced query
    always_id: bool = False

    def names(self, select: str | None, *, beta: bool) -> tuple[str, ...]:
        """The properties to send.

        Raises:
            Refused: 400 for one that the type does not have in this version.
        """
        if select is None or not select.strip() or select.strip() == "*":
            return (*self.default, *self.beta_default) if beta else self.default
        found = []
        for part in select.split(","):
            name = part.strip()
            if name not in self.properties or (name in self.beta and not beta):
                raise bad_request(
                    "Parsing OData Select and Expand failed: Could not find a property named "
                    f"'{name}' on type 'microsoft.graph.{self.type}'.",
                    code="BadRequest",
                )
            found.append(name)
        return tuple(dict.fromkeys(found))

    def write(self, record: Any, view: View, names: tuple[str, ...]) -> dict[str, Any]:
        properties = self.properties
        return {name: properties[name](record, view) for name in names}

    def reader(self, record: Any, view: View) -> Callable[[str], Any]:
        """Properties by path, for filters."""

        def get(path: str) -> Any:
            head, _, rest = path.partition("/")
            value = self.properties[head](record, view)
            while rest and isinstance(value, dict):
                head, _, rest = rest.partition("/")
                value = value.get(head)
            return value

        return get


def _attribute(name: str) -> Getter:
    return lambda record, view: getattr(record, name)


def _constant(value: Any) -> Getter:
    return lambda record, view: value


def _moment(name: str) -> Getter:
    return lambda record, view: stamp(getattr(record, name))


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
        "id": _attribute("id"),
        "displayName": _attribute("display_name"),
        "userPrincipalName": _attribute("upn"),
        "mail": _attribute("mail"),
        "mailNickname": lambda user, view: user.upn.partition("@")[0],
        "givenName": _attribute("given_name"),
        "surname": _attribute("surname"),
        "jobTitle": _attribute("job_title"),
        "department": _attribute("department"),
        "officeLocation": _attribute("office"),
        "accountEnabled": _attribute("enabled"),
        "userType": _attribute("user_type"),
        "createdDateTime": _moment("created"),
        "deletedDateTime": _moment("deleted_at"),
        "signInSessionsValidFromDateTime": _moment("valid_from"),
        "refreshTokensValidFromDateTime": _moment("valid_from"),
        "lastPasswordChangeDateTime": _moment("created"),
        "externalUserState": lambda user, view: "Accepted" if user.guest else None,
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
        "businessPhones": _constant([]),
        "otherMails": _constant([]),
        "assignedLicenses": _constant([]),
        "mobilePhone": _constant(None),
        "preferredLanguage": _constant(None),
        "companyName": _constant(None),
        "country": _constant(None),
        "usageLocation": _constant(None),
        "employeeId": _constant(None),
        "isManagementRestricted": _constant(None),
        "onPremisesSyncEnabled": _constant(None),
        "onPremisesImmutableId": _constant(None),
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
        "id": _attribute("id"),
        "deletedDateTime": _moment("deleted_at"),
        "accountEnabled": _attribute("enabled"),
        "alternativeNames": _constant([]),
        "appDisplayName": _attribute("display_name"),
        "appDescription": _attribute("description"),
        "appId": _attribute("app_id"),
        "applicationTemplateId": _constant(None),
        "appOwnerOrganizationId": _attribute("owner_tenant_id"),
        "appRoleAssignmentRequired": _attribute("assignment_required"),
        "createdDateTime": _moment("created"),
        "description": _attribute("description"),
        "disabledByMicrosoftStatus": _attribute("disabled_by_microsoft"),
        "displayName": _attribute("display_name"),
        "homepage": _attribute("homepage"),
        "isDisabled": _constant(None),
        "loginUrl": _constant(None),
        "logoutUrl": _attribute("logout_url"),
        "notes": _attribute("notes"),
        "notificationEmailAddresses": _constant([]),
        "preferredSingleSignOnMode": _constant(None),
        "preferredTokenSigningKeyThumbprint": _constant(None),
        "replyUrls": _attribute("reply_urls"),
        "servicePrincipalNames": _attribute("names"),
        "servicePrincipalType": _attribute("type"),
        "signInAudience": lambda app, view: "AzureADMultipleOrgs" if app.multi_tenant else "AzureADMyOrg",
        "tags": _attribute("tags"),
        "tokenEncryptionKeyId": _constant(None),
        "samlSingleSignOnSettings": _constant(None),
        "verifiedPublisher": _publisher,
        "addIns": _constant([]),
        "appRoles": lambda app, view: [app_role(role) for role in app.app_roles],
        "info": _constant(
            {
                "logoUrl": None,
                "marketingUrl": None,
                "privacyStatementUrl": None,
                "supportUrl": None,
                "termsOfServiceUrl": None,
            }
        ),
        "keyCredentials": _constant([]),
        "oauth2PermissionScopes": _scopes,
        "publishedPermissionScopes": _scopes,
        "publisherName": _attribute("publisher"),
        "passwordCredentials": _constant([]),
        "resourceSpecificApplicationPermissions": _constant([]),
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
        "clientId": _attribute("client_id"),
        "consentType": _attribute("consent_type"),
        "id": _attribute("id"),
        "principalId": _attribute("principal_id"),
        "resourceId": _attribute("resource_id"),
        "scope": _attribute("scope"),
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
        "id": _attribute("id"),
        "deletedDateTime": _constant(None),
        "appRoleId": _attribute("app_role_id"),
        "createdDateTime": _moment("created"),
        "principalDisplayName": lambda one, view: _name_of(one.principal_id, view),
        "principalId": _attribute("principal_id"),
        "principalType": _attribute("principal_type"),
        "resourceDisplayName": lambda one, view: _name_of(one.resource_id, view),
        "resourceId": _attribute("resource_id"),
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
        "id": _attribute("id"),
        "deletedDateTime": _moment("deleted_at"),
        "createdDateTime": _moment("created"),
        "description": _attribute("description"),
        "displayName": _attribute("display_name"),
        "groupTypes": _constant([]),
        "isAssignableToRole": lambda group, view: True if group.role_assignable else None,
        "mail": _attribute("mail"),
        "mailEnabled": lambda group, view: group.mail is not None,
        "mailNickname": lambda group, view: group.display_name.replace(" ", ""),
        "securityEnabled": _constant(True),
        "visibility": _constant(None),
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
        "deletedDateTime": _constant(None),
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
