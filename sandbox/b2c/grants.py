"""From a journey to tokens: signing in, silent renewal, codes, refresh tokens.

https://learn.microsoft.com/azure/active-directory-b2c/authorization-code-flow
https://learn.microsoft.com/azure/active-directory-b2c/configure-tokens
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sandbox.b2c.around import Around, sign_in_name
from sandbox.b2c.catalogue import APPS, App
from sandbox.b2c.engine import journeys
from sandbox.b2c.engine.choices import Settled
from sandbox.b2c.engine.journeys import Issued
from sandbox.b2c.engine.running import Did, Door, Refused, Request, Running, Untellable
from sandbox.b2c.engine.values import US_FORMAT, Unknown, written
from sandbox.b2c.errors import Refusal
from sandbox.b2c.memory import CODE_LIFETIME, Browser, Code, Customers, Grant
from sandbox.b2c.reading.definitions import Profile
from sandbox.b2c.reading.files import Broken
from sandbox.b2c.reading.merging import Effective, Unlinked
from sandbox.objects import User
from sandbox.tenant import Tenant

SPA_LIFETIME = timedelta(hours=24)  # of a single-page app's refresh token, whatever the policy says
DAY = 86_400


@dataclass
class Ask:
    """A request to /authorize, as far as a journey is concerned."""

    app: App
    redirect_uri: str
    scope: str = "openid offline_access"
    nonce: str = ""
    challenge: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass
class Endpoint:
    """One policy of one tenant."""

    b2c: Customers
    tenant: Tenant
    policy: Effective
    steps: list[Did] = field(default_factory=list)  # of the last journey
    surround: type[Around] = Around

    # --- /authorize --------------------------------------------------------------------------------

    def sign_in(self, ask: Ask, user: User, browser: Browser) -> str:
        """The person gives what pages ask for; the browser remembers. A code.

        Raises:
            Refusal: the journey refuses.
        """
        social = "" if sign_in_name(user) else next(filter(None, self._ways()), "")
        browser.held, browser.began = {}, self.b2c.now
        return self._code(ask, self._journey("sign_in", ask, browser, user, social), browser)

    def renew(self, ask: Ask, browser: Browser) -> str:
        """A code from the session alone.

        Raises:
            Refusal: there is no session, or the journey refuses.
        """
        party = self.policy.relying_party
        limit = timedelta(seconds=party.session_seconds if party else DAY)
        since = browser.began if party and party.session_absolute else browser.used
        if not browser.held or self.b2c.now - since > limit:
            browser.held = {}
            raise Refusal("AADB2C90077", "there is no session in this browser")
        return self._code(ask, self._journey("silent", ask, browser, None, self._remembered(browser)), browser)

    def _ways(self) -> list[str]:
        try:
            return journeys.ways_to_sign_in(self.policy)
        except Unlinked as error:
            raise Refusal("AADB2C90085", str(error)) from None

    def _remembered(self, browser: Browser) -> str:
        """The identity provider that the session is of; empty for a local account."""
        social = any("alternativesecurityid" in held for held in browser.held.values())
        return next(filter(None, self._ways()), "") if social else ""

    def _journey(
        self, door: Door, ask: Ask, browser: Browser, user: User | None, social: str
    ) -> tuple[Issued, Running]:
        request = self._request(door, ask.app.app_id, social=social, parameters=ask.parameters)
        run = Running(self.policy, request, self.surround(self.b2c, self.tenant, user), Settled(self.b2c.switches))
        if door == "silent":
            run.before = browser.held
        issued = self._carry_out(run)
        browser.held, browser.used = browser.held | run.after, self.b2c.now
        return issued, run

    def _code(self, ask: Ask, done: tuple[Issued, Running], browser: Browser) -> str:
        issued, _ = done
        grant = self._grant(ask.app, issued, ask.scope)
        return self.b2c.issue_code(Code(replace(grant, nonce=ask.nonce), ask.redirect_uri, ask.challenge))

    # --- /token ------------------------------------------------------------------------------------

    def redeem_code(self, app: App, form: dict[str, str]) -> dict[str, Any]:
        """
        Raises:
            Refusal: the code is not, or no longer, good for this.
        """
        code = self.b2c.codes.pop(form.get("code", ""), None)
        if code is None:
            raise Refusal("AADB2C90090")
        self._bound(code.grant, app)
        if self.b2c.now - code.grant.issued_at > CODE_LIFETIME:
            raise Refusal("AADB2C90080")
        if form.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
            raise Refusal("AADB2C90088", "the redirect_uri is another one")
        if code.challenge and not hmac.compare_digest(code.challenge, _challenge(form.get("code_verifier", ""))):
            raise Refusal("AADB2C90090", "the code_verifier does not fit")
        return self._tokens(code.grant)

    def refresh(self, app: App, token: str, scope: str = "") -> dict[str, Any]:
        """Run the refresh journey, and issue what it leads to. The token that was used stays good.

        Raises:
            Refusal: the token, or the journey, says no.
        """
        self.steps = []
        grant = self.b2c.grants.get(token)
        if grant is None:
            raise Refusal("AADB2C90090")
        self._bound(grant, app)
        if self.b2c.now > min(grant.expires, grant.chain_ends):
            raise Refusal("AADB2C90080")
        issued_at = grant.issued_at.strftime(US_FORMAT) if self._us_dates() else written(grant.issued_at)
        inside = {**grant.claims, "objectId": grant.user_id, "refreshTokenIssuedOnDateTime": issued_at}
        request = self._request("refresh", app.app_id, token=inside)
        run = Running(self.policy, request, self.surround(self.b2c, self.tenant), Settled(self.b2c.switches))
        issued = self._carry_out(run)
        if not issued.checked and grant.user_id not in self.tenant.users:
            raise Refusal("AADB2C90128")
        new = self._grant(app, issued, scope or grant.scope)
        return self._tokens(replace(new, chain_ends=grant.chain_ends, nonce=grant.nonce))

    def _us_dates(self) -> bool:
        return self.b2c.switches["date-format"] == "us"

    def _bound(self, grant: Grant, app: App) -> None:
        """A grant is good at the policy that issued it and for the client it was issued to, nowhere else."""
        if (grant.tenant_id, grant.policy_id.lower()) != (self.tenant.id, self.policy.id.lower()):
            raise Refusal("AADB2C90088")
        if grant.client_id != app.app_id:
            raise Refusal("AADB2C90279")

    # --- both --------------------------------------------------------------------------------------

    def _request(self, door: Door, client_id: str, **more: Any) -> Request:
        return Request(
            door=door,
            client_id=client_id,
            correlation_id=str(uuid.uuid4()),
            now=self.b2c.now,
            tenant_id=self.tenant.id,
            **more,
        )

    def _carry_out(self, run: Running) -> Issued:
        self.steps = run.steps
        try:
            return journeys.carry_out(run)
        except Refused as refused:
            code = refused.code or self.b2c.switches["refusal-code"]
            error = "" if run.refreshing or refused.code else "server_error"
            raise Refusal(code, refused.why, error=error) from None
        except (Untellable, Unlinked) as error:
            raise Refusal("AADB2C90085", str(error), error="" if run.refreshing else "server_error") from None

    def _grant(self, app: App, issued: Issued, scope: str) -> Grant:
        now, issuer = self.b2c.now, issued.issuer
        lifetime = timedelta(seconds=_seconds(issuer, "refresh_token_lifetime_secs", 14 * DAY))
        chain = timedelta(seconds=_seconds(issuer, "rolling_refresh_token_lifetime_secs", 90 * DAY))
        if issuer is not None and issuer.true("allow_infinite_rolling_refresh_token"):
            chain = timedelta(days=36_500)
        if app.kind == "spa":
            lifetime = chain = SPA_LIFETIME
        claims = {name: value for name, value in issued.claims.items() if not isinstance(value, Unknown)}
        user_id = str(claims.pop("objectId", "") or claims.get("sub", ""))
        claims.pop("refreshTokenIssuedOnDateTime", None)
        return Grant(
            self.tenant.id, self.policy.id, app.app_id, user_id, now, now + lifetime, now + chain, claims, scope
        )

    def _tokens(self, grant: Grant) -> dict[str, Any]:
        now = int(self.b2c.now.timestamp())
        issuer = next(iter(journeys.issuers(self.policy)), None)
        seconds = _seconds(issuer, "token_lifetime_secs", 3600)
        common = {
            "iss": issuer_of(self.tenant),
            "aud": grant.client_id,
            "sub": grant.claims.get("sub", grant.user_id),
            "tfp": self.policy.id,
            "ver": "1.0",
            "iat": now,
            "nbf": now,
            "exp": now + seconds,
            **grant.claims,
        }
        found = {
            "id_token": self.b2c.keys.sign(common | ({"nonce": grant.nonce} if grant.nonce else {})),
            "token_type": "Bearer",
            "not_before": now,
            "id_token_expires_in": seconds,
            "profile_info": _profile_info(grant, self.tenant),
            "scope": grant.scope,
        }
        if grant.client_id in grant.scope.split():
            found |= {"access_token": self.b2c.keys.sign(common), "expires_in": seconds, "expires_on": now + seconds}
        if "offline_access" in grant.scope.split():
            held = replace(grant, issued_at=self.b2c.now)
            left = min(grant.expires, grant.chain_ends) - self.b2c.now
            found["refresh_token"] = self.b2c.issue_refresh_token(held)
            found["refresh_token_expires_in"] = max(round(left.total_seconds()), 0)
        return found


def endpoint(b2c: Customers, tenant: Tenant, policy_id: str) -> Endpoint | None:
    """None when the tenant has no relying party's policy of that id.

    Raises:
        Refusal: one that the policy builds on is gone.
    """
    try:
        policy = b2c.policy(tenant, policy_id)
    except Broken as broken:
        raise Refusal("AADB2C90085", broken.problem.why) from None
    return Endpoint(b2c, tenant, policy) if policy else None


def app_of(form: dict[str, str], basic: tuple[str, str] | None = None) -> App:
    """The client that asks at /token.

    Raises:
        Refusal: it does not prove to be one.
    """
    client_id, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
    if not client_id:
        raise Refusal("AADB2C90083", "client_id")
    app = next((one for one in APPS if one.app_id == client_id.lower()), None)
    if app is None:
        raise Refusal("AADB2C90279", "no such client")
    if app.secret and not secret:
        raise Refusal("AADB2C90079")
    if app.secret and not hmac.compare_digest(app.secret.encode(), secret.encode()):
        raise Refusal("AADB2C90081")
    if secret and not app.secret:
        raise Refusal("AADB2C90084")
    return app


def issuer_of(tenant: Tenant) -> str:
    return f"https://{host_of(tenant)}/{tenant.id}/v2.0/"


def host_of(tenant: Tenant) -> str:
    return f"{tenant.initial_domain.partition('.')[0]}.b2clogin.com"


def _seconds(issuer: Profile | None, name: str, otherwise: int) -> int:
    text = issuer.setting(name) if issuer else ""
    return int(text) if text.isdecimal() else otherwise


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _profile_info(grant: Grant, tenant: Tenant) -> str:
    text = f'{{"ver":"1.0","tid":"{tenant.id}","sub":"{grant.user_id}"}}'
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
