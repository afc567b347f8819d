"""As much of the Azure Resource Manager as Azure CLI asks for while it signs in: where things are, and what one has.

https://learn.microsoft.com/rest/api/resources/subscriptions/list
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.identity import origin, pages, tokens
from sandbox.objects import make_id
from sandbox.tenant import Tenant
from sandbox.world import World


class ResourceManager:
    """The views, for one world."""

    def __init__(self, world: World):
        self.world = world

    async def endpoints(self, http: Request) -> Response:
        return JSONResponse(endpoints(self.world, origin.of(http)))

    async def subscriptions(self, http: Request) -> Response:
        """One for everybody at home in the tenant. An app or a guest has none until somebody gives them a role."""
        if (claims := self._claims(http)) is None:
            return _unauthorized(self.world)
        tenant = self.world.tenants[claims["tid"]]
        user = tenant.users.get(claims["oid"])
        return _listed([_subscription(tenant)] if user and not user.guest else [])

    async def tenants(self, http: Request) -> Response:
        """The caller's tenant, and those where the person is a guest."""
        if (claims := self._claims(http)) is None:
            return _unauthorized(self.world)
        home = self.world.tenants[claims["tid"]]
        elsewhere = [
            tenant
            for tenant in self.world.tenants.values()
            if any(one.guest and one.home_user_id == claims["oid"] for one in tenant.users.values())
        ]
        return _listed([_tenant(home, "Home"), *(_tenant(one, "Guest") for one in elsewhere)])

    def _claims(self, http: Request) -> dict[str, Any] | None:
        bearer = http.headers.get("authorization", "")
        claims = tokens.read_access_token(self.world, bearer[7:]) if bearer[:7].lower() == "bearer " else None
        return claims if claims and claims["aud"] == self.world.cloud.azure_audience else None


def _listed(found: list[dict[str, Any]]) -> Response:
    return JSONResponse({"value": found, "count": {"type": "Total", "value": len(found)}}, headers=pages.NO_STORE)


def _unauthorized(world: World) -> Response:
    where = f'Bearer authorization_uri="https://{world.cloud.login}/common", error="invalid_token"'
    error = {"code": "AuthenticationFailed", "message": "Authentication failed: no token for this service."}
    return JSONResponse({"error": error}, 401, headers={"WWW-Authenticate": where})


def _subscription(tenant: Tenant) -> dict[str, Any]:
    subscription_id = make_id(tenant.id, "subscription")
    return {
        "id": f"/subscriptions/{subscription_id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription_id,
        "tenantId": tenant.id,
        "displayName": f"{tenant.name} subscription",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def _tenant(tenant: Tenant, category: str) -> dict[str, Any]:
    return {
        "id": f"/tenants/{tenant.id}",
        "tenantId": tenant.id,
        "displayName": tenant.name,
        "domains": list(tenant.domains),
        "defaultDomain": tenant.domain,
        "tenantCategory": category,
        "tenantType": "AAD",
    }


def endpoints(world: World, own: str) -> dict[str, Any]:
    """What `az cloud register` learns of a cloud. What the sandbox plays is here; the rest only has names."""
    cloud = world.cloud
    return {
        "name": cloud.azure_name,
        "portal": f"https://{cloud.portal}",
        "gallery": f"{own}/",
        "graph": f"https://{cloud.old_graph}/",
        "graphAudience": f"https://{cloud.old_graph}/",
        "microsoftGraphResourceId": f"{own}/",
        "resourceManager": f"{own}/",
        "sqlManagement": f"https://{cloud.core_azure}:8443/",
        "batch": f"https://batch.core.{cloud.suffix}/",
        "media": f"https://rest.media.{cloud.suffix}",
        "activeDirectoryDataLake": f"https://datalake.{cloud.suffix}/",
        "authentication": {
            "loginEndpoint": f"{own}/",
            "audiences": [cloud.azure_audience, f"https://{cloud.azure}/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": {
            "acrLoginServer": "azurecr.io",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
            "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
            "keyVaultDns": f"vault.{cloud.suffix}",
            "sqlServerHostname": f"database.{cloud.suffix}",
            "storage": f"core.{cloud.suffix}",
        },
    }
