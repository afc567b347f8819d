"""Who and what is in *Contoso Customers*: staff, customers, three apps, policy keys. The same in every run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sandbox.objects import make_id

DOMAIN = "contosocustomers.onmicrosoft.com"
POLICY_PERMISSIONS = ("Policy.ReadWrite.TrustFramework", "TrustFrameworkKeySet.Read.All")  # the portal's, here only
# name, job, department, directory role, role in the portal
STAFF = [
    ("Nadia Fischer", "Head of Customer Identity", "Customer identity", "Global Administrator", "Portal.TenantAdmin"),
    ("Oskar Lind", "Identity Engineer", "Customer identity", "Application Administrator", "Portal.TenantAdmin"),
    ("Hugo Baker", "Support Agent", "Customer care", None, "Portal.Helpdesk"),
    ("Vera Stone", "Internal Auditor", "Audit", None, "Portal.Auditor"),
]


@dataclass(frozen=True)
class Customer:
    """`mail` is the sign-in name; none for somebody who signs in at another identity provider."""

    name: str
    mail: str | None
    country: str | None = None
    social: tuple[str, str] | None = None  # issuer, and the id there
    enabled: bool = True


CUSTOMERS = [
    Customer("Ines Moreau", "ines.moreau@example.com", "FR"),
    Customer("Karim Haddad", "karim.haddad@example.com", "DE"),
    Customer("Wanda Kowalska", "wanda.kowalska@example.com", "PL"),
    Customer("Lucy Price", "lucy.price@example.com"),
    Customer("Tomas Novak", "tomas.novak@example.com", "CZ", enabled=False),
    Customer("Ravi Menon", None, "IN", ("facebook.com", "100200300400500")),
]


@dataclass(frozen=True)
class App:
    """A client of the tenant's. `policy` is the relying party's policy that it signs people in with."""

    slug: str
    name: str
    kind: Literal["web", "spa", "mobile"]
    policy: str
    secret: str = ""
    description: str = ""

    @property
    def app_id(self) -> str:
        return make_id("contoso-customers", "application", self.slug)

    @property
    def redirect_uri(self) -> str:
        return "msauth://com.contoso.mobile/callback" if self.kind == "mobile" else f"http://localhost/b2c/{self.slug}/"


APPS = [
    App(
        "store",
        "Contoso Store",
        "web",
        "B2C_1A_signup_signin",
        "sandbox-contoso-store-secret",
        "The web shop: a server that keeps its own secret and the refresh tokens of its customers.",
    ),
    App(
        "rewards",
        "Contoso Rewards",
        "spa",
        "B2C_1A_spa_signup_signin",
        description="A single-page app: refresh tokens of a day, and a hidden iframe that renews from the session.",
    ),
    App(
        "mobile",
        "Contoso Mobile",
        "mobile",
        "B2C_1A_mobile_signup_signin",
        description="An app on phones: refresh tokens of 90 days.",
    ),
]
KEYS = {
    "B2C_1A_ConsentryGateUser": "consentry",
    "B2C_1A_ConsentryGatePassword": "sandbox-gate-password",
    "B2C_1A_ConsentryGateKey": "sandbox-gate-key",
    "B2C_1A_FacebookSecret": "sandbox-facebook-secret",
    "B2C_1A_TokenSigningKeyContainer": "",
    "B2C_1A_TokenEncryptionKeyContainer": "",
}
