"""Everything of B2C's that the sandbox serves: endpoints, the page where three apps try, and the controls.

`GET /_sandbox/b2c` shows it all; `POST` sets it: `{"gate": {"https://portal.contoso.example": "http://127.0.0.1:8000"},
"keys": {"B2C_1A_...": "..."}, "switches": {...}, "apps": {"store": "B2C_1A_..."}, "seconds": 30}`. An app tries with
`POST /_sandbox/b2c/apps/{slug}/{sign-in|refresh|silent}` and `{"user": ...}`.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.b2c import apps, endpoints, grants, memory
from sandbox.b2c.apps import ACTIONS, ClientApp
from sandbox.b2c.around import sign_in_name
from sandbox.b2c.catalogue import DOMAIN
from sandbox.b2c.memory import SWITCHES
from sandbox.identity import pages
from sandbox.identity.origin import from_loopback
from sandbox.identity.screens import same_origin
from sandbox.objects import User
from sandbox.tenant import Tenant
from sandbox.world import World

WORDS = {"sign-in": "Sign-in", "refresh": "Refresh", "silent": "Renewal in a hidden frame"}
SETTINGS = ("gate", "keys", "switches", "apps", "seconds")


def routes(world: World) -> list[BaseRoute]:
    control = Control(world)
    return [
        Route("/b2c/", control.page),
        Route("/b2c/{slug}", control.press, methods=["POST"]),
        Route("/_sandbox/b2c", control.show, methods=["GET"]),
        Route("/_sandbox/b2c", control.set, methods=["POST"]),
        Route("/_sandbox/b2c/apps/{slug}/{action}", control.act, methods=["POST"]),
        *endpoints.routes(world, control.b2c),
    ]


class Control:
    def __init__(self, world: World):
        self.world, self.b2c = world, memory.of(world)

    @property
    def tenant(self) -> Tenant:
        return self.world.tenant(DOMAIN)

    @property
    def apps(self) -> dict[str, ClientApp]:
        return apps.of(self.b2c, self.tenant)

    # --- for people --------------------------------------------------------------------------------

    async def page(self, http: Request) -> Response:
        people = [_shown(one, self.apps) for one in apps.customers(self.tenant)]
        columns = [
            {"name": one.app.name, "policy": one.policy, "description": one.app.description}
            for one in self.apps.values()
        ]
        return pages.show("b2c_apps.html", {"title": "Apps of customers", "apps": columns, "people": people})

    async def press(self, http: Request) -> Response:
        """One app tries, or all of them one after the other."""
        form, slug = await http.form(), http.path_params["slug"]
        chosen = list(self.apps.values()) if slug == "all" else [self.apps[slug]] if slug in self.apps else []
        person = apps.customer(self.tenant, str(form.get("user", "")))
        action = str(form.get("action", ""))
        if not chosen or person is None or action not in ACTIONS or not same_origin(http):
            return JSONResponse({"error": "not_found"}, 404)
        for app in chosen:
            await run_in_threadpool(app.do, action, person)
        return RedirectResponse(f"/b2c/#{person.id}", 303, headers=pages.NO_STORE)

    # --- for programs ------------------------------------------------------------------------------

    async def show(self, http: Request) -> Response:
        return self._only_here(http) or JSONResponse(self._everything(), headers=pages.NO_STORE)

    async def set(self, http: Request) -> Response:
        if refused := self._only_here(http):
            return refused
        try:
            self._set(await _body(http))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(self._everything(), headers=pages.NO_STORE)

    async def act(self, http: Request) -> Response:
        if refused := self._only_here(http):
            return refused
        app, action = self.apps.get(http.path_params["slug"]), http.path_params["action"]
        try:
            given = await _body(http)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        person = apps.customer(self.tenant, str(given.get("user", "")))
        if app is None or person is None or action not in ACTIONS:
            return JSONResponse({"error": "there is no such app, action or customer"}, 404)
        connection = await run_in_threadpool(app.do, action, person)
        return JSONResponse(apps.described(connection), headers=pages.NO_STORE)

    def _only_here(self, http: Request) -> Response | None:
        return None if from_loopback(http) else JSONResponse({"error": "the controls answer this machine only"}, 403)

    def _set(self, given: dict[str, Any]) -> None:
        """
        Raises:
            ValueError, KeyError: something in it is not known; what stands before it was set.
        """
        if unknown := set(given) - set(SETTINGS):
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(SETTINGS)}")
        for origin, address in given.get("gate", {}).items():
            self.b2c.gates[origin.rstrip("/").lower()] = address
        self.tenant.policy_keys.update(given.get("keys", {}))
        for name, answer in given.get("switches", {}).items():
            self.b2c.set_switch(name, answer)
        for slug, policy in given.get("apps", {}).items():
            self.apps[slug].use(policy)
        self.b2c.seconds = float(given.get("seconds", self.b2c.seconds))

    def _everything(self) -> dict[str, Any]:
        tenant = self.tenant
        return {
            "tenant": {"id": tenant.id, "domain": DOMAIN, "host": grants.host_of(tenant)},
            "policies": list(tenant.custom_policies),
            "keys": list(tenant.policy_keys),
            "customers": [
                {
                    "id": one.id,
                    "name": one.display_name,
                    "mail": sign_in_name(one),
                    "upn": one.upn,
                    "enabled": one.enabled,
                    "country": (one.extra or {}).get("country"),
                    "signInSessionsValidFromDateTime": one.valid_from.isoformat(),
                    "refreshTokensValidFromDateTime": one.refresh_from.isoformat(),
                }
                for one in apps.customers(tenant)
            ],
            "apps": [
                {
                    "slug": slug,
                    "name": one.app.name,
                    "client_id": one.app.app_id,
                    "kind": one.app.kind,
                    "policy": one.policy,
                    "connections": [apps.described(connection) for connection in one.connections.values()],
                }
                for slug, one in self.apps.items()
            ],
            "switches": self.b2c.switches,
            "known_switches": SWITCHES,
            "gate": self.b2c.gates,
            "seconds": self.b2c.seconds,
            "calls": list(self.b2c.calls),
        }


def _shown(user: User, found: dict[str, ClientApp]) -> dict[str, Any]:
    """A customer's row."""
    tries = []
    for slug, app in found.items():
        one = apps.described(app.connections.get(user.id) or apps.Connection(user.id, user.display_name, ""))
        words = {"words": WORDS.get(one["action"] or "", ""), "clock": (one["at"] or "")[11:19] + " UTC"}
        tries.append(one | words | {"slug": slug, "app": app.app.name, "frames": app.app.kind == "spa"})
    mail = sign_in_name(user) or "signs in with Facebook"
    return {"user": user.id, "name": user.display_name, "mail": mail, "tries": tries}


async def _body(http: Request) -> dict[str, Any]:
    raw = await http.body()
    try:
        given = json.loads(raw) if raw.strip() else {}
    except ValueError:
        raise ValueError("the body is no JSON") from None
    if not isinstance(given, dict):
        raise ValueError("the body is no JSON object")
    return given
