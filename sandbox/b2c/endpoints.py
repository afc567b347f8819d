"""B2C's addresses: authorize, token, logout and the documents, each policy with its own.

`https://{name}.b2clogin.com/{name}.onmicrosoft.com/{policy}/oauth2/v2.0/token`, or the policy as `?p=`. Whoever speaks
of a b2clogin.com host reaches the sandbox as with Microsoft's other hosts: by an address mapped to it.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from sandbox.b2c import apps, grants
from sandbox.b2c.around import sign_in_name
from sandbox.b2c.catalogue import APPS, App
from sandbox.b2c.errors import Refusal
from sandbox.b2c.grants import Ask, Endpoint
from sandbox.b2c.memory import Browser, Customers
from sandbox.identity import origin, pages
from sandbox.identity.screens import parameters, same_origin
from sandbox.tenant import Tenant
from sandbox.world import World

COOKIE = "x-ms-cpim-sso"
ANYWHERE = {"Access-Control-Allow-Origin": "*"}  # single-page apps ask for tokens from their own origin
View = Callable[[Request], Awaitable[Response]]


class WithPolicy(Route):
    """A route of the form that names its policy in the query, as `?p=`."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        query = scope.get("query_string", b"")
        named = query.startswith(b"p=") or b"&p=" in query
        return super().matches(scope) if named else (Match.NONE, {})


class Absent(Exception):
    """There is no such tenant, or no such policy."""


def routes(world: World, b2c: Customers) -> list[BaseRoute]:
    """To be put before the identity side's: the first part of both is a tenant's name."""
    views = Views(world, b2c)
    found: list[tuple[str, View, list[str]]] = [
        ("oauth2/v2.0/authorize", views.authorize, ["GET"]),
        ("oauth2/v2.0/sign-in", views.signed_in, ["POST"]),
        ("oauth2/v2.0/token", views.token, ["POST", "OPTIONS"]),
        ("oauth2/v2.0/logout", views.logout, ["GET"]),
        ("v2.0/.well-known/openid-configuration", views.configuration, ["GET"]),
        ("discovery/v2.0/keys", views.keys, ["GET"]),
    ]
    with_path = [Route(f"/{{tenant}}/{{policy}}/{path}", _safe(view), methods=how) for path, view, how in found]
    with_query = [WithPolicy(f"/{{tenant}}/{path}", _safe(view), methods=how) for path, view, how in found]
    return [*with_path, *with_query]


def _safe(view: View) -> View:
    async def answer(http: Request) -> Response:
        try:
            return await view(http)
        except Absent:
            return JSONResponse({"error": "not_found", "error_description": "There is no such policy."}, 404)

    return answer


