"""The whole sandbox as one ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox import client_apps, control
from sandbox.b2c import routes as b2c_routes
from sandbox.graph_api import routes as graph_routes
from sandbox.identity import pages, routes as identity_routes, state
from sandbox.world import World


def create_app(world: World) -> Starlette:
    """Entra ID, Microsoft Graph, the client apps and the control interface for one world.

    The identity routes come last: their first part is a tenant's name, which is any word.
    """

    async def index(http: Request) -> Response:
        apps = sorted((one for one in world.applications.values() if one.slug), key=lambda one: one.display_name)
        values = {"title": "About", "apps": apps, "tenants": list(world.tenants.values())}
        return pages.show("index.html", values)

    state.of(world)  # from now on a reset empties it too
    return Starlette(
        routes=[
            Route("/", index),
            Mount("/_static", StaticFiles(directory=pages.FOLDER / "static")),
            *control.routes(world),
            *client_apps.routes(world),
            *graph_routes.routes(world),
            *b2c_routes.routes(world),
            *identity_routes.routes(world),
        ]
    )
