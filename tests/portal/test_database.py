"""A database that is away, or hangs: what web processes answer, how soon, and how much they write about it."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import requests
from django.db import OperationalError, connection

PROJECT = Path(__file__).resolve().parent.parent.parent


class Web:
    """A gunicorn of one process and two threads, on a database of the test's choice."""

    def __init__(self, folder: Path, database: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{probe.getsockname()[1]}"
        self.log = folder / "web.log"
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DATABASE_URL": database,
            "DATABASE_CONNECT_SECONDS": "2",
        }
        options = ["--bind", self.address.removeprefix("http://"), "--workers", "1", "--threads", "2"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "python:portal.serving", "portal.wsgi", *options],
                cwd=PROJECT,
                env=environment,
                stdout=log,
                stderr=log,
            )

    def get(self, path: str, timeout: float = 20) -> requests.Response:
        session = requests.Session()
        session.trust_env = False
        signed_in = {"consentry_session": "s" * 32}  # whose, is a question to the database
        return session.get(self.address + path, timeout=timeout, cookies=signed_in, allow_redirects=False)

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                assert self.get("/healthz").status_code == 200
                return
            except requests.ConnectionError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.1)


@pytest.fixture
def hanging() -> Iterator[int]:
    """The port of a server that takes connections and never says a word, like a stopped PostgreSQL."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        yield server.getsockname()[1]


@pytest.fixture
def web(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Web]:
    port = request.getfixturevalue("hanging") if request.param == "hangs" else 1
    web = Web(tmp_path, f"postgres://consentry@127.0.0.1:{port}/consentry")
    try:
        web.wait()
        yield web
    finally:
        web.process.terminate()
        web.process.wait(30)


@pytest.mark.parametrize("web", ["is away", "hangs"], indirect=True)
def test_a_database_that_does_not_answer_costs_seconds_and_one_line(web: Web):
    before = web.log.read_text()

    began = time.monotonic()
    ready = web.get("/readyz")
    assert (ready.status_code, ready.json()["database"]) == (503, "unreachable")
    assert time.monotonic() - began < 3

    page = web.get("/", timeout=10)
    assert web.get("/healthz").status_code == 200

    assert page.status_code == 503
    assert int(page.headers["Retry-After"]) > 0
    assert "database does not answer" in page.text
    written = web.log.read_text().removeprefix(before)
    assert "Traceback" not in written
    about = [line for line in written.splitlines() if "the database does not answer" in line]
    assert len(about) == 1, written


def test_a_database_that_begins_to_hang_holds_nobody_and_no_probe(tmp_path: Path, db):
    """Both threads are waiting for it when it happens. They are let go, whoever comes is told at once."""
    with Mute() as mute:
        web = Web(tmp_path, f"postgres://consentry@127.0.0.1:{mute.port}/{connection.settings_dict['NAME']}")
        try:
            web.wait()
            assert web.get("/").status_code == 302
            mute.silence()
            with ThreadPoolExecutor(2) as both:
                pages = [both.submit(web.get, "/") for _ in range(2)]
                began = time.monotonic()
                assert web.get("/healthz").status_code == 200
                assert time.monotonic() - began < 1
                assert {page.result().status_code for page in pages} == {503}
            assert time.monotonic() - began < 9  # a statement alone may take a minute
            began = time.monotonic()
            assert web.get("/").status_code == 503
            assert time.monotonic() - began < 1
        finally:
            web.process.terminate()
            web.process.wait(30)


@pytest.mark.django_db
def test_a_statement_has_a_deadline_at_the_server():
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")

        assert cursor.fetchone() == ("1min",)


@pytest.mark.django_db
def test_a_server_that_stops_answering_is_left_alone_in_time():
    """The way between is cut silently, as by a firewall or a stopped machine: bytes go in, none come out."""
    with Mute() as mute:
        probe = connection.copy()
        probe.settings_dict["OPTIONS"] |= {"host": "127.0.0.1", "port": str(mute.port)}
        probe.settings_dict |= {"HOST": "", "PORT": "", "DEADLINE": 1}
        with probe.cursor() as cursor:
            cursor.execute("SELECT 1")
            mute.silence()
            began = time.monotonic()

            with pytest.raises(OperationalError, match="no answer within 1 s"):
                cursor.execute("SELECT 1")

        assert time.monotonic() - began < 3
        assert not probe.is_usable()
        probe.close()


class Mute:
    """Passes bytes on between clients and the database, until it is told to be silent."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.quiet = threading.Event()
        self.ends: list[socket.socket] = [self.server]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):  # the test is over
            while True:
                client, _ = self.server.accept()
                database = _database_socket()
                self.ends += [client, database]
                for one, other in ((client, database), (database, client)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if not self.quiet.is_set():
                    target.sendall(data)
        except OSError:
            return  # the test is over

    def silence(self) -> None:
        self.quiet.set()

    def __enter__(self) -> "Mute":
        return self

    def __exit__(self, *error: object) -> None:
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # wakes the threads, and ends the database's side of it
            end.close()


def _database_socket() -> socket.socket:
    with psycopg.connect(**_parameters()) as known:
        host, port = known.info.host, known.info.port
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    end = socket.socket(socket.AF_UNIX)
    end.connect(f"{host}/.s.PGSQL.{port}")
    return end


def _parameters() -> dict:
    parameters = connection.get_connection_params()
    return {name: parameters[name] for name in ("host", "port", "user", "password", "dbname") if name in parameters}
