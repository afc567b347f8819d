"""Every permission the portal names, beside Microsoft's own table: each is enough by itself for what it is for."""

import re
from pathlib import Path

import pytest

from accounts.permissions import Feature
from graph import explain
from revocation import actions
from tenants import connection
from tests.wire import documented, published

BLUEPRINT = "/serviceprincipals/microsoft.graph.agentidentityblueprintprincipal/{id}"
AGENT = "/serviceprincipals/microsoft.graph.agentidentity/{id}"
ASSIGNED = "/serviceprincipals/{id}/approleassignedto"
# What a feature does at Microsoft; one of its permissions has to be enough for each of these calls.
CALLS = {
    "apps": [
        ("/serviceprincipals", "GET"),
        ("/serviceprincipals/{id}", "GET"),
        (ASSIGNED, "GET"),
        ("/serviceprincipals/{id}/approleassignments", "GET"),
    ],
    "grants": [("/oauth2permissiongrants", "GET"), ("/users/{id}/oauth2permissiongrants", "GET")],
    "remove_consent": [("/oauth2permissiongrants/{id}", "DELETE"), ("/oauth2permissiongrants/{id}", "PATCH")],
    "people": [("/users", "GET"), ("/users/{id}", "GET")],
    "roles": [("/rolemanagement/directory/roleassignments", "GET")],
    "groups": [("/groups", "GET"), ("/groups/{id}/transitivemembers", "GET"), ("/groups/{id}/owners", "GET")],
    "sign_out": [("/users/{id}/revokesigninsessions", "POST")],
    "invalidate_tokens": [("/users/{id}/invalidateallrefreshtokens", "POST")],
    "change_apps": [
        ("/serviceprincipals/{id}", "PATCH"),
        ("/serviceprincipals/{id}", "DELETE"),
        ("/directory/deleteditems/{id}/restore", "POST"),
        ("/directory/deleteditems/{id}", "DELETE"),
    ],
    "assignments": [(ASSIGNED, "POST"), (ASSIGNED + "/{id}", "DELETE")],
    "app_permissions": [(ASSIGNED, "POST"), (ASSIGNED + "/{id}", "DELETE")],
    "sponsors": [("/serviceprincipals/{id}/sponsors", "GET")],
    "agents": [(AGENT.removesuffix("/{id}"), "GET")],
    "disable_agents": [(AGENT, "PATCH")],
    "delete_agents": [(AGENT, "DELETE")],
    "disable_blueprints": [(BLUEPRINT, "PATCH")],
    "delete_blueprints": [(BLUEPRINT, "DELETE")],
    "organization": [("/organization", "GET")],
    "consent_policy": [("/policies/authorizationpolicy", "GET")],
    "upload_policies": [
        ("/trustframework/policies/{id}/$value", "PUT"),
        ("/trustframework/policies/{id}", "DELETE"),
    ],
    "custom_policies": [("/trustframework/policies", "GET")],
    "consent_dates": [("/auditlogs/directoryaudits", "GET")],
    "consent_requests": [("/identitygovernance/appconsent/appconsentrequests", "GET")],
    "last_used": [("/reports/serviceprincipalsigninactivities", "GET")],
}
FEATURES = [*connection.FEATURES, *connection.OF_B2C]
# Microsoft's table has one call of which several permissions together are the least; what Application.ReadWrite.All
# manages it says itself: https://learn.microsoft.com/graph/permissions-reference#applicationreadwriteall
READ_IN_ADDITION = {(ASSIGNED, "POST"): {"Application.Read.All", "Directory.Read.All"}}


def enough(call: tuple[str, str]) -> set[str]:
    found = published.permissions().get(call, frozenset()) | documented.MORE_PERMISSIONS.get(call, frozenset())
    return set(found) - READ_IN_ADDITION.get(call, set())


@pytest.mark.parametrize("feature", FEATURES, ids=lambda one: one.key)
def test_each_permission_named_is_enough_for_what_it_is_named_for(feature: Feature):
    for call in CALLS[feature.key]:
        assert enough(call), f"{call} is in no table"
        assert set(feature.any_of) <= enough(call), call


@pytest.mark.parametrize("name", sorted(actions.all_actions()))
def test_every_action_says_what_it_needs_and_a_feature_shows_it(name):
    action = actions.get(name)

    assert action.local or action.needs
    assert action.local or any(feature.any_of == action.needs for feature in FEATURES)


def test_the_strong_ones_are_asked_for_where_nothing_less_is_enough():
    """AppRoleAssignment.ReadWrite.All lets its holder give itself anything; nobody needs it for the everyday."""
    strong = "AppRoleAssignment.ReadWrite.All"
    assert [one.key for one in FEATURES if one.any_of[0] == strong] == ["app_permissions"]
    assert all(one.optional for one in FEATURES if one.any_of[0] == strong)
    assert "User.ReadWrite.All" not in connection.INVALIDATE_TOKENS.any_of


# --- The guide ----------------------------------------------------------------------------------------

GUIDE = (Path(__file__).parents[2] / "docs/real-tenant.md").read_text()


def row(feature: Feature) -> str:
    others = ", ".join(f"`{one}`" for one in feature.any_of[1:])
    optional = " *Optional.*" if feature.optional else ""
    return f"| `{feature.any_of[0]}` | {feature.text}{optional} | {others} |"


@pytest.mark.parametrize("feature", FEATURES, ids=lambda one: one.key)
def test_the_guide_has_each_feature_with_its_permissions(feature):
    assert row(feature) in GUIDE.splitlines()


def test_the_guide_names_no_permission_that_nothing_needs():
    named = set(re.findall(r"`([A-Z][A-Za-z]+\.[A-Z][A-Za-z]+(?:\.[A-Za-z]+)?)`", GUIDE))
    needed = {one for feature in FEATURES for one in feature.any_of}
    assert named - needed <= {"User.Read", "Portal.TenantAdmin", "Portal.Helpdesk", "Portal.Auditor"}


def test_the_numbers_in_the_guide_are_those_the_portal_explains():
    assert set(re.findall(r"AADSTS(\d+)", GUIDE)) <= set(explain.NUMBERS)
