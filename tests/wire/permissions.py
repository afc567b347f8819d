"""Which application permission lets a call through, and whether that is the one the portal says it needs.

The table is Microsoft's; what the portal says is read from the portal: `Action.needs_of` of what it changes,
`FEATURES` of what it reads. Each permission that a declaration names must be enough by itself, since the portal
switches the feature on with any one of them.
"""

from collections.abc import Iterator
from functools import cache

from tests.wire import documented, published
from tests.wire.paths import Target

Found = Iterator[tuple[str, str]]

# Which declarations of the portal stand for a call: a feature, and for a write the actions that make it.
FEATURES = {
    ("GET", "/servicePrincipals"): "apps",
    ("GET", "/servicePrincipals/delta"): "apps",
    ("GET", "/servicePrincipals/{id}"): "apps",
    ("GET", "/servicePrincipals/{id}/appRoleAssignedTo"): "apps",
    ("GET", "/servicePrincipals/{id}/appRoleAssignedTo/{id}"): "apps",
    ("GET", "/servicePrincipals/{id}/appRoleAssignments"): "apps",
    ("GET", "/servicePrincipals/{id}/owners"): "apps",
    ("GET", "/servicePrincipals/{id}/microsoft.graph.agentIdentity/sponsors"): "sponsors",
    ("GET", "/servicePrincipals/{id}/microsoft.graph.agentIdentityBlueprintPrincipal/sponsors"): "sponsors",
    ("GET", "/servicePrincipals/microsoft.graph.agentIdentity"): "agents",
    ("GET", "/servicePrincipals/{id}/inheritedAppRoleAssignments"): "apps",
    ("GET", "/servicePrincipals/{id}/inheritedOauth2PermissionGrants"): "grants",
    ("GET", "/directory/deletedItems/{id}"): "apps",
    ("GET", "/directory/deletedItems/microsoft.graph.servicePrincipal"): "apps",
    ("GET", "/oauth2PermissionGrants"): "grants",
    ("GET", "/oauth2PermissionGrants/delta"): "grants",
    ("GET", "/oauth2PermissionGrants/{id}"): "grants",
    ("GET", "/users/{id}/oauth2PermissionGrants"): "grants",
    ("GET", "/servicePrincipals/{id}/oauth2PermissionGrants"): "grants",
    ("GET", "/users"): "people",
    ("GET", "/users/delta"): "people",
    ("GET", "/users/{id}"): "people",
    ("GET", "/groups/{id}/owners"): "groups",
    ("GET", "/roleManagement/directory/roleAssignments"): "roles",
    ("GET", "/roleManagement/directory/roleEligibilityScheduleInstances"): "roles",
    ("GET", "/roleManagement/directory/roleDefinitions"): "roles",
    ("GET", "/organization"): "organization",
    ("GET", "/policies/authorizationPolicy"): "consent_policy",
    ("GET", "/trustFramework/policies"): "custom_policies",
    ("GET", "/trustFramework/policies/{id}/$value"): "custom_policies",
    ("PUT", "/trustFramework/policies/{id}/$value"): "upload_policies",
    ("DELETE", "/trustFramework/policies/{id}"): "upload_policies",
    ("GET", "/identityGovernance/appConsent/appConsentRequests"): "consent_requests",
    ("GET", "/groups"): "groups",
    ("GET", "/groups/{id}"): "groups",
    ("GET", "/groups/{id}/transitiveMembers"): "groups",
    ("GET", "/reports/servicePrincipalSignInActivities"): "last_used",
    ("GET", "/auditLogs/directoryAudits"): "last_used",
    ("POST", "/users/{id}/revokeSignInSessions"): "sign_out",
    ("POST", "/users/{id}/invalidateAllRefreshTokens"): "invalidate_tokens",
    ("DELETE", "/oauth2PermissionGrants/{id}"): "remove_consent",
    ("PATCH", "/oauth2PermissionGrants/{id}"): "remove_consent",
    ("POST", "/oauth2PermissionGrants"): "remove_consent",
    ("PATCH", "/servicePrincipals/{id}"): "change_apps",
    ("DELETE", "/servicePrincipals/{id}"): "change_apps",
    ("POST", "/directory/deletedItems/{id}/restore"): "change_apps",
    ("DELETE", "/directory/deletedItems/{id}"): "change_apps",
    ("POST", "/servicePrincipals/{id}/appRoleAssignedTo"): "assignments",
    ("DELETE", "/servicePrincipals/{id}/appRoleAssignedTo/{id}"): "assignments",
}
# Agents and blueprints are changed under their own types, with permissions of their own.
AGENT_ACTIONS = {
    kind: {("PATCH", path): ("disable_app", "enable_app"), ("DELETE", path): ("delete_app",)}
    for kind in ("agentIdentity", "agentIdentityBlueprintPrincipal")
    for path in [f"/servicePrincipals/microsoft.graph.{kind}/{{id}}"]
}
# Asked for by no feature alone: what it gives is read in the light of what the app may see.
UNCLAIMED = {("GET", "/users/{id}/transitiveMemberOf")}
ACTIONS = {
    ("POST", "/users/{id}/revokeSignInSessions"): ("revoke_sessions",),
    ("POST", "/users/{id}/invalidateAllRefreshTokens"): ("invalidate_tokens",),
    ("DELETE", "/oauth2PermissionGrants/{id}"): ("delete_grant", "narrow_grant"),
    ("PATCH", "/oauth2PermissionGrants/{id}"): ("narrow_grant", "create_grant"),
    ("POST", "/oauth2PermissionGrants"): ("create_grant",),
    ("PATCH", "/servicePrincipals/{id}"): ("disable_app", "enable_app", "keep_out"),
    ("POST", "/servicePrincipals"): ("keep_out",),
    ("DELETE", "/servicePrincipals/{id}"): ("delete_app",),
    ("POST", "/directory/deletedItems/{id}/restore"): ("restore_app",),
    ("DELETE", "/directory/deletedItems/{id}"): ("purge_app",),
    ("POST", "/servicePrincipals/{id}/appRoleAssignedTo"): ("create_assignment",),
    ("PUT", "/trustFramework/policies/{id}/$value"): ("upload_policy",),
    ("DELETE", "/trustFramework/policies/{id}"): ("delete_policy",),
    ("DELETE", "/servicePrincipals/{id}/appRoleAssignedTo/{id}"): ("delete_assignment",),
}