class Views:
    def __init__(self, world: World, b2c: Customers):
        self.world, self.b2c = world, b2c

    # --- people ------------------------------------------------------------------------------------

    async def authorize(self, http: Request) -> Response:
        """From the session where that is enough, else with a page. `prompt=none` shows none."""
        endpoint, values = self._endpoint(http), dict(http.query_params)
        app = self._client(values)
        if isinstance(app, Response):
            return app
        browser, prompt = self._browser(http), values.get("prompt", "").lower()
        if prompt != "login" and (browser.held or prompt == "none"):
            try:
                code = await run_in_threadpool(endpoint.renew, _ask(app, values), browser)
                return self._back(app, values, {"code": code}, browser)
            except Refusal as refusal:
                if prompt == "none" or refusal.code != "AADB2C90077":
                    return self._back(app, values, refusal.described(self.world.clock.now()), browser)
        people = apps.customers(endpoint.tenant)
        shown = {
            "title": "Sign in",
            "app": app,
            "policy": endpoint.policy.id,
            "action": f"/{endpoint.tenant.initial_domain}/{endpoint.policy.id}/oauth2/v2.0/sign-in",
            "people": [{"id": one.id, "name": one.display_name, "mail": sign_in_name(one) or ""} for one in people],
            "query": urlencode(values),
        }
        return self._with_cookie(pages.show("b2c_sign_in.html", shown), browser)

    async def signed_in(self, http: Request) -> Response:
        endpoint, form = self._endpoint(http), await parameters(http)
        values = dict(parse_qsl(form.get("query", "")))
        app = self._client(values)
        if isinstance(app, Response):
            return app
        user = apps.customer(endpoint.tenant, form.get("user", ""))
        browser = self._browser(http)
        if user is None or not same_origin(http):
            return _wrong("Nobody of that name can sign in here.")
        try:
            code = await run_in_threadpool(endpoint.sign_in, _ask(app, values), user, browser)
        except Refusal as refusal:
            return self._back(app, values, refusal.described(self.world.clock.now()), browser)
        return self._back(app, values, {"code": code}, browser)

    async def logout(self, http: Request) -> Response:
        """Ends the session of this browser, and nothing else: no refresh token is revoked."""
        self._endpoint(http)
        self._browser(http).held = {}
        wanted = http.query_params.get("post_logout_redirect_uri", "")
        known = any(wanted == app.redirect_uri for app in APPS)
        return RedirectResponse(wanted, 302) if known else pages.show("signed_out.html", {"title": "Signed out"})

    def _client(self, values: dict[str, str]) -> App | Response:
        app = next((one for one in APPS if one.app_id == values.get("client_id", "").lower()), None)
        if app is None:
            return _wrong("There is no application with that client_id.")
        if values.get("redirect_uri") != app.redirect_uri:
            return _wrong("The redirect_uri is not one of the application's.")
        if "code" not in values.get("response_type", "").split():
            return _wrong("Only response_type=code is served.")
        return app

    def _back(self, app: App, values: dict[str, str], answer: dict[str, str], browser: Browser) -> Response:
        if "state" in values:
            answer = answer | {"state": values["state"]}
        mark = "#" if values.get("response_mode") == "fragment" else "?"
        return self._with_cookie(RedirectResponse(f"{app.redirect_uri}{mark}{urlencode(answer)}", 302), browser)

    def _browser(self, http: Request) -> Browser:
        return self.b2c.browser(http.cookies.get(COOKIE, ""))

    def _with_cookie(self, answer: Response, browser: Browser) -> Response:
        answer.set_cookie(COOKIE, browser.id, httponly=True, samesite="lax", path="/")
        answer.headers.update(pages.NO_STORE)
        return answer

    # --- programs ----------------------------------------------------------------------------------

    async def token(self, http: Request) -> Response:
        if http.method == "OPTIONS":
            return Response(status_code=204, headers=ANYWHERE | {"Access-Control-Allow-Methods": "POST"})
        endpoint, form = self._endpoint(http), await parameters(http)
        try:
            answer = await run_in_threadpool(self._redeem, endpoint, form, http.headers.get("authorization", ""))
        except Refusal as refusal:
            return JSONResponse(refusal.described(self.world.clock.now()), 400, headers=pages.NO_STORE | ANYWHERE)
        return JSONResponse(answer, headers=pages.NO_STORE | ANYWHERE)

    def _redeem(self, endpoint: Endpoint, form: dict[str, str], authorization: str) -> dict[str, Any]:
        app = grants.app_of(form, _basic(authorization))
        kind = form.get("grant_type", "")
        if kind == "authorization_code":
            return endpoint.redeem_code(app, form)
        if kind == "refresh_token":
            if not form.get("refresh_token"):
                raise Refusal("AADB2C90083", "refresh_token")
            return endpoint.refresh(app, form["refresh_token"], form.get("scope", ""))
        raise Refusal("AADB2C90086" if kind else "AADB2C90083")

    async def configuration(self, http: Request) -> Response:
        endpoint = self._endpoint(http)
        base = f"{origin.of(http)}/{endpoint.tenant.initial_domain}/{endpoint.policy.id.lower()}"
        document = {
            "issuer": grants.issuer_of(endpoint.tenant),
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        }
        return JSONResponse(document, headers=ANYWHERE)

    async def keys(self, http: Request) -> Response:
        endpoint = self._endpoint(http)
        return JSONResponse(self.b2c.keys.jwks(grants.issuer_of(endpoint.tenant)), headers=ANYWHERE)

    # --- both --------------------------------------------------------------------------------------

    def _endpoint(self, http: Request) -> Endpoint:
        tenant = self._tenant(http)
        policy = http.path_params.get("policy") or http.query_params.get("p", "")
        try:
            found = grants.endpoint(self.b2c, tenant, policy)
        except Refusal:
            found = None
        if found is None:
            raise Absent
        return found

    def _tenant(self, http: Request) -> Tenant:
        tenant = self.world.tenant(http.path_params["tenant"])
        host = (http.headers.get("host") or "").partition(":")[0].lower()
        foreign = tenant is not None and host.endswith(".b2clogin.com") and host != grants.host_of(tenant)
        if tenant is None or not tenant.b2c or foreign:
            raise Absent
        return tenant


def _ask(app: App, values: dict[str, str]) -> Ask:
    challenge = values.get("code_challenge", "") if values.get("code_challenge_method") == "S256" else ""
    scope = values.get("scope", "openid")
    return Ask(app, app.redirect_uri, scope, values.get("nonce", ""), challenge, values)


def _basic(authorization: str) -> tuple[str, str] | None:
    kind, _, value = authorization.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return None
    return unquote(name), unquote(secret)


def _wrong(text: str) -> Response:
    return pages.show("b2c_wrong.html", {"title": "Sign-in cannot go on", "text": text}, 400)
