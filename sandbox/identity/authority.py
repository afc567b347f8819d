"""The first part of every path: a tenant's id or domain, or one of the three names that mean many tenants."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.clouds import LOGIN_HOSTS
from sandbox.identity import errors
from sandbox.world import Tenant, World

MANY = ("common", "organizations", "consumers")
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"


@dataclass(frozen=True)
class Authority:
    """`name` as documents print it: a domain comes back as the tenant's id."""

    name: str
    tenant: Tenant | None

    @property
    def issuer_id(self) -> str:
        """What stands in an issuer: the tenant's id, or the literal template where many tenants are meant."""
        if self.tenant is not None:
            return self.tenant.id
        return CONSUMERS if self.name == "consumers" else "{tenantid}"


def find(world: World, segment: str, origin: str = "") -> Authority:
    """
    Args:
        origin: the address that was asked: another cloud's sign-in host knows no tenant of this one.

    Raises:
        Refusal: 90002, no such tenant.
    """
    host = origin.removeprefix("https://")
    if host in LOGIN_HOSTS and host not in world.cloud.login_hosts:
        raise errors.no_tenant(segment)
    lowered = segment.lower()
    if lowered == CONSUMERS:
        lowered = "consumers"
    if lowered in MANY:
        return Authority(lowered, None)
    tenant = world.tenant(lowered)
    if tenant is None:
        raise errors.no_tenant(segment)
    return Authority(tenant.id, tenant)
