"""The identity side's part of `/_sandbox/`: its switches, and rolling its keys over. Answers loopback only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.identity import origin, state
from sandbox.world import World


def endpoints(world: World) -> list[tuple[str, Callable[[Request], Awaitable[Response]], str]]:
    """Path, view and methods of each."""

    async def rotate(http: Request) -> Response:
        """Sign with a new key from now on; with `?forget_old=1` earlier tokens stop verifying."""
        forget_old = http.query_params.get("forget_old") == "1"
        return JSONResponse({"kid": state.of(world).keys.rotate(forget_old=forget_old)})

    async def switches(http: Request) -> Response:
        known = state.of(world).switches
        if http.method == "GET":
            return JSONResponse(asdict(known))
        try:
            return JSONResponse(known.change(await http.json()))
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return [("/_sandbox/keys", _near(rotate), "POST"), ("/_sandbox/identity", _near(switches), "GET POST")]


def _near(view: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(http: Request) -> Response:
        if not origin.from_loopback(http):
            return JSONResponse({"error": "the controls answer this machine only"}, 403)
        return await view(http)

    return answer
