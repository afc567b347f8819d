"""Service principals, agents among them: what only agents have is in `agents`.

https://learn.microsoft.com/graph/api/resources/serviceprincipal
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.graph_api import access as may, bodies
from sandbox.graph_api.app_shapes import SERVICE_PRINCIPAL
from sandbox.graph_api.errors import Refused, bad_request, forbidden, invalid_id, not_found
from sandbox.graph_api.pages import collection, counted, entity
from sandbox.graph_api.resources import find
from sandbox.graph_api.resources.changing import changes
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shapes import OBJECT
from sandbox.graph_api.wire import Answer, AppId, Ask, is_guid
from sandbox.objects import AGENT, BLUEPRINT, ServicePrincipal

CHANGEABLE = {
    "accountEnabled": "enabled",
    "appRoleAssignmentRequired": "assignment_required",
    "displayName": "display_name",
    "description": "description",
    "homepage": "homepage",
    "logoutUrl": "logout_url",
    "notes": "notes",
    "replyUrls": "reply_urls",
    "servicePrincipalNames": "names",
    "tags": "tags",
}
FIXED = frozenset(
    {"id", "deletedDateTime", "appDisplayName", "appDescription", "appOwnerOrganizationId", "signInAudience"}
    | {"applicationTemplateId", "createdByAppId", "disabledByMicrosoftStatus", "isDisabled", "servicePrincipalType"}
    | {"verifiedPublisher", "oauth2PermissionScopes", "resourceSpecificApplicationPermissions"}
)
WRITES_ALL_APPS = may.names("Application.ReadWrite.All Directory.ReadWrite.All")
WRITES_APPS = WRITES_ALL_APPS | {may.OWNED_ONLY}
AGENT_PATHS = {kind: f"/servicePrincipals/graph.{kind}/{{}}" for kind in (AGENT, BLUEPRINT)}
AGENTS = {
    kind: {method: frozenset().union(*may.allowed(method, path)) for method in ("PATCH", "DELETE")}
    for kind, path in AGENT_PATHS.items()
}
BOTH = tuple(AGENT_PATHS.values())
# "Agent permissions are ignored for clients that hold these": the pages of every write to agents.
SPOILS_AGENTS = may.names("Directory.AccessAsUser.All Directory.ReadWrite.All")
IN_USE = (
    "The service principal cannot be created, updated, or restored because the service principal name {} "
    "is already in use."
)


@graph.on("GET", "/servicePrincipals")
def list_service_principals(ask: Ask) -> Answer:
    return collection(ask, SERVICE_PRINCIPAL, lambda equals: _candidates(ask, equals))


@graph.on("GET", "/servicePrincipals/$count")
def count_service_principals(ask: Ask) -> Answer:
    return counted(ask, SERVICE_PRINCIPAL, ask.view.all("service_principals"))


@graph.on("POST", "/servicePrincipals", roles=may.APP_WRITERS)
def create_service_principal(ask: Ask) -> Answer:
    given = bodies.properties(ask, "servicePrincipal", required=("appId",), read_only=FIXED)
    application = ask.world.application(given.pop("appId"))
    if application is None:
        raise bad_request("The appId of the service principal does not reference a valid application object.")
    if ask.tenant.service_principal_for(application.app_id):
        raise Refused(409, "Request_MultipleObjectsWithSameKeyValue", IN_USE.format(application.app_id))
    made = ask.tenant.instantiate(application)
    if given:
        ask.tenant.update_service_principal(made.id, **changes(made, given, CHANGEABLE))
    answer = entity(ask, SERVICE_PRINCIPAL, made)
    answer.status = 201
    answer.headers["Location"] = ask.location(made.id, "ServicePrincipal")
    return answer


@graph.on("GET", "/servicePrincipals/{}")
def get_service_principal(ask: Ask, key: str) -> Answer:
    return entity(ask, SERVICE_PRINCIPAL, find.service_principal(ask, key))


@graph.on("PATCH", "/servicePrincipals/{}", roles=may.APP_WRITERS, also=BOTH)
def change_service_principal(ask: Ask, key: str) -> Answer:
    present = _present(ask, key)
    given = bodies.properties(ask, "servicePrincipal", read_only=FIXED | {"appId"})
    check_kind(ask, present)
    ask.tenant.update_service_principal(present.id, **changes(present, given, CHANGEABLE))
    ask.tenant.audit.app("Update service principal", present, ask.caller, "Update", sorted(given))
    return Answer(204)


@graph.on("DELETE", "/servicePrincipals/{}", roles=may.APP_WRITERS, also=BOTH)
def delete_service_principal(ask: Ask, key: str) -> Answer:
    present = _present(ask, key)
    check_kind(ask, present)
    ask.tenant.delete_service_principal(present.id)
    ask.tenant.audit.app("Remove service principal", present, ask.caller, "Delete")
    return Answer(204)


@graph.on("GET", "/servicePrincipals/{}/delegatedPermissionClassifications")
def list_classifications(ask: Ask, key: str) -> Answer:
    """None, until an administrator of the tenant fills them in."""
    find.service_principal(ask, key)
    context = ask.context(f"servicePrincipals('{key}')/delegatedPermissionClassifications")
    return Answer(body={"@odata.context": context, "value": []})


@graph.on("GET", "/servicePrincipals/{}/owners")
def list_owners(ask: Ask, key: str) -> Answer:
    return collection(ask, OBJECT, ask.view.objects(find.service_principal(ask, key).owners), related=True)


@graph.on("GET", "/servicePrincipals/{}/memberOf")
@graph.on("GET", "/servicePrincipals/{}/transitiveMemberOf")
def list_memberships(ask: Ask, key: str) -> Answer:
    return collection(ask, OBJECT, ask.tenant.groups_of(find.service_principal(ask, key).id), related=True)


@graph.on("GET", "/servicePrincipals/{}/ownedObjects")
def list_owned(ask: Ask, key: str) -> Answer:
    return collection(ask, OBJECT, ask.tenant.owned_by(find.service_principal(ask, key).id), related=True)


def check_kind(ask: Ask, principal: ServicePrincipal) -> None:
    """What may be written depends on what it is.

    A managed identity belongs to its Azure resource and can be neither changed nor deleted nor restored here. Agents
    need permissions of their own: https://learn.microsoft.com/graph/api/agentidentity-delete says "higher: not
    available", another page of Microsoft's lets Application.ReadWrite.All through, and `world.agents_need_their_own`
    chooses. Those permissions count for nothing beside one that writes the whole directory. With
    Application.ReadWrite.OwnedBy an app by itself may write to nothing but what it owns.

    Raises:
        Refused: 403.
    """
    caller = ask.caller
    if principal.type == "ManagedIdentity":
        raise forbidden()
    own = AGENTS.get(principal.kind)
    if own and caller.has(*SPOILS_AGENTS):
        raise forbidden()
    if own and caller.has(*own["DELETE" if ask.method == "POST" else ask.method]):
        return
    if (own and ask.world.agents_need_their_own) or not caller.has(*WRITES_APPS):
        raise forbidden()
    if not caller.has(*WRITES_ALL_APPS) and caller.object_id not in principal.owners:
        raise forbidden()


def _present(ask: Ask, key: str) -> ServicePrincipal:
    """The service principal as it is, not as a replica has it: writes go to the directory itself."""
    if not is_guid(key):
        raise invalid_id(key)
    tenant = ask.tenant
    found = tenant.service_principal_for(key) if isinstance(key, AppId) else tenant.service_principals.get(key.lower())
    if found is None:
        raise not_found(key)
    return found


def _candidates(ask: Ask, equals: dict[str, Any]) -> Iterable[ServicePrincipal]:
    view = ask.view
    if "appId" in equals:
        found = view.service_principal_for(str(equals["appId"]))
        return [found] if found else []
    if "id" in equals:
        found = view.service_principal(str(equals["id"]))
        return [found] if found else []
    return view.all("service_principals")
