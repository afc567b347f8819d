"""The organisation, what was used when, what was done by whom, and objects by their ids."""

from __future__ import annotations

import re

from sandbox.graph_api import access as may, bodies
from sandbox.graph_api.errors import Refused, bad_request
from sandbox.graph_api.pages import collection, entity
from sandbox.graph_api.resources import find
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shapes import OBJECT, shape_of
from sandbox.graph_api.tenant_shapes import DOMAIN, LICENCE, ORGANIZATION
from sandbox.graph_api.wire import Answer, Ask, stamp
from sandbox.graph_api.writing import writer
from sandbox.objects import make_id

BY_IDS_LIMIT = 1_000
EVERYBODYS_ORGANIZATION = frozenset({"id", "displayName", "verifiedDomains"})
AUDIT_DEFAULT = AUDIT_MAX = 1_000
# Others are told the id, the name and the domains only: https://learn.microsoft.com/graph/api/organization-list
FULL_ORGANIZATION = may.names(
    "Organization.Read.All Organization.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
)


@graph.on("GET", "/organization")
def list_organizations(ask: Ask) -> Answer:
    """A list with one item, ours. https://learn.microsoft.com/graph/api/organization-list"""
    return collection(ask, ORGANIZATION, [ask.tenant], limit_to=_readable(ask))


@graph.on("GET", "/organization/{}")
def get_organization(ask: Ask, key: str) -> Answer:
    if key.lower() != ask.tenant.id:
        raise Refused(404, "Request_ResourceNotFound", f"Resource '{key}' does not exist.")
    return entity(ask, ORGANIZATION, ask.tenant, limit_to=_readable(ask))


def _readable(ask: Ask) -> frozenset[str] | None:
    return None if ask.caller.has(*FULL_ORGANIZATION) else EVERYBODYS_ORGANIZATION


@graph.on("GET", "/domains")
def list_domains(ask: Ask) -> Answer:
    """https://learn.microsoft.com/graph/api/domain-list"""
    return collection(ask, DOMAIN, [(ask.tenant, name) for name in ask.tenant.domains])


@graph.on("GET", "/subscribedSkus", units=3)
def list_licences(ask: Ask) -> Answer:
    """https://learn.microsoft.com/graph/api/subscribedsku-list"""
    return collection(ask, LICENCE, [ask.tenant])


@graph.on("GET", "/reports/servicePrincipalSignInActivities", roles=may.AUDIT_READERS, beta_only=True)
def list_app_activities(ask: Ask) -> Answer:
    """When apps were last used. https://learn.microsoft.com/graph/api/reportroot-list-serviceprincipalsigninactivities"""
    ask.only("$top", "$filter", "$skiptoken")
    value = []
    for principal in ask.tenant.service_principals.values():
        if principal.last_sign_in is None:
            continue
        when = {
            "lastSignInDateTime": stamp(principal.last_sign_in),
            "lastSignInRequestId": make_id("use", principal.id),
        }
        never = {"lastSignInDateTime": None, "lastSignInRequestId": None}
        delegated = bool(ask.tenant.grants_by_client.get(principal.id))
        value.append(
            {
                "id": principal.id,
                "appId": principal.app_id,
                "lastSignInActivity": when,
                "delegatedClientSignInActivity": when if delegated else never,
                "delegatedResourceSignInActivity": never,
                "applicationAuthenticationClientSignInActivity": never if delegated else when,
                "applicationAuthenticationResourceSignInActivity": never,
            }
        )
    return Answer(body={"@odata.context": ask.context("reports/servicePrincipalSignInActivities"), "value": value})


_AND = re.compile(r" and (?=(?:[^']*'[^']*')*[^']*$)")  # outside of what is quoted


@graph.on("GET", "/auditLogs/directoryAudits", roles=may.AUDIT_READERS)
def list_audits(ask: Ask) -> Answer:
    """Newest first. https://learn.microsoft.com/graph/api/directoryaudit-list"""
    ask.only("$filter", "$top", "$orderby", "$skiptoken")
    found = ask.tenant.audit.newest_first()
    for clause in _AND.split(ask.query.get("$filter") or ""):
        name, _, rest = clause.strip().partition(" ")
        operator, _, value = rest.partition(" ")
        value = value.strip().strip("'")
        if name == "activityDisplayName" and operator == "eq":
            found = [one for one in found if one["activityDisplayName"] == value]
        elif name == "category" and operator == "eq":
            found = [one for one in found if one["category"] == value]
        elif name == "activityDateTime" and operator in ("ge", "le"):
            later = operator == "ge"
            found = [
                one for one in found if (one["activityDateTime"] >= value) == later or one["activityDateTime"] == value
            ]
        elif name:
            raise bad_request("The filter is not supported.", code="Request_UnsupportedQuery")
    ordering = ask.query.get("$orderby", "activityDateTime desc").split()
    if ordering[0] != "activityDateTime" or ordering[1:] not in ([], ["asc"], ["desc"]):
        raise bad_request("Sorting not supported for current query.", code="Request_UnsupportedQuery")
    if ordering[1:] != ["desc"]:
        found.reverse()
    top = ask.query.get("$top")
    size = int(top) if top and top.isdecimal() and 0 < int(top) <= AUDIT_MAX else AUDIT_DEFAULT
    return Answer(body={"@odata.context": ask.context("auditLogs/directoryAudits"), "value": found[:size]})


@graph.on("POST", "/directoryObjects/getByIds", units=5)
def get_by_ids(ask: Ask) -> Answer:
    """Those of the ids that exist. https://learn.microsoft.com/graph/api/directoryobject-getbyids"""
    ask.only("$select")
    given = bodies.parameters(ask, {"ids": "*String", "types": "*String"}, required=("ids",))
    if len(given["ids"]) > BY_IDS_LIMIT:
        raise bad_request(f"Too many ids. At most {BY_IDS_LIMIT}.")
    types = {str(one).lower() for one in given.get("types") or []} - {"directoryobject"}
    entry = writer(ask, OBJECT, OBJECT.names(ask.query.get("$select"), beta=ask.beta), related=True)
    found = ask.view.objects(str(one).lower() for one in given["ids"])
    value = [entry(one) for one in found if not types or shape_of(one).type.lower() in types]
    return Answer(body={"@odata.context": ask.context("directoryObjects"), "value": value})


@graph.on("GET", "/directoryObjects/{}")
def get_object(ask: Ask, key: str) -> Answer:
    """https://learn.microsoft.com/graph/api/directoryobject-get"""
    return entity(ask, OBJECT, find.any_object(ask, key))
