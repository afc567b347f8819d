"""The door: Graph's addresses for the sandbox's application."""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount

from sandbox.graph_api.engine import Engine, GraphApp
from sandbox.world import World


def routes(world: World) -> list[BaseRoute]:
    """`/v1.0` and `/beta`, over this world."""
    engine = Engine(world)
    return [Mount(f"/{version}", app=GraphApp(engine, version)) for version in ("v1.0", "beta")]
