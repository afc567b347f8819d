"""Who may consent to what: the policies that decide whether a removed app can simply be let in again.

https://learn.microsoft.com/graph/api/resources/authorizationpolicy
https://learn.microsoft.com/entra/identity/enterprise-apps/manage-app-consent-policies
"""

from __future__ import annotations

from sandbox.graph_api import access as may, bodies
from sandbox.graph_api.pages import collection, entity
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shape import Shape, attribute, constant
from sandbox.graph_api.wire import Answer, Ask
from sandbox.tenant import Tenant

GUEST_USER = "10dae51f-b6af-4016-8d66-8c2a99b929b3"
FOR_SELF = "ManagePermissionGrantsForSelf."
ANYTHING, LOW = f"{FOR_SELF}microsoft-user-default-legacy", f"{FOR_SELF}microsoft-user-default-low"
ASSIGNED = {"all": [ANYTHING], "low": [LOW], "none": []}
BUILT_IN = {
    "microsoft-user-default-legacy": "All permissions that people may consent to for themselves, for any client app.",
    "microsoft-user-default-low": "Low-impact permissions, for apps of verified publishers and of this organisation.",
    "microsoft-user-default-recommended": "What Microsoft recommends people may consent to.",
    "microsoft-all-application-permissions": "All application permissions, for any client app.",
    "microsoft-application-admin": "What application administrators may consent to.",
}
DEFAULTS = ("id", "displayName", "description")


def _default_role(tenant: Tenant, view: object) -> dict:
    return {
        "allowedToCreateApps": True,
        "allowedToCreateSecurityGroups": True,
        "allowedToCreateTenants": True,
        "allowedToReadBitlockerKeysForOwnedDevice": True,
        "allowedToReadOtherUsers": True,
        "permissionGrantPoliciesAssigned": list(ASSIGNED[tenant.user_consent]),
    }


AUTHORIZATION = Shape(
    type="authorizationPolicy",
    set="policies/authorizationPolicy",
    kind="",
    default=(
        *DEFAULTS,
        "allowInvitesFrom",
        "allowedToSignUpEmailBasedSubscriptions",
        "allowedToUseSSPR",
        "allowEmailVerifiedUsersToJoinOrganization",
        "allowUserConsentForRiskyApps",
        "blockMsolPowerShell",
        "guestUserRoleId",
        "defaultUserRolePermissions",
    ),
    properties={
        "id": constant("authorizationPolicy"),
        "displayName": constant("Authorization Policy"),
        "description": constant("Used to manage authorization related settings across the company."),
        "allowInvitesFrom": constant("everyone"),
        "allowedToSignUpEmailBasedSubscriptions": constant(True),
        "allowedToUseSSPR": constant(True),
        "allowEmailVerifiedUsersToJoinOrganization": constant(False),
        "blockMsolPowerShell": constant(False),
        "guestUserRoleId": constant(GUEST_USER),
        "defaultUserRolePermissions": _default_role,
    },
)
GRANT_POLICY = Shape(
    type="permissionGrantPolicy",
    set="policies/permissionGrantPolicies",
    kind="",
    default=DEFAULTS,
    properties={
        "id": lambda name, view: name,
        "displayName": lambda name, view: name.replace("-", " ").capitalize(),
        "description": lambda name, view: BUILT_IN[name],
    },
)
ADMIN_CONSENT = Shape(
    type="adminConsentRequestPolicy",
    set="policies/adminConsentRequestPolicy",
    kind="",
    default=("isEnabled", "notifyReviewers", "remindersEnabled", "requestDurationInDays", "reviewers", "version"),
    properties={
        "id": attribute("id"),
        "isEnabled": constant(False),
        "notifyReviewers": constant(False),
        "remindersEnabled": constant(False),
        "requestDurationInDays": constant(0),
        "version": constant(0),
    },
)


@graph.on("GET", "/policies/authorizationPolicy")
def get_authorization_policy(ask: Ask) -> Answer:
    return entity(ask, AUTHORIZATION, ask.tenant)


@graph.on("PATCH", "/policies/authorizationPolicy", roles=may.GRAPH_ROLE_WRITERS)
def change_authorization_policy(ask: Ask) -> Answer:
    """Only what people may consent to means something to the sandbox; the rest is taken and not kept."""
    given = bodies.properties(ask, "authorizationPolicy", read_only=("id", "deletedDateTime"))
    assigned = (given.get("defaultUserRolePermissions") or {}).get("permissionGrantPoliciesAssigned")
    if assigned is not None:
        own = [one for one in assigned if one.startswith(FOR_SELF)]
        ask.tenant.user_consent = "all" if ANYTHING in own else "low" if own else "none"
    return Answer(204)


@graph.on("GET", "/policies/permissionGrantPolicies")
def list_grant_policies(ask: Ask) -> Answer:
    return collection(ask, GRANT_POLICY, list(BUILT_IN))


@graph.on("GET", "/policies/adminConsentRequestPolicy")
def get_admin_consent_policy(ask: Ask) -> Answer:
    return entity(ask, ADMIN_CONSENT, ask.tenant)
