"""What an app does with the access token it holds: it asks Graph for its person's newest mail, as any app would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.types import Message

from sandbox.held_tokens import Connection

LINES = 3


@dataclass(frozen=True)
class Inbox:
    """What came back: lines of mail, or why there are none."""

    lines: list[dict[str, str]]
    refusal: str = ""


async def read(http: Request, connection: Connection) -> Inbox | None:
    """The newest mail of one person; None where the app holds no token for them that could read it."""
    if not connection.access_token or not any(one.startswith("Mail.Read") for one in connection.scope.split()):
        return None
    query = f"$top={LINES}&$select=subject,from,receivedDateTime,bodyPreview"
    status, body = await _get(http, "/v1.0/me/messages", query, connection.access_token)
    if status != 200:
        error = body.get("error", {})
        return Inbox([], f"{status} {error.get('code', '')}: {error.get('message', '')}")
    return Inbox(
        [
            {
                "who": one["from"]["emailAddress"]["name"],
                "subject": one["subject"],
                "begins": one.get("bodyPreview", ""),
                "at": one["receivedDateTime"],
            }
            for one in body["value"]
        ]
    )


async def _get(http: Request, path: str, query: str, token: str) -> tuple[int, dict[str, Any]]:
    """GET from this very server, through the same door as everybody else's requests."""
    kept = ("type", "http_version", "scheme", "server", "client", "extensions")
    scope = {
        **{name: http.scope[name] for name in kept if name in http.scope},
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", http.headers["host"].encode()), (b"authorization", f"Bearer {token}".encode())],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    await http.app(scope, receive, send)
    status = next(one["status"] for one in sent if one["type"] == "http.response.start")
    body = b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body")
    return status, json.loads(body or b"{}")
