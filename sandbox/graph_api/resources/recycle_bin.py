"""The recycle bin: what was deleted and may come back for 30 days.

https://learn.microsoft.com/graph/api/resources/directory
https://learn.microsoft.com/graph/api/directory-deleteditems-restore
"""

from __future__ import annotations

from sandbox.graph_api import access as may
from sandbox.graph_api.app_shapes import APPLICATION, SERVICE_PRINCIPAL
from sandbox.graph_api.errors import Refused, bad_request, forbidden, invalid_id, not_found
from sandbox.graph_api.pages import collection, entity
from sandbox.graph_api.resources.apps import IN_USE, check_kind
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shapes import OBJECT, USER
from sandbox.graph_api.view import View
from sandbox.graph_api.wire import Answer, Ask, is_guid
from sandbox.objects import BLUEPRINT, Application, ServicePrincipal, User
from sandbox.tenant import Tenant

Deleted = ServicePrincipal | User | Application
READS_APPS = may.names("Application.Read.All Application.ReadWrite.All Directory.Read.All")
READS_USERS = may.names("User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All")
WRITES_USERS = may.names("User.DeleteRestore.All User.ReadWrite.All")
BIN = "/directory/deletedItems"


@graph.on("GET", BIN, roles=may.BIN_READERS)
def refuse_the_whole_bin(ask: Ask) -> Answer:
    raise bad_request("The request is missing the type of deleted items, such as microsoft.graph.servicePrincipal.")


@graph.on("GET", f"{BIN}/graph.servicePrincipal", roles=may.BIN_READERS)
def list_deleted(ask: Ask) -> Answer:
    ask.tenant.empty_recycle_bin()
    return collection(ask, SERVICE_PRINCIPAL, ask.view.all("deleted_service_principals"))


@graph.on("GET", f"{BIN}/graph.application", roles=may.BIN_READERS)
def list_deleted_applications(ask: Ask) -> Answer:
    return collection(ask, APPLICATION, ask.tenant.deleted_applications.values())


@graph.on("GET", f"{BIN}/graph.user")
def list_deleted_users(ask: Ask) -> Answer:
    ask.tenant.empty_recycle_bin()
    return collection(ask, USER, ask.view.all("deleted_users"))


@graph.on("GET", f"{BIN}/{{}}", roles=may.BIN_READERS)
@graph.on("GET", f"{BIN}/{{}}/graph.servicePrincipal", roles=may.BIN_READERS)
def get_deleted(ask: Ask, key: str) -> Answer:
    ask.tenant.empty_recycle_bin()
    found = _find(ask.view, key)
    if not ask.caller.has(*(READS_USERS if isinstance(found, User) else READS_APPS)):
        raise forbidden()
    return entity(ask, OBJECT, found)


@graph.on("POST", f"{BIN}/{{}}/restore", roles=may.BIN_READERS)
def restore(ask: Ask, key: str) -> Answer:
    found, tenant = _to_write(ask, key), ask.tenant
    if isinstance(found, User):
        return entity(ask, OBJECT, tenant.restore_user(found.id))
    if isinstance(found, Application):
        found.deleted_at = None
        return entity(ask, OBJECT, ask.world.add_application(tenant.deleted_applications.pop(found.id)))
    if tenant.service_principal_for(found.client_id):
        raise Refused(409, "Request_MultipleObjectsWithSameKeyValue", IN_USE.format(found.app_id))
    restored = tenant.restore_service_principal(found.id)
    tenant.audit.app("Restore service principal", restored, ask.caller, "Update")
    return entity(ask, OBJECT, restored)


@graph.on("DELETE", f"{BIN}/{{}}", roles=may.BIN_READERS)
def purge(ask: Ask, key: str) -> Answer:
    found, tenant = _to_write(ask, key), ask.tenant
    if isinstance(found, User):
        tenant.purge_user(found.id)
    elif isinstance(found, Application):
        del tenant.deleted_applications[found.id]
    else:
        if found.kind == BLUEPRINT:
            raise forbidden()
        tenant.purge_service_principal(found.id)
        tenant.audit.app("Hard delete service principal", found, ask.caller, "Delete")
    return Answer(204)


def _to_write(ask: Ask, key: str) -> Deleted:
    """Who may write asks for what lies there.

    Raises:
        Refused: 403, or 400 and 404 for what is not there.
    """
    ask.tenant.empty_recycle_bin()
    found = _find(View(ask.tenant), key)  # writes go to the directory itself, not to what a replica has
    if isinstance(found, ServicePrincipal):
        check_kind(ask, found)
    elif not ask.caller.has(*(WRITES_USERS if isinstance(found, User) else may.names("Application.ReadWrite.All"))):
        raise forbidden()
    return found


def _find(view: View, key: str) -> Deleted:
    tenant: Tenant = view.tenant
    object_id = key.lower()
    found = view.get("deleted_service_principals", object_id) or view.get("deleted_users", object_id)
    found = found or tenant.deleted_applications.get(object_id)
    if found is None:
        raise not_found(key) if is_guid(key) else invalid_id(key)
    return found