def judge(target: Target, method: str, query: str = "") -> Found:
    """Whether an app-only caller can be let through at all, and by what the portal says."""
    enough = allowed(target, method)
    if not enough:
        yield "permission", "no application permission lets it through"
        return
    declared = _declared(target.template, target.plain, method)
    if not declared and (method, target.plain) not in _UNCLAIMED:
        yield "claim", "no feature and no action of the portal declares what it needs"
    for owner, named in declared:
        for permission in named:
            if permission not in enough:
                yield "claim", f"{owner} says {permission} is enough; it is one of {', '.join(sorted(enough))}"
    if "signinactivity" in query.lower() and documented.SIGN_IN_ACTIVITY not in _features()["last_used"]:
        yield "claim", f"last_used does not name {documented.SIGN_IN_ACTIVITY}"


def allowed(target: Target, method: str) -> frozenset[str]:
    """The permissions of which one is enough. A type with rows of its own is opened by these alone."""
    for template in (target.template, target.plain):
        key = (template, method)
        listed = published.permissions().get(key, frozenset()) | documented.MORE_PERMISSIONS.get(key, frozenset())
        if listed:
            return listed
    return frozenset()


@cache
def _declared(template: str, plain: str, method: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What the portal declares for a call: the name of a feature or an action, and the permissions it names."""
    for kind, table in AGENT_ACTIONS.items():
        if of_agents := _actions(table, template, method, {"kind": kind}):
            return of_agents
    by_path = {path.lower(): feature for (wanted, path), feature in FEATURES.items() if wanted == method}
    named = [by_path[one] for one in (template, plain) if one in by_path][:1]  # a list with a cast has its own
    features = [(f"feature {feature}", _features()[feature]) for feature in named]
    return (*features, *(_actions(ACTIONS, template, method, {}) or _actions(ACTIONS, plain, method, {})))


def _actions(table: dict, template: str, method: str, params: dict) -> tuple[tuple[str, tuple[str, ...]], ...]:
    from revocation import actions
    from revocation.models import RevocationStep

    return tuple(
        (f"action {name}", actions.get(name).needs_of(RevocationStep(params=params)))
        for (wanted, path), names in table.items()
        if wanted == method and path.lower() == template
        for name in names
    )


@cache
def _features() -> dict[str, tuple[str, ...]]:
    from tenants import connection

    return {one.key: tuple(one.any_of) for one in (*connection.FEATURES, *connection.OF_B2C)}


_UNCLAIMED = {(method, path.lower()) for method, path in UNCLAIMED}
