import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from b2c import services
from b2c.gate import counting, credentials, known
from b2c.models import GateSetting, RefreshRule

INES, KARIM = UUID(int=0x1), UUID(int=0x2)
STORE, REWARDS = UUID(int=0xA), UUID(int=0xB)
POLICY, OTHER_POLICY = "B2C_1A_Store", "B2C_1A_Rewards"
ADMIN = Actor("nadia", "Nadia Fischer")


@pytest.fixture
def at_contoso(contoso: Tenant) -> Iterator[Tenant]:
    """Work in Contoso's scope, as a request there does."""
    with tenant_context(contoso.pk):
        yield contoso


@pytest.fixture(autouse=True)
def _a_new_process() -> None:
    known.forget()
    counting.forget()


@dataclass
class Gate:
    """Contoso's gate, and a policy that asks it."""

    tenant: Tenant
    secret: str
    http: Client

    def ask(self, door="refresh", *, tenant_id=None, headers=None, raw: str | bytes = "", secure=False, **sent):
        body = {"objectId": str(INES), "policyId": POLICY, "correlationId": "c-1", **sent}
        if door == "refresh" and "issuedAt" not in sent:
            body["issuedAt"] = "2026-01-01T00:00:00Z"
        return self.http.post(
            f"/b2c/{tenant_id or self.tenant.pk}/{door}",
            raw or json.dumps({name: value for name, value in body.items() if value is not None}),
            content_type="application/json",
            headers={credentials.HEADER: self.secret} if headers is None else headers,
            secure=secure,
        )


def switch_on(tenant: Tenant, **setting) -> str:
    """Give the tenant a gate; returns the secret of its first credential."""
    apps = {POLICY.lower(): [str(STORE)], OTHER_POLICY.lower(): [str(REWARDS)]}
    services.change(tenant, {"is_b2c": True, "apps_by_policy": apps, **setting}, actor=ADMIN)
    return services.make_credential(tenant, actor=ADMIN)[1]


@pytest.fixture
def gate(at_contoso: Tenant, client: Client) -> Gate:
    return Gate(at_contoso, switch_on(at_contoso), client)


@pytest.fixture
def rule(at_contoso: Tenant) -> Callable[..., RefreshRule]:
    """A rule about Ines's tokens issued until now, but for what the test says."""

    def rule(**fields) -> RefreshRule:
        when = {} if "condition" in fields else {"issued_before": timezone.now()}
        who = {"author_id": "x", "author_label": "Hugo Baker", "request_id": uuid4(), "person_id": INES}
        return RefreshRule.objects.create(tenant=at_contoso, **(who | when | fields))

    return rule


@pytest.fixture
def settle(at_contoso: Tenant) -> Callable[..., None]:
    """Change a setting of the gate, and let every process notice."""

    def settle(**values) -> None:
        GateSetting.objects.filter(tenant=at_contoso).update(**values)
        known.forget()

    return settle
