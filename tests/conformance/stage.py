"""What the clients are pointed at: the sandbox as a process of its own, and people who sign in to it with a browser."""

import os
import socket
import subprocess
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from tests.sandbox.browser import Browser

PROJECT = Path(__file__).resolve().parent.parent.parent
# The sandbox runs on the project's libraries, its clients on theirs.
PYTHON = os.environ.get("SANDBOX_PYTHON") or str(PROJECT / ".venv" / "bin" / "python")

CONTOSO = "11111111-1111-4111-8111-111111111111"
TAILSPIN = "33333333-3333-4333-8333-333333333333"
PORTAL = "c0c0c0c0-0000-4000-8000-000000000001"
SECRET = "sandbox-portal-secret"
REDIRECT = "http://127.0.0.1:8000/accounts/entra/login/callback/"


class Running:
    """The sandbox as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.tls_port = _free_ports(2)
        self.url, self.tls_url = f"http://127.0.0.1:{self.port}", f"https://localhost:{self.tls_port}"
        self.authority = str(folder / "ca.pem")
        self.http = requests.Session()
        self.http.trust_env = False

    def start(self) -> "Running":
        ports = ["--port", str(self.port), "--tls-port", str(self.tls_port), "--tls-folder", str(self.folder)]
        self.process = subprocess.Popen([PYTHON, "-m", "sandbox", *ports], cwd=PROJECT)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the sandbox ended with status {self.process.returncode}")
            try:
                if self.http.get(f"{self.url}/_sandbox/world", timeout=10).ok:
                    return self
            except requests.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("the sandbox did not answer")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.http.close()

    def control(self, name: str, **body: Any) -> Any:
        answer = self.http.post(f"{self.url}/_sandbox/{name}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def requests(self) -> list[dict]:
        found = self.http.get(f"{self.url}/_sandbox/requests", timeout=30).json()
        return found["requests"] if isinstance(found, dict) else found

    # --- people -----------------------------------------------------------------------------------

    def sign_in(self, address: str, person: str) -> str:
        """Where a browser ends that a client has sent to sign in, after this person signed in and accepted."""
        parts = urlsplit(address)
        with Browser(self.url) as browser:
            page = browser.open(f"{parts.path}?{parts.query}")
            page = browser.press(page, person)
            if page.url.startswith(self.url) and "Accept" in page.text:
                page = browser.press(page, "Accept")
            return page.url

    def enter_code(self, code: str, person: str) -> None:
        """The person types the code that a program shows, signs in and accepts."""
        with Browser(self.url) as browser:
            page = browser.press(browser.open("/common/oauth2/deviceauth"), "Next", otc=code)
            page = browser.press(page, person)
            if "Accept" in page.text:
                page = browser.press(page, "Accept")
            if "You have signed in" not in page.text:
                raise RuntimeError(page.text)


class Helper:
    """The same over HTTP, for flows written in JavaScript: `/sign-in`, `/enter-code` and `/control/{name}`."""

    def __init__(self, sandbox: Running) -> None:
        outer = sandbox

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                values = dict(parse_qsl(urlsplit(self.path).query))
                path = urlsplit(self.path).path
                try:
                    if path == "/sign-in":
                        said = outer.sign_in(values["address"], values["person"])
                    elif path == "/enter-code":
                        said = outer.enter_code(values["code"], values["person"]) or ""
                    else:
                        answer = outer.http.post(f"{outer.url}/_sandbox/{path.rpartition('/')[2]}", body, timeout=30)
                        answer.raise_for_status()
                        said = answer.text
                    status = 200
                except Exception as error:
                    status, said = 500, f"{type(error).__name__}: {error}"
                self.send_response(status)
                self.end_headers()
                self.wfile.write(said.encode())

            def log_message(self, *values: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> "Helper":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
