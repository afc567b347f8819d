"""Apps that were allowed to act for people, and do: they hold refresh tokens and use them.

An app that was removed fails here with AADSTS65001, a person who was signed out everywhere with AADSTS50173. The apps
go through the same token endpoint rules as everybody else and know nothing that an app at Entra would not know.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.identity import origin, pages, redemption, state
from sandbox.identity.errors import Refusal
from sandbox.identity.screens import same_origin
from sandbox.identity.state import Family
from sandbox.objects import GRAPH_APP_ID, Application
from sandbox.world import World

STATE_COOKIE = "sandbox_app_state"
MOST = 200  # connections an app is given when the world begins


@dataclass
class Connection:
    """One person an app is signed in as: the tokens it keeps, and how its last try went."""

    tenant_id: str
    user_id: str
    name: str
    upn: str
    refresh_token: str
    held_until: datetime | None = None
    access_token: str = ""
    scope: str = ""
    refreshed: datetime | None = None
    tried: datetime | None = None
    error: str = ""
    code: str = ""


class ClientApp:
    """One app's own memory."""

    def __init__(self, world: World, application: Application):
        self.world, self.application = world, application
        self.connections: dict[str, Connection] = {}  # by tenant and user
        self.pending: dict[str, str] = {}  # state of a sign-in under way: nonce
        self._begin()

    def _begin(self) -> None:
        """Remember the people who allowed this app before the world began, as a real app would."""
        for tenant in self.world.tenants.values():
            client = tenant.service_principal_for(self.application.app_id)
            if client is None:
                continue
            for grant in tenant.grants_of_client(client.id):
                user = tenant.users.get(grant.principal_id or "")
                if user is None or "offline_access" not in grant.scopes or len(self.connections) >= MOST:
                    continue
                key = f"{tenant.id}/{user.id}"
                if key in self.connections:
                    continue
                signed_in_at = max(user.valid_from, client.created) + timedelta(seconds=1)
                family = Family(
                    app_id=self.application.app_id,
                    tenant_id=tenant.id,
                    home_tenant_id=user.home_tenant_id or tenant.id,
                    home_user_id=user.home_user_id or user.id,
                    signed_in_at=min(signed_in_at, self.world.clock.now()),
                    sid=secrets.token_hex(16),
                )
                token = state.of(self.world).issue_refresh_token(family)
                self.connections[key] = Connection(tenant.id, user.id, user.display_name, user.upn, token)

    @property
    def scope(self) -> str:
        wanted = self.application.wanted(GRAPH_APP_ID).scopes
        return " ".join(dict.fromkeys([*wanted, "openid", "profile"]))

    @property
    def credential(self) -> dict[str, str]:
        found = {"client_id": self.application.app_id}
        return found | ({"client_secret": self.application.secrets[0]} if self.application.secrets else {})

    def redeem(self, tenant: str, form: dict[str, str]) -> dict[str, Any]:
        return redemption.redeem(self.world, tenant, form | self.credential)

    def refresh(self, connection: Connection) -> None:
        """Use a refresh token. What comes back, tokens or a refusal, is kept and shown; the token held before stays."""
        if not connection.refresh_token:
            return  # an app that works only while its person is there has none
        form = {"grant_type": "refresh_token", "refresh_token": connection.refresh_token, "scope": self.scope}
        now = connection.tried = self.world.clock.now()
        try:
            answer = self.redeem(connection.tenant_id, form)
        except Refusal as refusal:
            connection.error, connection.code = str(refusal), f"AADSTS{refusal.code}"
            return
        self._keep(connection, answer, now)

    def _keep(self, connection: Connection, answer: dict[str, Any], now: datetime) -> None:
        connection.refresh_token = answer.get("refresh_token", connection.refresh_token)
        connection.access_token, connection.scope = answer["access_token"], answer["scope"]
        connection.held_until = now + timedelta(seconds=answer["expires_in"])
        connection.refreshed = connection.tried = now
        connection.error = connection.code = ""

    def connected(self, answer: dict[str, Any], nonce: str) -> None:
        """A sign-in came back. The ID token came straight from the token endpoint, which is why it is believed.

        Raises:
            ValueError: it answers another sign-in.
        """
        claims = jwt.decode(answer["id_token"], options={"verify_signature": False})
        if claims.get("nonce") != nonce or claims["aud"] != self.application.app_id:
            raise ValueError("The answer belongs to another sign-in.")
        key = f"{claims['tid']}/{claims['oid']}"
        connection = Connection(claims["tid"], claims["oid"], claims["name"], claims["preferred_username"], "")
        self.connections[key] = connection
        self._keep(connection, answer, self.world.clock.now())

    def find(self, user: str) -> list[Connection]:
        """Connections of one person, by object id or sign-in name; all without one."""
        return [one for one in self.connections.values() if not user or user.lower() in (one.user_id, one.upn.lower())]


def of(world: World, slug: str) -> ClientApp | None:
    """The app that lives at this address; it begins the first time anybody looks."""
    known = state.of(world).client_apps
    if slug not in known:
        application = next((one for one in world.applications.values() if one.slug == slug), None)
        if application is None:
            return None
        known[slug] = ClientApp(world, application)
    return known[slug]


