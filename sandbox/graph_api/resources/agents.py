"""What only agents and their blueprints' principals have: lists of their own, sponsors, owners, what they inherit.

The type stands before the id in one half of Microsoft's pages and after it in the other: both answer.

https://learn.microsoft.com/graph/api/resources/agentidentity
https://learn.microsoft.com/graph/api/resources/agentidentityblueprintprincipal
"""

from __future__ import annotations

from typing import Any

from sandbox.graph_api import access as may, app_shapes
from sandbox.graph_api.errors import bad_request, not_found
from sandbox.graph_api.pages import collection, entity
from sandbox.graph_api.resources import find
from sandbox.graph_api.resources.apps import AGENT_PATHS, change_service_principal, delete_service_principal
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shape import Shape
from sandbox.graph_api.shapes import AGENT_USER, OBJECT
from sandbox.graph_api.wire import Answer, Ask, is_guid
from sandbox.objects import AGENT, BLUEPRINT, ServicePrincipal, grant_id

AGENTS_PAGE = 100
ALREADY_THERE = "One or more added object references already exist for the following modified properties: 'sponsors'."


def _serve_kind(kind: str, shape: Shape) -> None:
    path = AGENT_PATHS[kind]

    def find_one(ask: Ask, key: str) -> ServicePrincipal:
        found = find.service_principal(ask, key)
        if found.kind != kind:
            raise not_found(key)
        return found

    def list_them(ask: Ask) -> Answer:
        if ask.query.get("$top", "").isdecimal() and int(ask.query["$top"]) > AGENTS_PAGE:
            ask.query["$top"] = str(AGENTS_PAGE)
        return collection(ask, shape, [one for one in ask.view.all("service_principals") if one.kind == kind])

    def get_one(ask: Ask, key: str) -> Answer:
        return entity(ask, shape, find_one(ask, key))

    def change_one(ask: Ask, key: str) -> Answer:
        return change_service_principal(ask, find_one(ask, key).id)

    def delete_one(ask: Ask, key: str) -> Answer:
        return delete_service_principal(ask, find_one(ask, key).id)

    def list_owners(ask: Ask, key: str) -> Answer:
        return collection(ask, OBJECT, ask.view.objects(find_one(ask, key).owners), related=True)

    def list_sponsors(ask: Ask, key: str) -> Answer:
        return collection(ask, OBJECT, ask.view.objects(find_one(ask, key).sponsors), related=True)

    graph.on("GET", path.removesuffix("/{}"))(list_them)
    for element in (path, f"/servicePrincipals/{{}}/graph.{kind}"):
        graph.on("GET", element, also=(path,))(get_one)
        graph.on("PATCH", element, roles=may.APP_WRITERS, also=(path,))(change_one)
        graph.on("DELETE", element, roles=may.APP_WRITERS, also=(path,))(delete_one)
        graph.on("GET", f"{element}/owners")(list_owners)
        graph.on("GET", f"{element}/sponsors")(list_sponsors)


_serve_kind(AGENT, app_shapes.AGENT)
_serve_kind(BLUEPRINT, app_shapes.BLUEPRINT)


# --- sponsors --------------------------------------------------------------------------------------


@graph.on("GET", "/servicePrincipals/{}/sponsors")
def list_sponsors(ask: Ask, key: str) -> Answer:
    return collection(ask, OBJECT, ask.view.objects(_sponsored(ask, key).sponsors), related=True)


@graph.on("POST", "/servicePrincipals/{}/sponsors/$ref", roles=may.APP_WRITERS)
def add_sponsor(ask: Ask, key: str) -> Answer:
    """A person or a group. https://learn.microsoft.com/graph/api/agentidentity-post-sponsors"""
    agent, tenant = _sponsored(ask, key), ask.tenant
    address = ask.body.get("@odata.id") if isinstance(ask.body, dict) else None
    sponsor_id = str(address or "").rstrip("/").rpartition("/")[2].lower()
    if not is_guid(sponsor_id):
        raise bad_request("Invalid URL format specified in @odata.id for BindAction operation.")
    if sponsor_id not in tenant.users and sponsor_id not in tenant.groups:
        raise not_found(sponsor_id)
    if sponsor_id in agent.sponsors:
        raise bad_request(ALREADY_THERE)
    tenant.update_service_principal(agent.id, sponsors=[*agent.sponsors, sponsor_id])
    return Answer(204)


