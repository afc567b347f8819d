"""The organisation, its domains and its licences on the wire."""

from __future__ import annotations

from typing import Any

from sandbox.graph_api.shape import Shape, attribute, constant, moment
from sandbox.graph_api.view import View
from sandbox.graph_api.wire import stamp
from sandbox.tenant import Tenant

P2_SKU, P2_PLAN = "84a661c4-e949-4bd2-a560-ed7766fcaf2b", "eec0eb4f-6444-4f95-aba0-50c24d67f998"


def _domains(tenant: Tenant, view: View) -> list[dict[str, Any]]:
    return [
        {
            "capabilities": "Email, OfficeCommunicationsOnline",
            "isDefault": name == tenant.domain,
            "isInitial": name == tenant.initial_domain,
            "name": name,
            "type": "Managed",
        }
        for name in tenant.domains
    ]


def _plans(tenant: Tenant, view: View) -> list[dict[str, Any]]:
    return [
        {
            "assignedDateTime": stamp(tenant.created),
            "capabilityStatus": "Enabled",
            "service": "AADPremiumService",
            "servicePlanId": P2_PLAN,
        }
    ]


ORGANIZATION = Shape(
    type="organization",
    set="organization",
    kind="",
    default=(
        "id",
        "deletedDateTime",
        "countryLetterCode",
        "createdDateTime",
        "displayName",
        "onPremisesSyncEnabled",
        "technicalNotificationMails",
        "tenantType",
        "assignedPlans",
        "verifiedDomains",
    ),
    properties={
        "id": attribute("id"),
        "displayName": attribute("name"),
        "verifiedDomains": _domains,
        "countryLetterCode": constant("DE"),
        "createdDateTime": moment("created"),
        "tenantType": constant("AAD"),
        "technicalNotificationMails": lambda tenant, view: [f"admin@{tenant.domain}"],
        "assignedPlans": _plans,
    },
)
DOMAIN = Shape(
    type="domain",
    set="domains",
    kind="",
    default=(
        "id",
        "authenticationType",
        "isAdminManaged",
        "isDefault",
        "isInitial",
        "isRoot",
        "isVerified",
        "supportedServices",
    ),
    properties={  # the record is the tenant and the name
        "id": lambda domain, view: domain[1],
        "authenticationType": constant("Managed"),
        "isAdminManaged": constant(True),
        "isDefault": lambda domain, view: domain[1] == domain[0].domain,
        "isInitial": lambda domain, view: domain[1] == domain[0].initial_domain,
        "isRoot": constant(True),
        "isVerified": constant(True),
        "supportedServices": constant(["Email", "OfficeCommunicationsOnline"]),
    },
)
LICENCE = Shape(
    type="subscribedSku",
    set="subscribedSkus",
    kind="",
    default=(
        "accountId",
        "accountName",
        "appliesTo",
        "capabilityStatus",
        "consumedUnits",
        "id",
        "skuId",
        "skuPartNumber",
        "prepaidUnits",
        "servicePlans",
    ),
    properties={
        "id": lambda tenant, view: f"{tenant.id}_{P2_SKU}",
        "accountId": attribute("id"),
        "accountName": attribute("name"),
        "appliesTo": constant("User"),
        "capabilityStatus": constant("Enabled"),
        "consumedUnits": lambda tenant, view: len(tenant.users),
        "skuId": constant(P2_SKU),
        "skuPartNumber": constant("AAD_PREMIUM_P2"),
        "prepaidUnits": lambda tenant, view: {"enabled": 5_000, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": lambda tenant, view: [
            {
                "servicePlanId": P2_PLAN,
                "servicePlanName": "AAD_PREMIUM_P2",
                "provisioningStatus": "Success",
                "appliesTo": "User",
            }
        ],
    },
)
