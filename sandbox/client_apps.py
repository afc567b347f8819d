"""Apps that were allowed to act for people, and do: they hold refresh tokens and use them.

An app that was removed fails here with AADSTS65001, a person who was signed out everywhere with AADSTS50173. The apps
go through the same token endpoint rules as everybody else and know nothing that an app at Entra would not know.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox import reading_mail
from sandbox.agent_apps import AgentApp
from sandbox.held_tokens import ClientApp, Connection
from sandbox.identity import origin, pages, state
from sandbox.identity.errors import Refusal
from sandbox.identity.screens import same_origin
from sandbox.world import World

STATE_COOKIE = "sandbox_app_state"
SHOWN = 12  # people whose mail is read when the app's page is opened


def of(world: World, slug: str) -> ClientApp | None:
    """The app that lives at this address; it begins the first time anybody looks."""
    known = state.of(world).client_apps
    if slug not in known:
        application = next((one for one in world.applications.values() if one.slug == slug), None)
        if application is None:
            return None
        known[slug] = (AgentApp if application.blueprint else ClientApp)(world, application)
    return known[slug]


def begin(world: World) -> None:
    """Let every app take up its connections now, so that what happens next happens to tokens already held."""
    for application in list(world.applications.values()):
        if application.slug:
            of(world, application.slug)


def routes(world: World) -> list[Route]:
    async def page(http: Request) -> Response:
        app = of(world, http.path_params["slug"])
        return await _read_and_show(app, http) if app else _absent()

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
        if app is None or app.application.blueprint or not same_origin(http):
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


async def _read_and_show(app: ClientApp, http: Request) -> Response:
    """The app's page. Whoever opens it lets the app do what it always does: read mail with the token it holds, and get
    another where that one has run out.
    """
    now = app.world.clock.now()
    shown = list(app.connections.values())[:SHOWN]
    for one in shown:
        if one.held_until and one.held_until <= now and not one.error:
            app.refresh(one)
    read = await asyncio.gather(*(reading_mail.read(http, one) for one in shown))
    return _page(app, inboxes={one.user_id: inbox for one, inbox in zip(shown, read, strict=True) if inbox})


def _page(
    app: ClientApp, message: str = "", status: int = 200, inboxes: dict[str, reading_mail.Inbox] | None = None
) -> Response:
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
            "inbox": (inboxes or {}).get(one.user_id),
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
