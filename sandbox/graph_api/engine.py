"""From bytes to an answer: who asks, whether something is to go wrong, what is asked, whether they may, and how often.

Requests by themselves and items of a batch take the same way, but the batch's token is read once and its items share
one delay. A request that no fault touches is answered without ever waiting.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from sandbox.faults import Fault
from sandbox.graph_api import batch
from sandbox.graph_api.callers import Caller, Callers
from sandbox.graph_api.errors import Refused
from sandbox.graph_api.resources import all_of_them
from sandbox.graph_api.router import GRAPH, Endpoint
from sandbox.graph_api.wire import JSON, Answer, Ask, Incoming, Listings, json_of, new_id, query_of, segments_of
from sandbox.identity.origin import of as origin_of
from sandbox.world import World

__all__ = ["Engine", "GraphApp", "all_of_them"]
logger = logging.getLogger("sandbox.graph")
# What is refused to a caller the directory knows costs a unit: https://learn.microsoft.com/graph/json-batching
UNIT_ALL_THE_SAME = (403, 405)
BUSY = 0.8  # from here on Graph says how full the window is
DIAGNOSTIC = (
    '{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"5","ScaleUnit":"001","RoleInstance":"SANDBOX001"}}'
)


class ConnectionCut(Exception):
    """The connection ends without an answer."""


class Engine:
    """Answers requests about one world."""

    def __init__(self, world: World):
        self.world = world
        self.callers = Callers(world)
        self.listings: Listings = Listings()
        self._random = random.Random(20)
        world.on_reset.append(self.forget)

    def forget(self) -> None:
        self.callers.forget()
        self.listings.clear()

    async def answer(self, incoming: Incoming, request_id: str) -> Answer:
        """The answer to a request from outside.

        Raises:
            ConnectionCut: a fault says that there is none.
        """
        world = self.world
        if world.latency_ms:
            await asyncio.sleep(world.clock.real(world.latency_ms / 1000))
        caller, refusal = None, None
        try:
            caller = self.callers.identify(incoming.headers.get("authorization"))
        except Refused as refused:
            refusal = refused
        fault = self._fault(incoming, caller)
        if fault is not None:
            return await self._spoil(fault, incoming, caller, refusal, request_id)
        return await self._carry_out(incoming, caller, refusal, request_id)

    async def _spoil(
        self, fault: Fault, incoming: Incoming, caller: Caller | None, refusal: Refused | None, request_id: str
    ) -> Answer:
        """Answer as a fault wants it, after doing what was asked if it says so."""
        if fault.delay_ms:
            await asyncio.sleep(self.world.clock.real(fault.delay_ms / 1000))
        answer = None
        if fault.mode == "after" or not fault.replaces_reply:
            answer = await self._carry_out(incoming, caller, refusal, request_id, log=not fault.replaces_reply)
            if not fault.replaces_reply:
                return answer
        if fault.cut:
            self._log(incoming, caller, 0)
            raise ConnectionCut
        answer = self._spoiled(fault, incoming, request_id, answer)
        self._log(incoming, caller, answer.status)
        return answer

    async def _carry_out(
        self, incoming: Incoming, caller: Caller | None, refusal: Refused | None, request_id: str, *, log: bool = True
    ) -> Answer:
        if refusal is None and incoming.path.lower() == "/$batch" and not incoming.in_batch:
            answer = await self._batch(incoming, caller, request_id)
        else:
            answer = self._now(incoming, caller, refusal, request_id)
        if log:
            self._log(incoming, caller, answer.status)
        return answer

    async def _batch(self, incoming: Incoming, caller: Caller, request_id: str) -> Answer:
        try:
            if incoming.method != "POST":
                raise Refused(405)
            return await self._items(incoming, caller)
        except Refused as refused:
            return self._refuse(refused, incoming.headers, request_id)

    async def _items(self, outer: Incoming, caller: Caller) -> Answer:
        order = batch.read(outer.body)
        answers: dict[str, dict[str, Any]] = {}
        while order:
            # All whose forerunners are done go together, so a batch waits as long as its slowest item.
            ready = [item for item in order if all(one in answers for one in batch.needs(item))]
            order = [item for item in order if item not in ready]
            waiting = []
            for item in ready:
                name = batch.name_of(item)
                if any(answers[one]["status"] >= 400 for one in batch.needs(item)):
                    refusal = self._refuse(Refused(424), outer.headers, new_id())
                    answers[name] = batch.response(item, refusal)
                    continue
                incoming = batch.incoming(outer, item)
                fault = self._fault(incoming, caller)
                if fault is None:
                    answer = self._now(incoming, caller, None, new_id())
                    self._log(incoming, caller, answer.status)
                    answers[name] = batch.response(item, answer)
                else:
                    waiting.append((item, self._spoil(fault, incoming, caller, None, new_id())))
            spoiled = await asyncio.gather(*(one for _, one in waiting))
            for (item, _), answer in zip(waiting, spoiled, strict=True):
                answers[batch.name_of(item)] = batch.response(item, answer)
        responses = list(answers.values())
        self._random.shuffle(responses)
        return Answer(body={"responses": responses})

    def _now(self, incoming: Incoming, caller: Caller | None, refusal: Refused | None, request_id: str) -> Answer:
        """Do one thing, without waiting."""
        try:
            if refusal is not None:
                raise refusal
            return self._do(incoming, caller, request_id)
        except Refused as refused:
            answer = self._refuse(refused, incoming.headers, request_id)
            if refused.status in UNIT_ALL_THE_SAME:
                answer.headers.setdefault("x-ms-resource-unit", "1")
            return answer
        except Exception:
            logger.exception("%s %s", incoming.method, incoming.path)
            return self._refuse(Refused(500), incoming.headers, request_id)

    def _do(self, incoming: Incoming, caller: Caller, request_id: str) -> Answer:
        if caller.tenant.awaited:
            caller.tenant.catch_up()
        beta = incoming.version == "beta"
        endpoint, values = GRAPH.find(incoming.method, segments_of(incoming.path), beta=beta)
        caller.check(endpoint.access, values)
        as_sent = endpoint.raw or not isinstance(incoming.body, bytes)
        body = incoming.body if as_sent else json_of(incoming.body)
        ask = Ask(
            world=self.world,
            tenant=caller.tenant,
            caller=caller,
            listings=self.listings,
            method=incoming.method,
            base=incoming.base,
            path=incoming.path,
            version=incoming.version,
            query=query_of(incoming.query),
            headers=incoming.headers,
            body=body,
            request_id=request_id,
        )
        units = self._units(endpoint, ask)
        fullness = self._spend(ask, units)
        answer = endpoint.handler(ask, *values)
        answer.headers["x-ms-resource-unit"] = str(units)
        if fullness >= BUSY:
            answer.headers["x-ms-throttle-limit-percentage"] = f"{fullness:.2f}"
        return answer

    def _units(self, endpoint: Endpoint, ask: Ask) -> int:
        if ask.method != "GET" or not ask.query:
            return endpoint.units
        units = endpoint.units - ("$select" in ask.query) + ("$expand" in ask.query)
        top = ask.query.get("$top", "")
        if top.isdecimal() and int(top) < 20:
            units -= 1
        return max(1, units)

    def _spend(self, ask: Ask, units: int) -> float:
        quota, caller = self.world.quota, ask.caller
        if ask.method == "GET" or ask.path.lower().endswith("/getbyids"):
            refusal, fullness = quota.read(caller.app_id, caller.tenant.id, units, len(caller.tenant.users))
        else:
            refusal, fullness = quota.write(caller.app_id, caller.tenant.id)
        if refusal:
            headers = {
                "Retry-After": str(refusal.retry_after),
                "x-ms-throttle-scope": refusal.scope,
                "x-ms-throttle-information": refusal.reason,
            }
            raise Refused(429, headers=headers)
        return fullness

    # --- faults ------------------------------------------------------------------------------------

    def _fault(self, incoming: Incoming, caller: Caller | None) -> Fault | None:
        faults = self.world.faults
        if not faults.rules:
            return None
        path = f"/{incoming.version}{incoming.path}"
        tenant = caller.tenant.id if caller else None
        return faults.match(incoming.method, path, tenant=tenant, in_batch=incoming.in_batch)

    def _spoiled(self, fault: Fault, incoming: Incoming, request_id: str, done: Answer | None) -> Answer:
        status = fault.status or (done.status if done else 200)
        if fault.body is not None:
            answer = Answer(status, fault.body)
        elif status >= 400:
            answer = self._refuse(Refused(status, fault.code, fault.message), incoming.headers, request_id)
        else:
            answer = Answer(status, done.body if done else None)
        if fault.retry_after is not None:
            answer.headers["Retry-After"] = str(fault.retry_after)
        answer.headers.update(fault.headers)
        return answer

    def _refuse(self, refused: Refused, headers: dict[str, str], request_id: str) -> Answer:
        """The error envelope."""
        mirrored = headers.get("client-request-id") or request_id
        body = refused.envelope(request_id, mirrored, self.world.clock.now())
        return Answer(refused.status, body, dict(refused.headers))

    def _log(self, incoming: Incoming, caller: Caller | None, status: int) -> None:
        body = incoming.body
        if isinstance(body, bytes):
            try:
                body = json.loads(body) if body else None
            except ValueError:
                body = body.decode(errors="replace")
        self.world.log.add(
            incoming.method,
            f"/{incoming.version}{incoming.path}",
            status,
            tenant=caller.tenant.id if caller else None,
            app=caller.app_id if caller else None,
            in_batch=incoming.in_batch,
            body=body,
            query=incoming.query,
        )


class GraphApp:
    """One version of Graph as an ASGI application, mounted at `/v1.0` or `/beta`."""

    def __init__(self, engine: Engine, version: str):
        self._engine = engine
        self._version = version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = new_id()
        incoming = await self._incoming(scope, receive)
        try:
            answer = await self._engine.answer(incoming, request_id)
        except ConnectionCut:
            await _hang_up(receive)
            return
        mirrored = incoming.headers.get("client-request-id") or request_id
        await _send(send, answer, request_id, mirrored)

    async def _incoming(self, scope: Scope, receive: Receive) -> Incoming:
        connection: HTTPConnection = HTTPConnection(scope)
        raw_path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        path = raw_path[len(self._version) + 1 :] or "/"
        return Incoming(
            method=scope["method"],
            version=self._version,
            path=path,
            query=scope["query_string"].decode("latin-1"),
            headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
            body=await _read(receive),
            base=f"{origin_of(connection)}/{self._version}",
        )


async def _read(receive: Receive) -> bytes:
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


async def _send(send: Send, answer: Answer, request_id: str, mirrored: str) -> None:
    headers = {
        "request-id": request_id,
        "client-request-id": mirrored,
        "x-ms-ags-diagnostic": DIAGNOSTIC,
        "Strict-Transport-Security": "max-age=31536000",
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }
    body = b""
    if isinstance(answer.body, str):
        headers["Content-Type"] = "text/plain"
        body = answer.body.encode()
    elif isinstance(answer.body, bytes):
        body = answer.body
    elif answer.body is not None:
        failed = answer.status >= 400
        headers["Content-Type"] = "application/json" if failed else JSON
        if not failed:
            headers["OData-Version"] = "4.0"
        body = json.dumps(answer.body, separators=(",", ":")).encode()
    headers.update(answer.headers)
    if answer.status != 204:
        headers["Content-Length"] = str(len(body))
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _hang_up(receive: Receive) -> None:
    """End the connection with no answer at all: only the server's own transport can do that."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("a fault cut this connection")
    transport.abort()
    while not receive.__self__.disconnected:
        await asyncio.sleep(0)
