"""Keeping the record of requests, and making them go wrong on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.faults import Fault
from sandbox.world import World

View = Callable[[Request], Awaitable[Response]]


class Cut(Response):
    """No answer at all: the connection ends, as when a server dies. Only the server's own transport can do that."""

    async def __call__(self, scope, receive, send) -> None:
        cycle = getattr(receive, "__self__", None)
        transport = getattr(cycle, "transport", None)
        if transport is None:
            raise ConnectionResetError("a fault cut this connection")
        transport.abort()
        while not cycle.disconnected:  # the server only then knows that nobody waits for an answer
            await asyncio.sleep(0)


def faulty(world: World, view: View) -> View:
    """The view, with the world's fault rules before or after it and an entry in the request log."""

    async def answer(http: Request) -> Response:
        path, tenant = http.url.path, http.path_params.get("tenant")
        fault = world.faults.match(http.method, path, tenant=tenant)
        if fault is not None and fault.delay_ms:
            await asyncio.sleep(world.clock.real(fault.delay_ms / 1000))
        if fault is None or not fault.replaces_reply:
            response = await view(http)
        else:
            if fault.mode == "after":
                await view(http)
            response = _instead(world, fault)
        form = await http.form() if http.method == "POST" else http.query_params
        app = form.get("client_id")
        sent = dict(form) if path.endswith("/token") else None
        world.log.add(http.method, path, response.status_code, tenant=tenant, app=str(app) if app else None, body=sent)
        return response

    return answer


def _instead(world: World, fault: Fault) -> Response:
    if fault.cut:
        return Cut()
    headers = dict(fault.headers)
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    body = fault.body
    if isinstance(body, str):
        return Response(body, fault.status or 200, headers=headers)
    if body is None:
        body = {"error": fault.code or "temporarily_unavailable", "error_description": fault.message or "On demand."}
    return Response(json.dumps(body), fault.status or 200, headers=headers, media_type=JSONResponse.media_type)
