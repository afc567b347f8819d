"""The embedded PostgreSQL: starts for anyone, binds its role, and leaves other people's folders alone."""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from portal.local.postgres import PostgresProblem, Server

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def var_dir() -> Iterator[Path]:
    """A folder others may pass through, as a clone's `var/` is; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="consentry-postgres-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def server(var_dir: Path) -> Iterator[Server]:
    server = Server(var_dir, durable=False)
    yield server
    server.stop()


def connect(server: Server, role: str = "consentry") -> psycopg.Connection:
    return psycopg.connect(host=str(server.socket_dir), user=role, dbname="consentry")


def test_the_role_is_bound_by_policies(server: Server):
    server.start()

    with connect(server) as connection:
        row = connection.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user").fetchone()

    assert row == (False, False)


def test_data_outlives_a_stop(server: Server):
    server.start()
    with connect(server, "consentry_owner") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    server.stop()
    assert not server.is_running()

    server.start()

    with connect(server, "consentry_owner") as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (7,)


def test_starting_twice_is_once(server: Server):
    assert server.start() == server.start()


def test_it_listens_on_no_port(server: Server):
    server.start()

    with connect(server) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_the_data_is_closed_to_others(server: Server):
    server.start()

    assert stat.S_IMODE(server.home.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700


def test_no_folder_outside_is_changed(var_dir: Path, server: Server):
    before = modes(var_dir)

    server.start()

    assert modes(var_dir) == before


def modes(folder: Path) -> dict[Path, tuple]:
    found = {path: path.stat() for path in [folder, *folder.parents]}
    return {path: (status.st_mode, status.st_uid, status.st_gid) for path, status in found.items()}


@pytest.mark.parametrize("closed", ["var_dir", "its parent"])
def test_a_closed_folder_on_the_way_is_reported_to_root_and_left_closed(var_dir: Path, closed: str):
    """An ordinary user owns the server, and needs nothing opened."""
    inner = var_dir / "inner"
    inner.mkdir(mode=0o711)
    shut = inner if closed == "var_dir" else var_dir
    shut.chmod(0o700)
    server = Server(inner, durable=False)

    if AS_ROOT:
        with pytest.raises(PostgresProblem, match="Consentry changes no permissions there"):
            server.start()
        assert not server.data.exists()
    else:
        server.start()
        server.stop()
    assert stat.S_IMODE(shut.stat().st_mode) == 0o700


def test_the_command_says_where_it_runs(var_dir: Path):
    def command(action: str) -> subprocess.CompletedProcess:
        environment = {**os.environ, "VAR_DIR": str(var_dir)}
        command = [sys.executable, "-m", "portal.local.postgres", action]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    try:
        assert command("status").returncode == 3
        assert "PostgreSQL is running" in command("start").stdout
        assert command("status").returncode == 0
    finally:
        assert command("stop").returncode == 0
