"""What the identity side remembers: browsers and who is signed in to them, codes, and families of refresh tokens.

A *family* is everything that goes back to one interactive sign-in. Refreshing never renews the sign-in, so a
family dies as a whole when its person's sessions are revoked.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.identity.keys import SigningKeys, process_keys
from sandbox.identity.switches import Switches
from sandbox.world import World

CODE_LIFETIME = timedelta(minutes=10)
FLOW_LIFETIME = timedelta(hours=1)
INACTIVITY = timedelta(days=90)
KEPT = 10_000  # codes, flows and browsers each; the oldest go first
KEPT_TOKENS = 500_000


@dataclass(slots=True)
class SignIn:
    """One account, signed in to one browser. `at` is when credentials were last given; full precision."""

    home_tenant_id: str
    home_user_id: str
    at: datetime
    sid: str = field(default_factory=lambda: str(uuid.uuid4()))
    # Apps it was used for: app id, tenant, and the origin the app was reached by. A dict, to keep their order.
    used: dict[tuple[str, str, str], None] = field(default_factory=dict)


@dataclass(slots=True)
class Browser:
    id: str
    sign_ins: dict[str, SignIn] = field(default_factory=dict)  # by home user id


@dataclass(slots=True, frozen=True)
class Family:
    """What a sign-in to an app leaves behind: who, for which app, and when credentials were given."""

    app_id: str
    tenant_id: str
    home_tenant_id: str
    home_user_id: str
    signed_in_at: datetime
    sid: str
    nonce: str | None = None
    wanted: frozenset[str] = frozenset()  # optional claims of the ID token that the request itself asked for
    acrs: tuple[str, ...] = ()
    issued_at: datetime | None = None


@dataclass(slots=True)
class Code:
    family: Family
    authority: str
    redirect_uri: str
    scope: str
    issued_at: datetime
    challenge: str | None = None
    challenge_method: str | None = None
    redeemed: bool = False


@dataclass(slots=True)
class RefreshToken:
    family: Family
    last_used: datetime


@dataclass(slots=True)
class Flow:
    """A sign-in under way: the request as it came, and who was picked. Bound to the browser that started it."""

    browser_id: str
    authority: str
    kind: str  # "authorize" or "adminconsent"
    request: dict[str, str]
    started: datetime
    home_user_id: str | None = None
    fresh_since: datetime | None = None  # credentials given before this do not count
    asked: frozenset[str] = frozenset()  # scopes shown on the consent page


class Identity:
    """The memory of one world; `of(world)` finds it."""

    def __init__(self, world: World, keys: SigningKeys | None = None):
        self.world = world
        self.keys = keys or process_keys()
        self.forget()

    def forget(self) -> None:
        """Back to nobody signed in and no token outstanding. The keys stay: other processes have cached them."""
        self.browsers: dict[str, Browser] = {}
        self.flows: dict[str, Flow] = {}
        self.codes: dict[str, Code] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.devices: dict[str, Any] = {}  # by device code
        self.client_apps: dict[str, Any] = {}
        self.opaque_tokens: dict[str, dict[str, Any]] = {}  # claims by token, of tokens that do not show them
        self.assertions: dict[str, Family] = {}  # by access token, of those for APIs that may hand their caller on
        self.switches = Switches()

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def browser(self, browser_id: str | None) -> Browser:
        """The browser with that cookie; a new one when there is none."""
        if browser_id and (known := self.browsers.get(browser_id)):
            return known
        return _keep(self.browsers, secrets.token_urlsafe(24), Browser(""), named=True)

    def start(self, flow: Flow) -> str:
        name = secrets.token_urlsafe(16)
        _keep(self.flows, name, flow)
        return name

    def flow(self, name: str, browser_id: str | None) -> Flow | None:
        """A sign-in under way in this browser; None for anybody else's, and after an hour."""
        flow = self.flows.get(name)
        if flow is None or flow.browser_id != browser_id or self.now - flow.started > FLOW_LIFETIME:
            return None
        return flow

    def remember_device(self, device_code: str, device: Any) -> None:
        _keep(self.devices, device_code, device)

    def issue_code(self, code: Code) -> str:
        value = "1." + secrets.token_urlsafe(96)
        _keep(self.codes, value, code)
        return value

    def issue_opaque_token(self, claims: dict[str, Any]) -> str:
        """An access token in a format of our own, which only we can read."""
        value = "EwB" + secrets.token_urlsafe(600)
        _keep(self.opaque_tokens, value, claims)
        return value

    def remember_assertion(self, access_token: str, family: Family) -> None:
        _keep(self.assertions, access_token, family)

    def issue_refresh_token(self, family: Family) -> str:
        """A new refresh token. Those handed out before stay valid, as they do at Entra."""
        value = "1.AX" + secrets.token_urlsafe(96)
        _keep(self.refresh_tokens, value, RefreshToken(family, self.now), most=KEPT_TOKENS)
        return value


def _keep(store: dict, key: str, value: Any, *, named: bool = False, most: int = KEPT) -> Any:
    if named:
        value.id = key
    while len(store) >= most:
        del store[next(iter(store))]
    store[key] = value
    return value


def of(world: World) -> Identity:
    """This world's memory, emptied whenever the world is put back to its first state."""
    known = getattr(world, "identity", None)
    if known is None:
        known = world.identity = Identity(world)  # type: ignore[attr-defined]
        world.on_reset.append(known.forget)
    return known
