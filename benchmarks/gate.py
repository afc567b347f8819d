"""The gate under load: two processes of it, one with a thousand rules and one with a million, asked in turn.

Requests leave at fixed times, whatever became of those before them, and each is timed from the moment it was due: a
server that stalls is not flattered by a client that waits for it. The bare Django view that it is compared with is the
health check of the very same processes.
"""

import asyncio
import base64
import gc
import itertools
import random
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

import psutil
import psycopg

from benchmarks.bed import PROJECT, Bed, free_port, wait_until
from portal.local.postgres import OWNER, ROLE, SUPERUSER
from tests.sandbox_client import CONTOSO

FEW, MANY = 1_000, 1_000_000
RATE, SECONDS, ROUNDS = 200, 6, 5
CORES, WARM = 2, 3  # seconds
REFUSED = 0.1  # of the people asked about have a rule
POLICY, APP = "b2c_1a_signup_signin", UUID(int=1)


@dataclass
class Gate:
    """The gate's processes on one database."""

    rules: int
    address: str
    processes: subprocess.Popen
    secret: str
    database_url: str
    seconds: list[list[float]] = field(default_factory=list)  # one list a round
    bare: list[list[float]] = field(default_factory=list)
    answers: dict[int, int] = field(default_factory=dict)

    def memory(self) -> int:
        """Bytes of its worker processes."""
        return sum(one.memory_info().rss for one in psutil.Process(self.processes.pid).children())


def measure() -> dict:
    """Everything, as figures: milliseconds and megabytes."""
    with Bed(people=15, quota=False) as bed:
        few = _gate(bed, bed.database_url, FEW)
        with _superuser(bed.database_url) as connection:
            connection.execute(f"CREATE DATABASE many TEMPLATE consentry OWNER {OWNER}")
        many = _gate(bed, _other(bed.database_url, "many"), MANY)
        for gate in (few, many):
            _settle(gate.database_url)
            _load(gate, WARM)
            gate.seconds.clear(), gate.bare.clear(), gate.answers.clear()
        memory = many.memory()
        for gate in [few, many] * ROUNDS:
            _load(gate, SECONDS)
        grown = many.memory() - memory
        return {
            "rate": RATE,
            "requests": sum(map(len, many.seconds)),
            "answers": many.answers,
            "bare_p99": _p(many.bare, 99),
            "few_p50": _p(few.seconds, 50),
            "few_p99": _p(few.seconds, 99),
            "many_p50": _p(many.seconds, 50),
            "many_p99": _p(many.seconds, 99),
            "many_worst_p99": max(_p([one], 99) for one in many.seconds),
            "query_few_us": _query(bed.database_url),
            "query_many_us": _query(_other(bed.database_url, "many")),
            "memory_mb": round(memory / 2**20),
            "grown_mb": round(grown / 2**20, 1),
        }


def person(number: int) -> str:
    """Somebody's object id: as `inside.gate` counts them."""
    return f"00000010-0000-0000-0000-{number:012x}"


# --- the stage ------------------------------------------------------------------------------------------


def _gate(bed: Bed, database_url: str, rules: int) -> Gate:
    bed.environment["DATABASE_URL"] = database_url
    secret = bed.inside("gate", rules)["secret"]
    port = free_port()
    options = ["-c", "python:b2c.gate.serving", "b2c.gate.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", CORES]
    with (bed.folder / f"gate{rules}.log").open("wb") as log:
        processes = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *map(str, options)],
            cwd=PROJECT,
            env=bed.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    bed.others.append(processes)
    address = f"http://127.0.0.1:{port}"
    wait_until(lambda: bed._answers(address + "/healthz"), 60)
    return Gate(rules, address, processes, secret, database_url)


def _settle(database_url: str) -> None:
    """A million rows that were just written are still being written: that is not what is measured."""
    with _superuser(database_url) as connection:
        connection.execute("VACUUM ANALYZE b2c_refreshrule")
        connection.execute("CHECKPOINT")


