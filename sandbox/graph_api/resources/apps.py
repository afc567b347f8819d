"""Service principals and the recycle bin.

https://learn.microsoft.com/graph/api/resources/serviceprincipal
https://learn.microsoft.com/graph/api/resources/directory
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.graph_api import access as may
from sandbox.graph_api.errors import Refused, bad_request, forbidden, invalid_id, not_found
from sandbox.graph_api.pages import collection, counted, entity
from sandbox.graph_api.resources import find
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shapes import SERVICE_PRINCIPAL, USER
from sandbox.graph_api.wire import Answer, AppId, Ask, is_guid
from sandbox.objects import ServicePrincipal, User

TEXT = (str, type(None))
CHANGEABLE: dict[str, tuple[str, type | tuple]] = {
    "accountEnabled": ("enabled", bool),
    "appRoleAssignmentRequired": ("assignment_required", bool),
    "displayName": ("display_name", str),
    "description": ("description", TEXT),
    "homepage": ("homepage", TEXT),
    "logoutUrl": ("logout_url", TEXT),
    "notes": ("notes", TEXT),
    "replyUrls": ("reply_urls", list),
    "servicePrincipalNames": ("names", list),
    "tags": ("tags", list),
}
WRITES_ALL_APPS = may.names("Application.ReadWrite.All Directory.ReadWrite.All")
WRITES_APPS = WRITES_ALL_APPS | {may.OWNED_ONLY}
READS_BIN = may.names("Application.Read.All Application.ReadWrite.All Directory.Read.All")
READS_USERS = may.names("User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All")
# https://learn.microsoft.com/graph/api/directory-deleteditems-restore
BIN_OF_USERS = may.names("User.DeleteRestore.All User.ReadWrite.All")
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
    given = ask.fields({"appId": str, **{name: kind for name, (_, kind) in CHANGEABLE.items()}}, required=("appId",))
    application = ask.world.application(given.pop("appId"))
    if application is None:
        raise bad_request("The appId of the service principal does not reference a valid application object.")
    if ask.tenant.service_principal_for(application.app_id):
        raise Refused(409, "Request_MultipleObjectsWithSameKeyValue", IN_USE.format(application.app_id))
    made = ask.tenant.instantiate(application)
    if given:
        ask.tenant.update_service_principal(made.id, **_changes(given))
    answer = entity(ask, SERVICE_PRINCIPAL, made)
    answer.status = 201
    answer.headers["Location"] = ask.location(made.id, "ServicePrincipal")
    return answer


@graph.on("GET", "/servicePrincipals/{}")
def get_service_principal(ask: Ask, key: str) -> Answer:
    return entity(ask, SERVICE_PRINCIPAL, find.service_principal(ask, key))


@graph.on("PATCH", "/servicePrincipals/{}", roles=may.APP_WRITERS)
def change_service_principal(ask: Ask, key: str) -> Answer:
    present = _present(ask, key)
    given = ask.fields({name: kind for name, (_, kind) in CHANGEABLE.items()})
    _check_kind(ask, present)
    ask.tenant.update_service_principal(present.id, **_changes(given))
    ask.tenant.audit.app("Update service principal", present, ask.caller, "Update", sorted(given))
    return Answer(204)


@graph.on("DELETE", "/servicePrincipals/{}", roles=may.APP_WRITERS)
def delete_service_principal(ask: Ask, key: str) -> Answer:
    present = _present(ask, key)
    _check_kind(ask, present)
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
@graph.on("GET", "/servicePrincipals/{}/memberOf")
def list_nothing(ask: Ask, key: str) -> Answer:
    find.service_principal(ask, key)
    return Answer(body={"@odata.context": ask.context("directoryObjects"), "value": []})


# --- the recycle bin -------------------------------------------------------------------------------


@graph.on("GET", "/directory/deletedItems", roles=may.BIN_READERS)
def refuse_the_whole_bin(ask: Ask) -> Answer:
    raise bad_request("The request is missing the type of deleted items, such as microsoft.graph.servicePrincipal.")


@graph.on("GET", "/directory/deletedItems/graph.servicePrincipal", roles=may.BIN_READERS)
def list_deleted(ask: Ask) -> Answer:
    ask.tenant.empty_recycle_bin()
    return collection(ask, SERVICE_PRINCIPAL, ask.view.all("deleted_service_principals"))


@graph.on("GET", "/directory/deletedItems/graph.user")
def list_deleted_users(ask: Ask) -> Answer:
    ask.tenant.empty_recycle_bin()
    return collection(ask, USER, ask.view.all("deleted_users"))


@graph.on("GET", "/directory/deletedItems/{}", roles=may.BIN_READERS)
@graph.on("GET", "/directory/deletedItems/{}/graph.servicePrincipal", roles=may.BIN_READERS)
def get_deleted(ask: Ask, key: str) -> Answer:
    ask.tenant.empty_recycle_bin()
    found = ask.view.get("deleted_service_principals", key.lower()) or ask.view.get("deleted_users", key.lower())
    if found is None:
        raise not_found(key) if is_guid(key) else invalid_id(key)
    if not ask.caller.has(*(READS_USERS if isinstance(found, User) else READS_BIN)):
        raise forbidden()
    return _deleted(ask, found)


@graph.on("POST", "/directory/deletedItems/{}/restore", roles=may.BIN_READERS)
def restore(ask: Ask, key: str) -> Answer:
    found = _in_bin(ask, key)
    tenant = ask.tenant
    if isinstance(found, User):
        return _deleted(ask, tenant.restore_user(found.id))
    if tenant.service_principal_for(found.app_id):
        raise Refused(409, "Request_MultipleObjectsWithSameKeyValue", IN_USE.format(found.app_id))
    restored = tenant.restore_service_principal(found.id)
    tenant.audit.app("Restore service principal", restored, ask.caller, "Update")
    return _deleted(ask, restored)


@graph.on("DELETE", "/directory/deletedItems/{}", roles=may.BIN_READERS)
def purge(ask: Ask, key: str) -> Answer:
    found = _in_bin(ask, key)
    if isinstance(found, User):
        ask.tenant.purge_user(found.id)
    else:
        ask.tenant.purge_service_principal(found.id)
        ask.tenant.audit.app("Hard delete service principal", found, ask.caller, "Delete")
    return Answer(204)


def _in_bin(ask: Ask, key: str) -> ServicePrincipal | User:
    tenant = ask.tenant
    tenant.empty_recycle_bin()
    found = tenant.deleted_service_principals.get(key.lower()) or tenant.deleted_users.get(key.lower())
    if found is None:
        raise not_found(key) if is_guid(key) else invalid_id(key)
    if isinstance(found, ServicePrincipal):
        _check_kind(ask, found)
    elif not ask.caller.has(*BIN_OF_USERS):
        raise forbidden()
    return found


def _check_kind(ask: Ask, principal: ServicePrincipal) -> None:
    """What may be written depends on what it is.

    A managed identity belongs to its Azure resource and can be neither changed nor deleted nor restored here; with
    Application.ReadWrite.OwnedBy an app by itself may write to nothing but what it owns.

    Raises:
        Refused: 403.
    """
    if principal.type == "ManagedIdentity" or not ask.caller.has(*WRITES_APPS):
        raise forbidden()
    if not ask.caller.has(*WRITES_ALL_APPS) and ask.caller.object_id not in principal.owners:
        raise forbidden()


def _deleted(ask: Ask, found: ServicePrincipal | User) -> Answer:
    shape = USER if isinstance(found, User) else SERVICE_PRINCIPAL
    body = entity(ask, shape, found).body
    context = ask.context("directoryObjects/$entity")
    return Answer(body={**body, "@odata.context": context, "@odata.type": f"#microsoft.graph.{shape.type}"})


def _present(ask: Ask, key: str) -> ServicePrincipal:
    """The service principal as it is, not as a replica has it: writes go to the directory itself."""
    if not is_guid(key):
        raise invalid_id(key)
    tenant = ask.tenant
    found = tenant.service_principal_for(key) if isinstance(key, AppId) else tenant.service_principals.get(key.lower())
    if found is None:
        raise not_found(key)
    return found


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    return {CHANGEABLE[name][0]: value for name, value in given.items()}


def _candidates(ask: Ask, equals: dict[str, Any]) -> Iterable[ServicePrincipal]:
    view = ask.view
    if "appId" in equals:
        found = view.service_principal_for(str(equals["appId"]))
        return [found] if found else []
    if "id" in equals:
        found = view.service_principal(str(equals["id"]))
        return [found] if found else []
    return view.all("service_principals")
