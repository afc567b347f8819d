"""The gate as processes of its own, when things go wrong: the database, the client, the process itself."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from django.conf import settings
from django.db import connection

from accounts.tenancy import tenant_context
from b2c.models import GateSetting, RefreshRule
from tests.b2c.conftest import INES, KARIM, POLICY, switch_on

PROJECT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.django_db(transaction=True)


class Way:
    """The way to the database, which can be cut: new connections are refused and open ones end."""

    def __init__(self) -> None:
        database = connection.settings_dict
        folder = database["OPTIONS"].get("host") or database["HOST"]
        self.target = (folder + f"/.s.PGSQL.{database['PORT'] or 5432}") if folder.startswith("/") else ""
        self.other = (database["HOST"], int(database["PORT"] or 5432))
        self.url = f"postgres://{database['USER']}:{database['PASSWORD']}@127.0.0.1:%d/{database['NAME']}"
        self.open_sockets: list[socket.socket] = []
        self.threads: list[threading.Thread] = []
        self.port = 0
        self.mend()
        self.url %= self.port

    def mend(self) -> None:
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        self.listener.listen(64)
        self._run(self._accept, self.listener)

    def cut(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for one in self.open_sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)
        for one in self.open_sockets:
            one.close()
        self.open_sockets.clear()

    def _run(self, work, *arguments) -> None:
        self.threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self.threads[-1].start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _address = listener.accept()
                far = socket.socket(socket.AF_UNIX if self.target else socket.AF_INET)
                far.connect(self.target or self.other)
                self.open_sockets += [near, far]
                for source, sink in ((near, far), (far, near)):
                    self._run(self._pump, source, sink)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class Process:
    """One gate: two threads, so that two slow clients would be enough to stop it."""

    def __init__(self, folder: Path, database_url: str, by_itself: bool) -> None:
        self.by_itself = by_itself
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = folder / "gate.log"
        environment = os.environ | {
            "DATABASE_URL": database_url,
            "AUDIT_KEYS": ",".join(settings.AUDIT_KEYS),
            "DJANGO_SETTINGS_MODULE": "portal.settings",  # the gate by itself has its own, whatever is said
        }
        what = (
            ["-c", "python:b2c.gate.serving", "b2c.gate.wsgi"] if by_itself else ["portal.wsgi", "--no-control-socket"]
        )
        options = ["--bind", f"127.0.0.1:{self.port}", "--workers", "1", "--threads", "2"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *what, *options],
                cwd=PROJECT,
                env=environment,
                stdout=log,
                stderr=log,
            )
        self.http = requests.Session()
        self.http.trust_env = False

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            with suppress(requests.ConnectionError, requests.Timeout):
                if self.http.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5).ok:
                    return
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()

    def ask(self, tenant_id, secret: str, person=INES, timeout: float = 20) -> int:
        body = {"objectId": str(person), "policyId": POLICY, "issuedAt": "2026-01-01T00:00:00Z"}
        url = f"http://127.0.0.1:{self.port}/b2c/{tenant_id}/refresh"
        return self.http.post(url, json=body, headers={"X-Gate-Key": secret}, timeout=timeout).status_code

    def connect(self, sent: bytes) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        client.sendall(sent)
        return client


@pytest.fixture
def way() -> Iterator[Way]:
    way = Way()
    yield way
    way.cut()


@pytest.fixture(params=[True, False], ids=["by itself", "in the portal"])
def process(request: pytest.FixtureRequest, way: Way, tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path, way.url, request.param)
    try:
        process.wait()
        yield process
    finally:
        process.http.close()
        process.process.terminate()
        process.process.wait(20)


def test_faults(contoso, fabrikam, process, way):
    """One process and one story: it takes seconds to start."""
    secrets = {}
    for tenant, fails in ((contoso, "closed"), (fabrikam, "open")):
        with tenant_context(tenant.pk):
            secrets[tenant.pk] = switch_on(tenant, fails=fails)
            RefreshRule.objects.create(
                **{"tenant": tenant, "person_id": INES, "condition": "missing", "claim": "country"},
                **{"author_id": "x", "author_label": "x", "request_id": uuid4()},
            )

    def answers(person=INES) -> list[int]:
        return [process.ask(tenant_id, secret, person) for tenant_id, secret in secrets.items()]

    def head(length: int, secret: str) -> bytes:
        lines = [f"POST /b2c/{contoso.pk}/refresh HTTP/1.1", "Host: x", f"Content-Length: {length}"]
        return "\r\n".join([*lines, f"X-Gate-Key: {secret}", "", ""]).encode()

    assert (answers(), answers(KARIM)) == ([409, 409], [200, 200])

    if process.by_itself:  # the portal leaves those to the proxy before it
        # Slow clients, one that stops in its head and one in its body, hold both threads, and only for a while.
        begun = process.connect(b"POST /b2c/")
        half = process.connect(head(100, secrets[contoso.pk]) + b'{"objectId"')
        with begun, half:
            assert answers(KARIM) == [200, 200]
            assert half.recv(20).startswith(b"HTTP/1.1 400")
            assert not begun.recv(20).startswith(b"HTTP/1.1 2")

    # A body that comes in chunks, without a length, is a body; and it may be too long as well.
    body = json.dumps({"objectId": str(KARIM), "policyId": POLICY, "country": "PL"}).encode()
    for sent, status in ((body, b"200"), (body + b" " * 17000, b"413")):
        chunked = head(0, secrets[contoso.pk]).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        with process.connect(chunked + b"%x\r\n%s\r\n0\r\n\r\n" % (len(sent), sent)) as client:
            assert client.recv(20).startswith(b"HTTP/1.1 " + status)

    # Ten megabytes are refused before the first of them is read.
    with process.connect(head(10 * 1024 * 1024, secrets[contoso.pk])) as big:
        assert big.recv(20).startswith(b"HTTP/1.1 413")

    # The database goes away: as each tenant chose, also about people without a rule; strangers learn nothing.
    way.cut()
    assert (answers(), answers(KARIM)) == ([409, 200], [409, 200])
    assert [process.ask(tenant_id, "wrong") for tenant_id in (contoso.pk, fabrikam.pk, uuid4())] == [503] * 3

    # It comes back, and so do decisions, by themselves; settings that changed meanwhile count.
    with tenant_context(fabrikam.pk):
        GateSetting.objects.update(fails="closed")
    way.mend()
    deadline = time.monotonic() + 30
    while answers(KARIM) != [200, 200]:
        assert time.monotonic() < deadline, process.log.read_text()
    assert answers() == [409, 409]
    assert secrets[contoso.pk] not in process.log.read_text()
