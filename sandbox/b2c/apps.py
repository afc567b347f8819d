"""The three apps of *Contoso Customers*, trying: what each holds of its customers, and how its last try went.

They go through the same endpoints as everybody else and know nothing that an app at B2C would not know.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sandbox.b2c import grants
from sandbox.b2c.around import Around, sign_in_name
from sandbox.b2c.catalogue import APPS, App
from sandbox.b2c.engine.running import Call, Did, Reply
from sandbox.b2c.errors import Refusal
from sandbox.b2c.grants import Ask, Endpoint
from sandbox.b2c.memory import Browser, Customers
from sandbox.objects import User
from sandbox.tenant import Tenant

Action = Literal["sign-in", "refresh", "silent"]
ACTIONS: tuple[Action, ...] = ("sign-in", "refresh", "silent")
BEFORE = timedelta(hours=2)  # how long ago everybody signed in when the world begins


@dataclass
class Try:
    """What an app did last for somebody, and what came of it."""

    action: Action
    at: datetime
    code: str = ""
    error: str = ""
    description: str = ""
    why: str = ""  # what the sandbox knows and B2C would not say
    steps: list[Did] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.error


@dataclass
class Connection:
    user_id: str
    name: str
    refresh_token: str
    last: Try | None = None


class ClientApp:
    """One app's own memory. `policy` is the one it signs people in with; its refresh tokens are bound to it."""

    def __init__(self, b2c: Customers, tenant: Tenant, app: App):
        self.b2c, self.tenant, self.app = b2c, tenant, app
        self.connections: dict[str, Connection] = {}
        self.use(app.policy)

    def use(self, policy: str) -> None:
        """Sign people in with this policy, as if the app always had: it holds tokens of everybody's again."""
        self.policy = policy
        self.connections.clear()
        for user in customers(self.tenant):
            if user.enabled:
                self._begin(user)

    def _begin(self, user: User) -> None:
        """As if the person had signed in before the world began, when no gate said no."""
        try:
            endpoint = self._endpoint(Before)
            token = self._sign_in(endpoint, user)
        except Refusal:
            return
        then = self.b2c.began - BEFORE
        grant = self.b2c.grants[token]
        self.b2c.grants[token] = replace(grant, issued_at=then)
        browser = browser_of(self.b2c, user)
        browser.began = browser.used = then
        self.connections[user.id] = Connection(user.id, user.display_name, token)

    @property
    def scope(self) -> str:
        return f"openid offline_access {self.app.app_id}"

    def do(self, action: Action, user: User) -> Connection:
        """Sign somebody in, refresh, or renew from the session; what came of it is kept. May take a minute and more.

        A try that fails leaves the app the token it had.
        """
        connection = self.connections.setdefault(user.id, Connection(user.id, user.display_name, ""))
        connection.last = made = Try(action, self.b2c.now)
        endpoint: Endpoint | None = None
        try:
            endpoint = self._endpoint(Around)
            if action == "sign-in":
                connection.refresh_token = self._sign_in(endpoint, user)
            elif action == "silent":
                code = endpoint.renew(self._ask(prompt="none"), browser_of(self.b2c, user))
                connection.refresh_token = self._redeemed(endpoint, code)
            else:
                answer = endpoint.refresh(self.app, connection.refresh_token, self.scope)
                connection.refresh_token = answer["refresh_token"]
        except Refusal as refusal:
            described = refusal.described(self.b2c.now)
            made.code, made.error, made.why = refusal.code, refusal.error, refusal.why
            made.description = described["error_description"]
        made.steps = endpoint.steps if endpoint else []
        return connection

    def _endpoint(self, surround: type[Around]) -> Endpoint:
        found = grants.endpoint(self.b2c, self.tenant, self.policy)
        if found is None:
            raise Refusal("AADB2C90085", f"the tenant has no policy {self.policy}")
        found.surround = surround
        return found

    def _sign_in(self, endpoint: Endpoint, user: User) -> str:
        code = endpoint.sign_in(self._ask(prompt="login"), user, browser_of(self.b2c, user))
        return self._redeemed(endpoint, code)

    def _redeemed(self, endpoint: Endpoint, code: str) -> str:
        return endpoint.redeem_code(self.app, {"code": code, "redirect_uri": self.app.redirect_uri})["refresh_token"]

    def _ask(self, **parameters: str) -> Ask:
        return Ask(self.app, self.app.redirect_uri, self.scope, parameters=parameters)


class Before(Around):
    """The time before the world began: every service was content."""

    def call(self, call: Call) -> Reply:
        return Reply(200, {"gate": "open"})


def of(b2c: Customers, tenant: Tenant) -> dict[str, ClientApp]:
    """The apps by slug. They take up their connections the first time anybody looks."""
    if not b2c.apps:
        b2c.apps = {one.slug: ClientApp(b2c, tenant, one) for one in APPS}
    return b2c.apps


def browser_of(b2c: Customers, user: User) -> Browser:
    """The one browser that a customer uses for all apps."""
    name = f"of {user.id}"
    if name not in b2c.browsers:
        b2c.browsers[name] = Browser(name, b2c.now, b2c.now)
    return b2c.browsers[name]


def customers(tenant: Tenant) -> list[User]:
    return [user for user in tenant.users.values() if user.customer]


def customer(tenant: Tenant, text: str) -> User | None:
    """By object id, user principal name, sign-in name or display name."""
    wanted = text.strip().lower()
    for user in customers(tenant):
        if wanted in (user.id, user.upn.lower(), (sign_in_name(user) or "").lower(), user.display_name.lower()):
            return user
    return None


def described(connection: Connection) -> dict[str, Any]:
    """A connection for programs. No token is shown."""
    last = connection.last
    return {
        "user": connection.user_id,
        "name": connection.name,
        "holds_a_token": bool(connection.refresh_token),
        "action": last.action if last else None,
        "ok": last.ok if last else None,
        "error": (last.error or None) if last else None,
        "code": (last.code or None) if last else None,
        "error_description": (last.description or None) if last else None,
        "why": (last.why or None) if last else None,
        "at": f"{last.at:%Y-%m-%dT%H:%M:%SZ}" if last else None,
        "steps": [vars(step) for step in last.steps] if last else [],
    }
