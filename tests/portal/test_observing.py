"""What may leave for a collector of traces or faults, where an installation asks for it."""

import gzip
import json
import logging
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from uuid import uuid4

import brotli
import pytest

from accounts.tenancy import tenant_context
from graph import correlation
from portal import observing
from portal.request_id import JsonLines, WithRequestId

UNPACK = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}
PROJECT = Path(__file__).resolve().parent.parent.parent

# A page, a fault and a line of log, in a process that sends them to a collector on this machine.
PROGRAM = """
import django, logging, sys
django.setup()
from django.test import Client
from portal import observing
observing.begin("web")
client = Client(raise_request_exception=False, SERVER_NAME="localhost")
assert client.get("/healthz", headers={"host": "10.0.0.7:8000"}).status_code == 200
client.get("/accounts/sign-in/?next=/secret-query", headers={"authorization": "Bearer secret-header"})
client.get("/mail/off/secret-opener/", headers={"cookie": "a=secret-cookie"})
try:
    raise ValueError("secret-message")
except ValueError:
    logging.getLogger("portal").exception("It failed for %s.", "secret-argument")
from opentelemetry import trace
trace.get_tracer_provider().force_flush()
import sentry_sdk
sentry_sdk.flush()
"""


@pytest.fixture
def collector():
    """An HTTP server that takes what is sent to it: (path, body) of each."""
    taken: list[tuple[str, bytes]] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.path, UNPACK[self.headers.get("Content-Encoding")](body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Taking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.taken = taken
    yield server
    server.shutdown()
    server.server_close()


def test_traces_and_faults_leave_without_anything_that_opens_or_names(collector, tmp_path):
    base = f"http://127.0.0.1:{collector.server_port}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": base, "SENTRY_DSN": f"http://key@127.0.0.1:{collector.server_port}/1"}

    subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT,
        env=clean | given | {"DJANGO_SETTINGS_MODULE": "tests.settings", "VAR_DIR": str(tmp_path)},
        check=True,
        capture_output=True,
        timeout=60,
    )

    sent = {path: b"" for path, _body in collector.taken}
    for path, body in collector.taken:
        sent[path] += body
    assert b"accounts/sign-in/" in sent["/v1/traces"]
    assert b"ValueError" in sent["/api/1/envelope/"]
    assert b"secret-" not in b"".join(sent.values())


def test_what_is_asked_for_and_not_installed_is_said_at_the_start(monkeypatch, settings):
    settings.SENTRY_DSN = "http://key@127.0.0.1/1"
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)

    with pytest.raises(Exception, match=r"requirements-observing\.txt"):
        observing.begin("web")


def test_a_line_of_log_is_an_object_with_the_ids_of_request_and_tenant(db):
    stream, tenant, request = StringIO(), uuid4(), uuid4().hex
    handler = logging.StreamHandler(stream)
    handler.addFilter(WithRequestId())
    handler.setFormatter(JsonLines())
    logger = logging.Logger("of-a-test")
    logger.addHandler(handler)

    with correlation.known_as(request), tenant_context(tenant):
        logger.info("Read %d rows.", 3, extra={"request": "a whole request"})

    said = json.loads(stream.getvalue())
    assert said.pop("time")
    assert said == {
        "level": "INFO",
        "logger": "of-a-test",
        "message": "Read 3 rows.",
        "request_id": request,
        "tenant": str(tenant),
        "actor": None,
    }


def test_microsoft_is_asked_under_the_id_of_the_request():
    ours = uuid4()

    with correlation.known_as(ours.hex):
        assert correlation.for_microsoft() == str(ours)
    with correlation.known_as("proxy-7.12"):
        assert correlation.for_microsoft() == ""