@graph.on("DELETE", "/servicePrincipals/{}/sponsors/{}/$ref", roles=may.APP_WRITERS)
def remove_sponsor(ask: Ask, key: str, sponsor_id: str) -> Answer:
    agent = _sponsored(ask, key)
    if sponsor_id.lower() not in agent.sponsors:
        raise not_found(sponsor_id)
    left = [one for one in agent.sponsors if one != sponsor_id.lower()]
    ask.tenant.update_service_principal(agent.id, sponsors=left)
    return Answer(204)


def _sponsored(ask: Ask, key: str) -> ServicePrincipal:
    """Only agents and blueprints have sponsors; of other service principals the metadata knows no such relation."""
    found = find.service_principal(ask, key)
    if found.kind not in AGENT_PATHS:
        raise bad_request("Resource not found for the segment 'sponsors'.", code="BadRequest")
    return found


# --- what agents inherit ---------------------------------------------------------------------------
# Beta only, without query options and pages; writing answers 405:
# https://learn.microsoft.com/graph/api/agentidentity-list-inheritedoauth2permissiongrants?view=graph-rest-beta


def _inherited(ask: Ask, key: str) -> ServicePrincipal:
    ask.only()
    found = find.service_principal(ask, key)
    if found.kind != AGENT:
        raise not_found(key)
    return found


def _listed(ask: Ask, key: str, name: str, rows: list[dict[str, Any]]) -> Answer:
    return Answer(body={"@odata.context": ask.context(f"servicePrincipals('{key}')/{name}"), "value": rows})


@graph.on("GET", "/servicePrincipals/{}/inheritedOauth2PermissionGrants", beta_only=True)
@graph.on("GET", "/servicePrincipals/graph.agentIdentity/{}/inheritedOauth2PermissionGrants", beta_only=True)
@graph.on("GET", "/servicePrincipals/{}/graph.agentIdentity/inheritedOauth2PermissionGrants", beta_only=True)
def list_inherited_scopes(ask: Ask, key: str) -> Answer:
    """Rows name the agent, not the blueprint's principal that holds the grant."""
    agent = _inherited(ask, key)
    rows = [
        {
            "id": grant_id(resource_id, agent.id),  # no grant of that id exists
            "clientId": agent.id,
            "consentType": "AllPrincipals",
            "principalId": None,
            "resourceId": resource_id,
            "scope": " ".join(scopes),
        }
        for resource_id, scopes in ask.tenant.inherited_scopes(agent.id).items()
    ]
    return _listed(ask, key, "inheritedOauth2PermissionGrants", rows)


@graph.on("GET", "/servicePrincipals/{}/inheritedAppRoleAssignments", beta_only=True)
@graph.on("GET", "/servicePrincipals/graph.agentIdentity/{}/inheritedAppRoleAssignments", beta_only=True)
@graph.on("GET", "/servicePrincipals/{}/graph.agentIdentity/inheritedAppRoleAssignments", beta_only=True)
def list_inherited_roles(ask: Ask, key: str) -> Answer:
    agent = _inherited(ask, key)
    rows = [
        {
            "id": f"inherited-{one.id}",
            "appRoleId": one.app_role_id,
            "principalDisplayName": agent.display_name,
            "principalId": agent.id,
            "principalType": "ServicePrincipal",
            "resourceDisplayName": ask.tenant.service_principals[one.resource_id].display_name,
            "resourceId": one.resource_id,
        }
        for one in ask.tenant.inherited_roles(agent.id)
    ]
    return _listed(ask, key, "inheritedAppRoleAssignments", rows)


# --- agents' own accounts --------------------------------------------------------------------------


@graph.on("GET", "/users/graph.agentUser", units=2)
def list_agent_users(ask: Ask) -> Answer:
    """https://learn.microsoft.com/graph/api/agentuser-list"""
    return collection(ask, AGENT_USER, [one for one in ask.view.all("users") if one.agent_id])