def begin(world: World) -> None:
    """Let every app take up its connections now, so that what happens next happens to tokens already held."""
    for application in list(world.applications.values()):
        if application.slug:
            of(world, application.slug)


def routes(world: World) -> list[Route]:
    async def page(http: Request) -> Response:
        app = of(world, http.path_params["slug"])
        return _page(app) if app else _absent()

    async def status(http: Request) -> Response:
        app = of(world, http.path_params["slug"])
        if app is None:
            return _absent()
        found = [described(one) for one in app.find(http.query_params.get("user", ""))]
        names = {"app": app.application.display_name, "client_id": app.application.app_id}
        return JSONResponse(names | {"connections": found}, headers=pages.NO_STORE)

    async def refresh(http: Request) -> Response:
        app = of(world, http.path_params["slug"])
        if app is None or not same_origin(http):
            return _absent()
        form = await http.form()
        chosen = app.find(str(form.get("user") or http.query_params.get("user") or ""))
        for connection in chosen:
            app.refresh(connection)
        if form.get("page"):
            return RedirectResponse(f"/apps/{app.application.slug}/", 303, headers=pages.NO_STORE)
        found = [described(one) for one in chosen]
        return JSONResponse({"connections": found}, headers=pages.NO_STORE)

    async def connect(http: Request) -> Response:
        app = of(world, http.path_params["slug"])
        if app is None or not same_origin(http):
            return _absent()
        return _to_sign_in(app, http)

    async def callback(http: Request) -> Response:
        app = of(world, http.path_params["slug"])
        return _from_sign_in(app, http) if app else _absent()

    begin(world)
    world.on_reset.append(lambda: begin(world))
    return [
        Route("/apps/{slug}/", page),
        Route("/apps/{slug}/status", status),
        Route("/apps/{slug}/refresh", refresh, methods=["POST"]),
        Route("/apps/{slug}/connect", connect, methods=["POST"]),
        Route("/apps/{slug}/callback", callback),
    ]


def _to_sign_in(app: ClientApp, http: Request) -> Response:
    own, slug = origin.login_host(http), app.application.slug
    mark, nonce = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    while len(app.pending) >= 1000:
        del app.pending[next(iter(app.pending))]
    app.pending[mark] = nonce
    query = {
        "client_id": app.application.app_id,
        "response_type": "code",
        "redirect_uri": f"{own}/apps/{slug}/callback",
        "scope": app.scope,
        "state": mark,
        "nonce": nonce,
        "prompt": "select_account",
    }
    answer = RedirectResponse(f"{own}/organizations/oauth2/v2.0/authorize?{urlencode(query)}", 303)
    answer.set_cookie(STATE_COOKIE, mark, httponly=True, samesite="lax", path=f"/apps/{slug}/")
    return answer


def _from_sign_in(app: ClientApp, http: Request) -> Response:
    values = http.query_params
    mark = values.get("state", "")
    nonce = app.pending.pop(mark, None)
    if nonce is None or http.cookies.get(STATE_COOKIE) != mark:
        return _page(app, "That answer belongs to no sign-in of this browser. Connect again.", 400)
    if "error" in values:
        return _page(app, values.get("error_description", values["error"]))
    form = {
        "grant_type": "authorization_code",
        "code": values.get("code", ""),
        "redirect_uri": f"{origin.login_host(http)}/apps/{app.application.slug}/callback",
        "scope": app.scope,
    }
    try:
        app.connected(app.redeem("organizations", form), nonce)
    except (Refusal, ValueError) as error:
        return _page(app, str(error))
    return RedirectResponse(f"/apps/{app.application.slug}/", 303, headers=pages.NO_STORE)


def described(connection: Connection) -> dict[str, Any]:
    """A connection for programs. No token is shown."""
    return {
        "user": connection.user_id,
        "name": connection.name,
        "upn": connection.upn,
        "tenant": connection.tenant_id,
        "ok": None if connection.tried is None else not connection.error,
        "error": connection.code or None,
        "error_description": connection.error or None,
        "refreshed_at": _iso(connection.refreshed) or None,
        "tried_at": _iso(connection.tried) or None,
        "access_token_expires_at": _iso(connection.held_until) or None,
        "scope": connection.scope or None,
    }


def _page(app: ClientApp, message: str = "", status: int = 200) -> Response:
    now = app.world.clock.now()
    rows = [
        {
            "name": one.name,
            "upn": one.upn,
            "user_id": one.user_id,
            "away": bool(one.refresh_token),
            "error": one.error,
            "code": one.code,
            "scope": one.scope,
            "tried": _iso(one.tried),
            "tried_words": _words(one.tried),
            "refreshed": _iso(one.refreshed),
            "refreshed_words": _words(one.refreshed),
            "held_until": _iso(one.held_until) if one.held_until and one.held_until > now else "",
            "held_words": _words(one.held_until),
        }
        for one in app.connections.values()
    ]
    values = {
        "title": app.application.display_name,
        "app": app.application,
        "description": app.application.description or "",
        "connections": rows,
        "message": message,
    }
    return pages.show("app.html", values, status)


def _absent() -> Response:
    return JSONResponse({"error": "not_found"}, 404)


def _iso(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ""


def _words(moment: datetime | None) -> str:
    return f"{moment:%H:%M:%S} UTC" if moment else ""
