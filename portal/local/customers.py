"""In the demo: the B2C tenant whose policies ask this portal before they issue tokens.

The pretend tenant's apps begin without a gate. Every start makes a credential, since the one before cannot be shown
again, puts it into the tenant's policy keys, and lets the apps sign people in with the policies that ask.
"""

from collections.abc import Callable
from typing import Any

from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from b2c import selectors, services

KEY_CONTAINER = "B2C_1A_ConsentryGatePassword"
GATED = {  # the policy with a gate, for each app
    "store": "B2C_1A_Consentry_signup_signin",
    "rewards": "B2C_1A_Consentry_spa_signup_signin",
    "mobile": "B2C_1A_Consentry_mobile_signup_signin",
}
OF_ALL = ("B2C_1A_Consentry_ProfileEdit", "B2C_1A_Consentry_PasswordReset")  # where every app sends its people


def open_gate(tenant: Tenant, talk: Callable[..., dict[str, Any]]) -> None:
    """Set the tenant's gate up, and the pretend B2C with it.

    Args:
        talk: sends a body to the sandbox's B2C controls, or nothing to read them, and returns what is there.
    """
    actor = Actor.command_line(tenant.pk)
    clients = {one["slug"]: one["client_id"] for one in talk()["apps"]}
    with tenant_context(tenant.pk):
        policies = {policy.lower(): [clients[slug]] for slug, policy in GATED.items()}
        policies |= {policy.lower(): list(clients.values()) for policy in OF_ALL}
        values = {"is_b2c": True, "apps_by_policy": policies, "country_attribute": "country"}
        if not selectors.is_b2c(tenant):  # what a visitor changed stays
            services.change(tenant, values, actor=actor)
        for one in list(selectors.credentials(tenant)):
            services.end_credential(tenant, one.pk, actor=actor)
        _, secret = services.make_credential(tenant, actor=actor)
    talk({"keys": {KEY_CONTAINER: secret}, "apps": GATED})
