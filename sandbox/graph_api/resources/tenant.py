"""The organisation, what was used when, what was done by whom, and objects by their ids."""

from __future__ import annotations

from typing import Any

from sandbox.graph_api import access as may
from sandbox.graph_api.errors import Refused, bad_request
from sandbox.graph_api.pages import writer
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shapes import shape_of
from sandbox.graph_api.wire import Answer, Ask, stamp
from sandbox.objects import make_id

BY_IDS_LIMIT = 1_000
AUDIT_DEFAULT = AUDIT_MAX = 1_000
# Others are told the id, the name and the domains only: https://learn.microsoft.com/graph/api/organization-list
FULL_ORGANIZATION = may.names(
    "Organization.Read.All Organization.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
)


@graph.on("GET", "/organization")
def list_organizations(ask: Ask) -> Answer:
    """A list with one item, ours. https://learn.microsoft.com/graph/api/organization-list"""
    body = _organization(ask)
    return Answer(body={"@odata.context": ask.context("organization"), "value": [body]})


@graph.on("GET", "/organization/{}")
def get_organization(ask: Ask, key: str) -> Answer:
    if key.lower() != ask.tenant.id:
        raise Refused(404, "Request_ResourceNotFound", f"Resource '{key}' does not exist.")
    return Answer(body={"@odata.context": ask.context("organization/$entity"), **_organization(ask)})


def _organization(ask: Ask) -> dict[str, Any]:
    tenant = ask.tenant
    domains = [
        {
            "capabilities": "Email, OfficeCommunicationsOnline",
            "isDefault": name == tenant.domain,
            "isInitial": name == tenant.initial_domain,
            "name": name,
            "type": "Managed",
        }
        for name in tenant.domains
    ]
    everybodys = {"id": tenant.id, "displayName": tenant.name, "verifiedDomains": domains}
    full = {
        "deletedDateTime": None,
        "countryLetterCode": "DE",
        "createdDateTime": stamp(tenant.created),
        "tenantType": "AAD",
        "onPremisesSyncEnabled": None,
        "technicalNotificationMails": [f"admin@{tenant.domain}"],
        "assignedPlans": [
            {
                "assignedDateTime": stamp(tenant.created),
                "capabilityStatus": "Enabled",
                "service": "AADPremiumService",
                "servicePlanId": "eec0eb4f-6444-4f95-aba0-50c24d67f998",
            }
        ],
    }
    if not ask.caller.has(*FULL_ORGANIZATION):
        full = dict.fromkeys(full)
    body = everybodys | full
    if select := ask.query.get("$select"):
        names = [name.strip() for name in select.split(",")]
        unknown = next((name for name in names if name not in body), None)
        if unknown:
            message = f"Could not find a property named '{unknown}' on type 'microsoft.graph.organization'."
            raise bad_request(f"Parsing OData Select and Expand failed: {message}", code="BadRequest")
        body = {name: body[name] for name in names}
    return body


@graph.on("GET", "/reports/servicePrincipalSignInActivities", roles=may.AUDIT_READERS, beta_only=True)
def list_app_activities(ask: Ask) -> Answer:
    """When apps were last used. https://learn.microsoft.com/graph/api/reportroot-list-serviceprincipalsigninactivities"""
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


@graph.on("GET", "/auditLogs/directoryAudits", roles=may.AUDIT_READERS)
def list_audits(ask: Ask) -> Answer:
    """Newest first. https://learn.microsoft.com/graph/api/directoryaudit-list"""
    found = ask.tenant.audit.newest_first()
    for clause in (ask.query.get("$filter") or "").split(" and "):
        name, _, rest = clause.strip().partition(" ")
        operator, _, value = rest.partition(" ")
        value = value.strip().strip("'")
        if name == "activityDisplayName" and operator == "eq":
            found = [one for one in found if one["activityDisplayName"] == value]
        elif name == "activityDateTime" and operator in ("ge", "le"):
            later = operator == "ge"
            found = [
                one for one in found if (one["activityDateTime"] >= value) == later or one["activityDateTime"] == value
            ]
        elif name:
            raise bad_request("The filter is not supported.", code="Request_UnsupportedQuery")
    top = ask.query.get("$top")
    size = int(top) if top and top.isdigit() and 0 < int(top) <= AUDIT_MAX else AUDIT_DEFAULT
    return Answer(body={"@odata.context": ask.context("auditLogs/directoryAudits"), "value": found[:size]})


@graph.on("POST", "/directoryObjects/getByIds", units=5)
def get_by_ids(ask: Ask) -> Answer:
    """Those of the ids that exist. https://learn.microsoft.com/graph/api/directoryobject-getbyids"""
    given = ask.fields({"ids": list, "types": (list, type(None))}, required=("ids",))
    if len(given["ids"]) > BY_IDS_LIMIT:
        raise bad_request(f"Too many ids. At most {BY_IDS_LIMIT}.")
    types = {str(one).lower() for one in given.get("types") or []} - {"directoryobject"}
    value = []
    for object_id in given["ids"]:
        for kind in ("users", "service_principals", "groups"):
            record = ask.view.get(kind, str(object_id).lower())
            shape = shape_of(record) if record else None
            if shape and (not types or shape.type.lower() in types):
                names = shape.names(ask.query.get("$select"), beta=ask.beta)
                value.append(writer(ask, shape, names, typed=True)(record))
    return Answer(body={"@odata.context": ask.context("directoryObjects"), "value": value})
