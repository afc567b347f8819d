"""Which address the caller believes to be talking to.

The portal's transport adapter and anything else on this machine may say `https://login.microsoftonline.com` while
connecting to the sandbox; the documents, issuers and links we answer with must then carry that name.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from starlette.requests import HTTPConnection

from sandbox.clouds import LOGIN_BESIDE

HOST = re.compile(r"^[A-Za-z0-9.\-]+(:\d{1,5})?$|^\[[0-9A-Fa-f:]+\](:\d{1,5})?$")


def from_loopback(connection: HTTPConnection) -> bool:
    client = connection.scope.get("client")
    try:
        return client is None or ip_address(client[0]).is_loopback
    except ValueError:
        return False


def of(connection: HTTPConnection) -> str:
    """The origin, e.g. `http://127.0.0.1:9400` or `https://login.microsoftonline.com`."""
    headers = connection.headers
    host, forwarded = headers.get("host", ""), headers.get("x-forwarded-proto")
    scheme = connection.scope.get("scheme", "http")
    if from_loopback(connection):
        if forwarded in ("http", "https"):
            scheme = forwarded
        if HOST.match(host):
            return f"{scheme}://{host}"
    server = connection.scope.get("server") or ("127.0.0.1", None)
    return f"{scheme}://{server[0]}:{server[1]}"


def login_host(connection: HTTPConnection) -> str:
    """The identity host for a caller: itself, unless it speaks to an API of Microsoft's by name."""
    origin = of(connection)
    beside = LOGIN_BESIDE.get(origin.removeprefix("https://"))
    return f"https://{beside}" if beside else origin
