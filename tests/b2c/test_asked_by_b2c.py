"""The pretend B2C asks the portal's gate over HTTP: a rule is felt in one application, by one person, at each door."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts.models import Tenant
from accounts.tenancy import tenant_context
from b2c import services
from b2c.models import RefreshRule
from tests.b2c.conftest import ADMIN
from tests.factories import make_tenant
from tests.sandbox_client import Sandbox

CUSTOMERS = UUID("55555555-5555-4555-8555-555555555555")
GATED = {
    "store": "B2C_1A_Consentry_signup_signin",
    "rewards": "B2C_1A_Consentry_spa_signup_signin",
    "mobile": "B2C_1A_Consentry_mobile_signup_signin",
}
Try = Callable[..., bool]


@pytest.fixture
def customers(transactional_db: None) -> Iterator[Tenant]:
    tenant = make_tenant(CUSTOMERS, "Contoso Customers", "contosocustomers.onmicrosoft.com")
    with tenant_context(tenant.pk):
        yield tenant


@pytest.fixture
def b2c(entra: Sandbox, live_server: LiveServer, customers: Tenant) -> dict:
    """The sandbox's B2C with its gate led to this portal; what it shows of itself."""
    control = f"{entra.url}/_sandbox/b2c"
    clients = {one["slug"]: one["client_id"] for one in entra.http.get(control, timeout=10).json()["apps"]}
    policies = {policy.lower(): [clients[slug]] for slug, policy in GATED.items()}
    services.change(customers, {"is_b2c": True, "apps_by_policy": policies}, actor=ADMIN)
    _, secret = services.make_credential(customers, actor=ADMIN)
    given = {
        "gate": {"https://portal.contoso.example": live_server.url},
        "keys": {"B2C_1A_ConsentryGatePassword": secret},
        "apps": GATED,
    }
    answer = entra.http.post(control, json=given, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def tries(entra: Sandbox, b2c: dict) -> Try:
    """`tries("store", "refresh", "Ines Moreau")`: whether the app gets new tokens."""

    def tries(app: str, action: str = "refresh", who: str = "Ines Moreau") -> bool:
        url = f"{entra.url}/_sandbox/b2c/apps/{app}/{action}"
        return entra.http.post(url, json={"user": who}, timeout=30).json()["ok"]

    return tries


def test_one_customer_is_refused_in_one_app_until_the_rule_ends(customers: Tenant, b2c: dict, tries: Try):
    ines = next(one["id"] for one in b2c["customers"] if one["name"] == "Ines Moreau")
    rewards = next(one["client_id"] for one in b2c["apps"] if one["slug"] == "rewards")
    assert [tries(app) for app in GATED] == [True, True, True]
    rule = RefreshRule.objects.create(
        tenant=customers,
        person_id=ines,
        app_id=rewards,
        issued_before=timezone.now(),
        author_id="x",
        author_label="Hugo Baker",
        request_id=UUID(int=1),
    )

    assert [tries(app) for app in GATED] == [True, False, True]
    assert not tries("rewards", "silent")  # the hidden frame does not help
    assert tries("rewards", who="Karim Haddad")
    assert tries("rewards", "sign-in")  # with the password anew, which is what the rule wants
    assert tries("rewards")

    rule.issued_before = timezone.now()
    rule.save()
    assert not tries("rewards")
    rule.ended_at = timezone.now()
    rule.save()
    assert tries("rewards")
