"""Service principals with their special kinds, and registrations, on the wire."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox import objects
from sandbox.graph_api.shape import LEFT_OUT, Shape, attribute, constant, moment
from sandbox.graph_api.view import View
from sandbox.objects import Application, AppRole, Scope, ServicePrincipal, make_id


def _publisher(principal: ServicePrincipal | Application, view: View) -> dict[str, Any]:
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
        "appDisplayName": attribute("display_name"),
        "appDescription": attribute("description"),
        "appId": lambda app, view: app.app_id or LEFT_OUT,
        "appOwnerOrganizationId": attribute("owner_tenant_id"),
        "appRoleAssignmentRequired": attribute("assignment_required"),
        "createdDateTime": moment("created"),
        "description": attribute("description"),
        "disabledByMicrosoftStatus": attribute("disabled_by_microsoft"),
        "displayName": attribute("display_name"),
        "homepage": attribute("homepage"),
        "logoutUrl": attribute("logout_url"),
        "notes": attribute("notes"),
        "replyUrls": attribute("reply_urls"),
        "servicePrincipalNames": attribute("names"),
        "servicePrincipalType": attribute("type"),
        "signInAudience": lambda app, view: "AzureADMultipleOrgs" if app.multi_tenant else "AzureADMyOrg",
        "tags": attribute("tags"),
        "verifiedPublisher": _publisher,
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
        "oauth2PermissionScopes": _scopes,
        "publishedPermissionScopes": _scopes,
        "publisherName": attribute("publisher"),
    },
    beta=frozenset({"publishedPermissionScopes", "publisherName"}),
    beta_default=("publishedPermissionScopes", "publisherName"),
    # https://learn.microsoft.com/graph/aad-advanced-queries#service-principal-properties
    advanced=frozenset(
        {"appOwnerOrganizationId", "appRoleAssignmentRequired", "description", "homepage", "notes", "verifiedPublisher"}
    ),
    derive=lambda app: _KINDS.get(app.kind, SERVICE_PRINCIPAL),
)
# Agents are in the lists of apps: https://learn.microsoft.com/graph/api/resources/agentidentity
AGENT = replace(
    SERVICE_PRINCIPAL,
    type="agentIdentity",
    properties=SERVICE_PRINCIPAL.properties
    | {
        "agentIdentityBlueprintId": attribute("blueprint_app_id"),
        "createdByAppId": attribute("blueprint_app_id"),
    },
    default=(
        "id",
        "appId",
        "displayName",
        "servicePrincipalType",
        "accountEnabled",
        "disabledByMicrosoftStatus",
        "agentIdentityBlueprintId",
        "createdByAppId",
        "createdDateTime",
        "tags",
    ),
    derive=None,
)
BLUEPRINT = replace(SERVICE_PRINCIPAL, type="agentIdentityBlueprintPrincipal", derive=None)
_KINDS = {objects.AGENT: AGENT, objects.BLUEPRINT: BLUEPRINT}


# --- registrations ---------------------------------------------------------------------------------


def _required_access(app: Application, view: View) -> list[dict[str, Any]]:
    found = []
    for access in app.required_access:
        resource = view.tenant.service_principal_for(access.resource_app_id)
        scopes = [(resource.scope(one), "Scope") for one in access.scopes] if resource else []
        roles_ = [(resource.app_role(one), "Role") for one in access.roles] if resource else []
        ids = [{"id": one.id, "type": kind} for one, kind in (*scopes, *roles_) if one]
        found.append({"resourceAppId": access.resource_app_id, "resourceAccess": ids})
    return found


APPLICATION = Shape(
    type="application",
    set="applications",
    kind="",
    properties={
        "id": attribute("id"),
        "deletedDateTime": moment("deleted_at"),
        "appId": attribute("app_id"),
        "displayName": attribute("display_name"),
        "description": attribute("description"),
        "createdDateTime": moment("created"),
        "signInAudience": lambda app, view: "AzureADMultipleOrgs" if app.multi_tenant else "AzureADMyOrg",
        "isFallbackPublicClient": attribute("public_client"),
        "identifierUris": attribute("identifier_uris"),
        "groupMembershipClaims": attribute("group_membership_claims"),
        "optionalClaims": lambda app, view: {
            kind: [
                {"name": name, "source": None, "essential": False, "additionalProperties": []}
                for name in app.optional_claims.get(kind, ())
            ]
            for kind in ("idToken", "accessToken", "saml2Token")
        },
        "appRoles": lambda app, view: [app_role(role) for role in app.app_roles],
        "api": lambda app, view: {
            "acceptMappedClaims": None,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": 2,
            "oauth2PermissionScopes": [scope(one) for one in app.scopes],
            "preAuthorizedApplications": [],
        },
        "web": lambda app, view: {
            "homePageUrl": app.homepage,
            "logoutUrl": app.logout_url,
            "redirectUris": [] if app.public_client else app.redirect_uris,
        },
        "publicClient": lambda app, view: {"redirectUris": app.redirect_uris if app.public_client else []},
        "spa": constant({"redirectUris": []}),
        "requiredResourceAccess": _required_access,
        "verifiedPublisher": _publisher,
        "publisherDomain": lambda app, view: view.tenant.domain,
    },
    default=(
        "id",
        "deletedDateTime",
        "appId",
        "applicationTemplateId",
        "disabledByMicrosoftStatus",
        "createdDateTime",
        "displayName",
        "description",
        "groupMembershipClaims",
        "identifierUris",
        "isDeviceOnlyAuthSupported",
        "isFallbackPublicClient",
        "notes",
        "publisherDomain",
        "signInAudience",
        "tags",
        "tokenEncryptionKeyId",
        "verifiedPublisher",
        "addIns",
        "api",
        "appRoles",
        "info",
        "keyCredentials",
        "optionalClaims",
        "parentalControlSettings",
        "passwordCredentials",
        "publicClient",
        "requiredResourceAccess",
        "web",
        "spa",
    ),
    sortable=frozenset({"displayName"}),
)
