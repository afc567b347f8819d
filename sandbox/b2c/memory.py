"""What the B2C side of a world remembers: browsers, codes, grants, and how it was set."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.b2c.reading.files import Policies, read
from sandbox.b2c.reading.merging import Effective, effective
from sandbox.identity.keys import process_keys
from sandbox.tenant import Tenant
from sandbox.world import World

KEPT = 20_000
CODE_LIFETIME = timedelta(minutes=10)
BOTH, SESSIONS, TOKENS = "both", "signInSessionsValidFromDateTime", "refreshTokensValidFromDateTime"
# What no document settles, and how this sandbox answers until it is told otherwise: the first of each.
SWITCHES: dict[str, tuple[str, ...]] = {
    "selection": ("endpoint", "issuer"),
    "resolver-at-refresh oidc": ("empty", "resolved"),
    "resolver-at-refresh oauth-kv": ("empty", "resolved"),
    "resolver-at-refresh context": ("empty", "resolved"),
    "disabled-at-refresh": ("fails", "passes"),
    "failure after SendClaims": ("yes", "no"),
    "refusal-code": ("AADB2C90085", "AADB2C90075", "AADB2C90261"),
    "date-format": ("iso", "us"),
    "moved-by-revokeSignInSessions": (BOTH, SESSIONS, TOKENS),
    "moved-by-invalidateAllRefreshTokens": (BOTH, TOKENS, SESSIONS),
}


@dataclass(slots=True)
class Browser:
    """A browser's session at B2C: what session providers keep in it, by their technical profile."""

    id: str
    began: datetime
    used: datetime
    held: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Grant:
    """What a code or a refresh token stands for. `claims` are those of the tokens, by the names that tokens use."""

    tenant_id: str
    policy_id: str
    client_id: str
    user_id: str
    issued_at: datetime
    expires: datetime
    chain_ends: datetime
    claims: dict[str, Any]
    scope: str
    nonce: str = ""


@dataclass(slots=True, frozen=True)
class Code:
    grant: Grant
    redirect_uri: str
    challenge: str


class Customers:
    """One world's memory of its B2C tenants."""

    def __init__(self, world: World):
        self.world = world
        self.keys = process_keys()
        self.first_gates: dict[str, str] = {}
        self._read: dict[str, tuple[int, Policies]] = {}
        self.forget()

    def forget(self) -> None:
        """Back to the first state; where the gate is stays, for it belongs to the process."""
        self.browsers: dict[str, Browser] = {}
        self.codes: dict[str, Code] = {}
        self.grants: dict[str, Grant] = {}
        self.gates = dict(self.first_gates)  # real address by the origin that policies name
        self.seconds = 30.0  # that a called service is waited for, each of three times
        self.switches = {name: answers[0] for name, answers in SWITCHES.items()}
        self.calls: deque[dict[str, Any]] = deque(maxlen=1000)  # what journeys asked, newest last
        self.apps: dict[str, Any] = {}
        self.began = self.now
        self._read.clear()

    def lead(self, gates: dict[str, str]) -> None:
        """Where the hosts that policies call really are; a reset does not change it."""
        self.first_gates = {origin.rstrip("/").lower(): address for origin, address in gates.items()}
        self.gates = dict(self.first_gates)

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def set_switch(self, name: str, answer: str) -> None:
        """
        Raises:
            ValueError: there is no such switch, or it has no such answer.
        """
        if answer not in SWITCHES.get(name, ()):
            raise ValueError(f"{name!r} is none of {SWITCHES}, or {answer!r} is not one of its answers")
        self.switches[name] = answer
        if name.startswith("moved-by-"):
            for tenant in self.world.tenants.values():
                tenant.moves[name.removeprefix("moved-by-")] = answer

    def policies(self, tenant: Tenant) -> Policies:
        """The tenant's policies as they are uploaded now."""
        known = self._read.get(tenant.id)
        if known is None or known[0] != tenant.policies_version:
            known = self._read[tenant.id] = (tenant.policies_version, read(tenant.custom_policies))
        return known[1]

    def policy(self, tenant: Tenant, policy_id: str) -> Effective | None:
        """A relying party's policy; None when the tenant has none of that id.

        Raises:
            Broken: one that it builds on is absent.
        """
        file = self.policies(tenant).files.get(policy_id.lower())
        if file is None or file.relying_party is None:
            return None
        return effective(self.policies(tenant), file.id)

    def browser(self, browser_id: str) -> Browser:
        """The browser with that cookie; a new one when there is none."""
        if known := self.browsers.get(browser_id):
            return known
        return _keep(self.browsers, new := secrets.token_urlsafe(24), Browser(new, self.now, self.now))

    def issue_code(self, code: Code) -> str:
        value = secrets.token_urlsafe(96)
        _keep(self.codes, value, code)
        return value

    def issue_refresh_token(self, grant: Grant) -> str:
        """A new one; those handed out before stay as good as they were."""
        value = "eyJraWQiOiJjcGltY29yZV8wOTI1MjAxNSIs" + secrets.token_urlsafe(120)
        _keep(self.grants, value, grant)
        return value


def of(world: World) -> Customers:
    known = getattr(world, "customers", None)
    if known is None:
        known = world.customers = Customers(world)  # type: ignore[attr-defined]
        world.on_reset.append(known.forget)
    return known


def _keep(store: dict, key: str, value: Any) -> Any:
    while len(store) >= KEPT:
        del store[next(iter(store))]
    store[key] = value
    return value
