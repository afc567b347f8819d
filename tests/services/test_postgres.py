"""A PostgreSQL that is not ours: POSTGRES_URL names a role there that may create databases, and no superuser."""

import os
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from benchmarks import brokers, chaos, faults

PEOPLE = 40
NAME = "consentry_chaos"
ADDRESS = os.environ.get("POSTGRES_URL") or "postgres://consentry@127.0.0.1/postgres"

pytestmark = [pytest.mark.services, pytest.mark.xdist_group("services"), pytest.mark.timeout(300)]


@pytest.fixture
def database() -> Iterator[str]:
    name = f"{NAME}_{os.getpid()}"
    where = urlsplit(ADDRESS)
    try:
        server = psycopg.connect(ADDRESS, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip(f"not run: no PostgreSQL at {where.hostname}:{where.port or 5432}")
    with server:
        server.execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit((where.scheme, where.netloc, f"/{name}", where.query, ""))
    finally:
        with psycopg.connect(ADDRESS, autocommit=True) as server, suppress(psycopg.Error):
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_connections_that_end_lose_nobody_and_sign_nobody_out_twice(database):
    broker = brokers.reach("filesystem")
    with (
        chaos.ChaosBed(people=PEOPLE, scale=12, window=PEOPLE // 4 + 20, database_url=database) as bed,
        bed.staffed(broker, 2),
    ):
        chaos.warm_up(bed, broker)
        line = chaos.run_one(bed, broker, faults.postgres_fails(bed, times=2, every=2.0), PEOPLE, 120)

        assert not line.violations, f"{line}\n{bed.tails()}"
        assert line.states == {"verified": PEOPLE}
        assert bed.chaos("verify_audit") == {"ok": True}