def _superuser(database_url: str) -> psycopg.Connection:
    return psycopg.connect(database_url.replace(f"//{ROLE}@", f"//{SUPERUSER}@", 1), autocommit=True)


def _other(url: str, name: str) -> str:
    return url.replace("/consentry?", f"/{name}?", 1)


def _query(database_url: str) -> float:
    """The one query by itself, its median in microseconds: without the web, the network and their noise."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT set_config('consentry.tenant', %s, false)", [CONTOSO])
        took = []
        for _ in range(2000):
            someone = person(random.randrange(MANY))
            began = time.perf_counter()
            connection.execute(
                "SELECT id FROM b2c_refreshrule WHERE tenant_id = %s AND person_id IN (%s, %s)"
                " AND policy_id IN ('', %s) AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > now())",
                [CONTOSO, someone, str(UUID(int=0)), POLICY],
            ).fetchall()
            took.append(time.perf_counter() - began)
    return round(statistics.median(took) * 1e6)


# --- the load -------------------------------------------------------------------------------------------


def _load(gate: Gate, seconds: float) -> None:
    gc.collect()
    gc.disable()
    try:
        asyncio.run(_both(gate, seconds))
    finally:
        gc.enable()


async def _both(gate: Gate, seconds: float) -> None:
    client = _Client(gate.address)
    nothing = b"GET /healthz HTTP/1.1\r\nHost: gate\r\n\r\n"
    gate.bare.append([one.seconds for one in await client.run(itertools.repeat(nothing), seconds / 2)])
    answers = await client.run(_asks(gate), seconds)
    gate.seconds.append([one.seconds for one in answers])
    for one in answers:
        gate.answers[one.status] = gate.answers.get(one.status, 0) + 1
    client.close()


def _asks(gate: Gate):
    key = base64.b64encode(f"consentry:{gate.secret}".encode()).decode()
    while True:
        known = random.random() < REFUSED
        number = random.randrange(gate.rules) if known else MANY + random.randrange(MANY)
        body = (
            f'{{"objectId":"{person(number)}","policyId":"{POLICY}","issuedAt":"2026-01-01T00:00:00Z",'
            f'"correlationId":"bench","clientId":"{APP}"}}'
        ).encode()
        head = (
            f"POST /b2c/{CONTOSO}/refresh HTTP/1.1\r\nHost: gate\r\nAuthorization: Basic {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


@dataclass
class _Answer:
    status: int
    seconds: float


class _Client:
    """Keeps connections open, as B2C's data centres do, and opens another where all are busy."""

    def __init__(self, address: str) -> None:
        self.host, self.port = urlsplit(address).hostname, urlsplit(address).port
        self.idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def run(self, requests, seconds: float) -> list[_Answer]:
        loop, tasks = asyncio.get_running_loop(), []
        began = loop.time() + 0.05
        for number, request in zip(range(int(seconds * RATE)), requests, strict=False):
            due = began + number / RATE
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            tasks.append(asyncio.create_task(self._ask(request, due)))
        return list(await asyncio.gather(*tasks))

    async def _ask(self, request: bytes, due: float) -> _Answer:
        reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection(self.host, self.port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if b"chunked" in head:
            await reader.readuntil(b"0\r\n\r\n")
        else:
            lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            await reader.readexactly(int(lengths[0].split(b":")[1]))
        self.idle.append((reader, writer))
        return _Answer(int(head.split(b" ", 2)[1]), asyncio.get_running_loop().time() - due)

    def close(self) -> None:
        for _reader, writer in self.idle:
            writer.close()


def _p(rounds: list[list[float]], percent: int) -> float:
    """A percentile in milliseconds: the middle round's, so that what else the machine did once decides nothing."""
    of_each = [statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] for seconds in rounds]
    return round(statistics.median(of_each) * 1000, 2)
