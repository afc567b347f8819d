"""A PostgreSQL that is not ours, under a role of its own that may create databases and is no superuser.

POSTGRES_URL names such a role. Without it, one is made for the test where this machine's server lets us in as its
administrator, and taken away again.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from benchmarks import brokers, chaos, faults

PEOPLE = 40
NAME = f"consentry_chaos_{os.getpid()}"
NAMED = os.environ.get("POSTGRES_URL")
ADMINISTRATOR = "postgres://postgres@127.0.0.1/postgres"

pytestmark = [pytest.mark.services, pytest.mark.xdist_group("services"), pytest.mark.timeout(300)]


def _connect(address: str) -> psycopg.Connection:
    """Skips where nobody answers; a server that answers and refuses is a fault of the test's settings."""
    where = urlsplit(address)
    try:
        return psycopg.connect(address, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as refusal:
        if refusal.sqlstate is None and "refused" not in str(refusal) and "timeout" not in str(refusal):
            pytest.skip(
                f"not run: the PostgreSQL at {where.hostname} lets nobody in as {where.username}; POSTGRES_URL?"
            )
        pytest.skip(f"not run: no PostgreSQL at {where.hostname}:{where.port or 5432}")


@contextmanager
def _role() -> Iterator[str]:
    """The address of a server under a role that may create databases and nothing more."""
    if NAMED:
        yield NAMED
        return
    role = sql.Identifier(NAME)
    with _connect(ADMINISTRATOR) as server:
        server.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS").format(role))
    try:
        yield ADMINISTRATOR.replace("postgres@", f"{NAME}@")
    finally:
        with psycopg.connect(ADMINISTRATOR, autocommit=True) as server:
            server.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.fixture
def database() -> Iterator[str]:
    with _role() as address:
        where = urlsplit(address)
        with _connect(address) as server:
            server.execute(f'CREATE DATABASE "{NAME}"')
        try:
            yield urlunsplit((where.scheme, where.netloc, f"/{NAME}", where.query, ""))
        finally:
            with psycopg.connect(address, autocommit=True) as server, suppress(psycopg.Error):
                server.execute(f'DROP DATABASE "{NAME}" WITH (FORCE)')


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
