"""A Microsoft that answers what a test tells it to: for the answers no well-behaved server gives."""

import base64
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    host: str
    headers: dict[str, str]
    body: Any


@dataclass
class Reply:
    """One answer. `cut` closes the connection halfway; `hang` keeps it open without a word until the test ends."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: bool = False

    def payload(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


class Microsoft:
    """Sign-in metadata and tokens come by themselves; Graph's answers, and refused tokens, are scripted in order."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.replies: deque[Reply] = deque()
        self.token_replies: deque[Reply] = deque()
        self.keys: list[dict] = []
        self.keys_reply: Reply | None = None
        self.speaks_as: str | None = None  # the host that discovery names, where it is not the one that was asked
        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"microsoft": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Microsoft":
        self._thread.start()
        return self

    def __exit__(self, *_error) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answers(self, *replies: Reply) -> None:
        self.replies.extend(replies)

    def asked(self, part: str) -> list[Received]:
        """Requests whose path holds `part`, oldest first."""
        return [one for one in self.received if part in one.path]

    @property
    def graph_requests(self) -> list[Received]:
        """What was asked of Graph, but for the document that the breaker looks for life with."""
        graph = [one for one in self.received if one.host == "graph.microsoft.com"]
        return [one for one in graph if not one.path.endswith("/$metadata")]

    def reply_to(self, request: Received) -> Reply:
        if "/.well-known/openid-configuration" in request.path:
            return Reply(body=_discovery(self.speaks_as or request.host, request.path.split("/")[1]))
        if "/discovery/v2.0/keys" in request.path:
            return self.keys_reply or Reply(body={"keys": self.keys})
        if "/oauth2/v2.0/token" in request.path:
            return self.token_replies.popleft() if self.token_replies else Reply(body=app_token())
        if request.path.endswith("/$metadata"):
            return Reply(body=b"<edmx:Edmx/>")
        return self.replies.popleft() if self.replies else Reply(500, {"error": {"code": "NothingScripted"}})


def app_token(*roles: str, number: int = 1) -> dict:
    """A token endpoint's answer. The bearer is as opaque as Microsoft's, but for its payload."""
    payload = base64.urlsafe_b64encode(json.dumps({"roles": list(roles), "n": number}).encode()).decode().rstrip("=")
    return {"token_type": "Bearer", "expires_in": 3599, "access_token": f"head.{payload}.signature"}


def problem(code: str, message: str = "") -> dict:
    return {"error": {"code": code, "message": message, "innerError": {"request-id": "graph-request-1"}}}


def _discovery(host: str, tenant: str) -> dict:
    root = f"https://{host}/{tenant}"
    return {
        "issuer": f"{root}/v2.0",
        "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
        "token_endpoint": f"{root}/oauth2/v2.0/token",
        "jwks_uri": f"{root}/discovery/v2.0/keys",
    }


class _Handler(BaseHTTPRequestHandler):
    microsoft: Microsoft
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw.decode()
        request = Received(self.command, self.path, self.headers["Host"], dict(self.headers.items()), body)
        self.microsoft.received.append(request)
        reply = self.microsoft.reply_to(request)
        if reply.hang:
            self.microsoft.over.wait(30)
            self.close_connection = True
            return
        payload = reply.payload()
        self.send_response(reply.status)
        self.send_header("Content-Length", str(len(payload) + (10 if reply.cut else 0)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)
        self.close_connection = reply.cut

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def log_message(self, *_args) -> None:
        """Quiet."""
