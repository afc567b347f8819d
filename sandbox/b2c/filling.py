"""*Contoso Customers* as the world begins: its customers, its apps, its policies, its keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from sandbox.b2c.catalogue import APPS, CUSTOMERS, DOMAIN, KEYS, Customer
from sandbox.b2c.reading.elements import parse
from sandbox.objects import Application, User, make_id
from sandbox.tenant import Tenant
from sandbox.world import World

FILES = Path(__file__).parent / "files"


def fill(world: World, tenant: Tenant) -> None:
    now, tenant.b2c = tenant.clock.now(), True
    for number, customer in enumerate(CUSTOMERS):
        tenant.add_user(_user(tenant, customer, now - timedelta(days=300 - 30 * number)))
    for app in APPS:
        application = world.add_application(
            Application(
                app_id=app.app_id,
                display_name=app.name,
                home_tenant_id=tenant.id,
                secrets=[app.secret] if app.secret else [],
                redirect_uris=[app.redirect_uri],
                public_client=not app.secret,
                multi_tenant=False,
                publisher="Contoso",
                description=app.description,
            )
        )
        principal = tenant.instantiate(application)
        principal.created = now - timedelta(days=400)
    tenant.policy_keys.update(KEYS)
    for policy_id, content in uploaded():
        tenant.put_policy(policy_id, content)


@lru_cache
def uploaded() -> list[tuple[str, bytes]]:
    """The policies that are in the tenant from the beginning, with their ids."""
    contents = [path.read_bytes() for path in sorted(FILES.glob("*.xml"))]
    return [(parse(content).get("PolicyId"), content) for content in contents]


def _user(tenant: Tenant, customer: Customer, created: datetime) -> User:
    object_id = make_id(tenant.id, "customer", customer.name)
    given_name, surname = customer.name.split()
    upn = f"{object_id}@{DOMAIN}"
    identities = [_identity("userPrincipalName", DOMAIN, upn)]
    if customer.mail:
        identities.append(_identity("emailAddress", DOMAIN, customer.mail))
    if customer.social:
        identities.append(_identity("federated", *customer.social))
    extra = {"identities": identities, "creationType": "LocalAccount" if customer.mail else None}
    if customer.country:
        extra["country"] = customer.country
    return User(
        id=object_id,
        display_name=customer.name,
        upn=upn,
        mail=customer.mail,
        created=created,
        valid_from=created,
        given_name=given_name,
        surname=surname,
        enabled=customer.enabled,
        customer=True,
        extra=extra,
    )


def _identity(kind: str, issuer: str, value: str) -> dict[str, str]:
    return {"signInType": kind, "issuer": issuer, "issuerAssignedId": value}
