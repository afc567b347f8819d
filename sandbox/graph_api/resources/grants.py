"""Delegated permission grants. https://learn.microsoft.com/graph/api/resources/oauth2permissiongrant"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.graph_api import access as may, bodies
from sandbox.graph_api.errors import Refused, bad_request, invalid_id, not_found
from sandbox.graph_api.pages import collection, counted, entity
from sandbox.graph_api.resources import find
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shapes import GRANT
from sandbox.graph_api.wire import Answer, Ask, is_guid
from sandbox.objects import AGENT, Grant, ServicePrincipal
from sandbox.records import BLOCKED_FOR_AGENTS

SCOPE_LIMIT = 3_850
FIXED = ("id", "clientId", "consentType", "principalId", "resourceId")
ID_LENGTHS = (43, 64)
ALREADY_THERE = "Permission entry already exists."
NOT_CONTAINED = "Write requests are only supported on contained entities or navigation properties with bindings."


@graph.on("GET", "/oauth2PermissionGrants", roles=may.GRANT_READERS, units=2)
def list_grants(ask: Ask) -> Answer:
    world, whole = ask.world, "$filter" not in ask.query
    unlisted = len(_omitted(ask)) if whole and world.omitted_are_counted and not ask.query.get("$skiptoken") else 0
    return collection(ask, GRANT, lambda equals: _candidates(ask, equals), unlisted=unlisted)


@graph.on("GET", "/oauth2PermissionGrants/$count", roles=may.GRANT_READERS, units=2)
def count_grants(ask: Ask) -> Answer:
    found = ask.view.all("grants")
    if not ask.world.omitted_are_counted:
        omitted = _omitted(ask)
        found = [grant for grant in found if grant.id not in omitted]
    return counted(ask, GRANT, found)


@graph.on("GET", "/me/oauth2PermissionGrants")
def list_own_grants(ask: Ask) -> Answer:
    return collection(ask, GRANT, ask.view.grants_of_principal(find.me(ask).id))


@graph.on("GET", "/users/{}/oauth2PermissionGrants", roles=may.USERS_GRANT_READERS)
def list_grants_of_user(ask: Ask, key: str) -> Answer:
    """The person's own only; tenant-wide ones are not among them."""
    return collection(ask, GRANT, ask.view.grants_of_principal(find.user(ask, key).id))


@graph.on("GET", "/servicePrincipals/{}/oauth2PermissionGrants", roles=may.GRANT_READERS)
def list_grants_of_client(ask: Ask, key: str) -> Answer:
    return collection(ask, GRANT, ask.view.grants_of_client(find.service_principal(ask, key).id))


@graph.on("GET", "/oauth2PermissionGrants/{}", roles=may.GRANT_READERS, units=2)
def get_grant(ask: Ask, key: str) -> Answer:
    if len(key) not in ID_LENGTHS:
        raise invalid_id(key)
    found = ask.view.get("grants", key)
    if found is None:
        raise not_found(key)
    return entity(ask, GRANT, found)


@graph.on("POST", "/oauth2PermissionGrants", roles=may.GRANT_WRITERS)
def create_grant(ask: Ask) -> Answer:
    needed = ("clientId", "consentType", "resourceId")
    given = bodies.properties(ask, "oAuth2PermissionGrant", required=needed, read_only=("id",))
    consent_type, principal_id = given["consentType"], given.get("principalId")
    if consent_type not in ("AllPrincipals", "Principal") or (consent_type == "Principal") != bool(principal_id):
        raise bad_request("One or more property values specified are invalid.", target="consentType")
    tenant, scope = ask.tenant, _scope(given.get("scope"))
    ids = [given["clientId"].lower(), given["resourceId"].lower()]
    for object_id in ids:
        if not is_guid(object_id):
            raise invalid_id(object_id)
        if object_id not in tenant.service_principals:
            raise not_found(object_id)
    if principal_id is not None:
        principal_id = principal_id.lower()
        if principal_id not in tenant.users:
            raise not_found(principal_id)
    _check_for_agents(tenant.service_principals[ids[0]], scope)
    if tenant.grant_for(*ids, principal_id):
        raise Refused(409, "Request_MultipleObjectsWithSameKeyValue", ALREADY_THERE)
    made = tenant.add_scopes(*ids, principal_id, scope.split())
    tenant.audit.granted(made, ask.caller)
    answer = entity(ask, GRANT, made)
    answer.status = 201
    answer.headers["Location"] = f"{ask.base}/oauth2PermissionGrants/{made.id}"
    return answer


@graph.on("PATCH", "/oauth2PermissionGrants/{}", roles=may.GRANT_WRITERS)
def change_grant(ask: Ask, key: str) -> Answer:
    """The scope, as a whole; nothing else about a grant can change."""
    grant = _present(ask, key)
    given = bodies.properties(ask, "oAuth2PermissionGrant", read_only=FIXED)
    if "scope" in given:
        _check_for_agents(ask.tenant.service_principals[grant.client_id], given["scope"] or "")
        ask.tenant.audit.ungranted(grant, ask.caller)
        ask.tenant.audit.granted(ask.tenant.set_grant_scope(grant.id, _scope(given["scope"])), ask.caller)
    return Answer(204)


@graph.on("DELETE", "/oauth2PermissionGrants/{}", roles=may.GRANT_WRITERS)
def delete_grant(ask: Ask, key: str) -> Answer:
    grant = _present(ask, key)
    ask.tenant.delete_grant(grant.id)
    ask.tenant.audit.ungranted(grant, ask.caller)
    return Answer(204)


@graph.on("DELETE", "/me/oauth2PermissionGrants/{}", roles=may.GRANT_WRITERS)
@graph.on("PATCH", "/me/oauth2PermissionGrants/{}", roles=may.GRANT_WRITERS)
@graph.on("DELETE", "/users/{}/oauth2PermissionGrants/{}", roles=may.GRANT_WRITERS)
@graph.on("PATCH", "/users/{}/oauth2PermissionGrants/{}", roles=may.GRANT_WRITERS)
@graph.on("DELETE", "/servicePrincipals/{}/oauth2PermissionGrants/{}", roles=may.GRANT_WRITERS)
def refuse_writing_through_a_list(ask: Ask, *keys: str) -> Answer:
    raise bad_request(NOT_CONTAINED, code="BadRequest")


def _present(ask: Ask, key: str) -> Grant:
    """The grant as it is, not as a replica has it: writes go to the directory itself."""
    if len(key) not in ID_LENGTHS:
        raise invalid_id(key)
    found = ask.tenant.grants.get(key)
    if found is None:
        raise not_found(key)
    return found


def _check_for_agents(client: ServicePrincipal, scope: str) -> None:
    """Some permissions nobody can give to an agent.

    Raises:
        Refused: 400. The words are not documented.
    """
    if client.kind == AGENT and (blocked := BLOCKED_FOR_AGENTS.intersection(scope.split())):
        raise bad_request(f"The permission {min(blocked)} cannot be granted to an agent identity.", target="scope")


def _scope(text: str | None) -> str:
    if len(text or "") > SCOPE_LIMIT:
        raise bad_request(f"The scope may hold at most {SCOPE_LIMIT} characters.", target="scope")
    return text or ""


def _candidates(ask: Ask, equals: dict[str, Any]) -> Iterable[Grant]:
    view = ask.view
    if "clientId" in equals:
        return view.grants_of_client(str(equals["clientId"]).lower())
    if "principalId" in equals:
        return view.grants_of_principal(str(equals["principalId"]).lower())
    if equals.get("consentType") == "AllPrincipals":
        return view.grants_of_principal(None)
    found = view.all("grants")
    if ask.world.incomplete_grants and not ask.advanced:
        return [grant for number, grant in enumerate(found) if number % 3]
    if omitted := _omitted(ask):
        return [grant for grant in found if grant.id not in omitted]
    return found


def _omitted(ask: Ask) -> set[str]:
    """What the list leaves out for good: https://github.com/microsoftgraph/microsoft-graph-docs/issues/17247"""
    every = ask.world.omitted_grants
    return {grant.id for number, grant in enumerate(ask.view.all("grants")) if number % every == 0} if every else set()
