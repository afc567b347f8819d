"""From a status, headers and a body to one of our errors. Used alike for a whole answer and for an item in a batch."""

import base64
import binascii
import json
import re
from collections.abc import Mapping

from graph.errors import (
    Expired,
    Forbidden,
    GraphError,
    NotFound,
    Rejected,
    Throttled,
    ThrottleScope,
    Unauthorized,
    Unavailable,
)
from graph.tokens import seconds

EXPIRED = {
    "directory_expiredpagetoken",
    "directorypagetokennotfoundexception",
    "directory_pagetokennotfound",
    "syncstatenotfound",
    "resyncrequired",
}
_CHALLENGE = re.compile(r'\bclaims="([^"]+)"')


def error_of(status: int, headers: Mapping[str, str], body: object) -> GraphError | None:
    """The error an answer stands for; None for any 2xx.

    Decides on the status first and the code second; messages may change any day.
    https://learn.microsoft.com/graph/errors
    """
    if 200 <= status < 300:
        return None
    details = body.get("error") if isinstance(body, dict) else None
    details = details if isinstance(details, dict) else {}
    code, message = _text(details.get("code")), _text(details.get("message"))
    known = {"status": status, "code": code, "request_id": request_id_of(headers, details)}
    wait = seconds(header(headers, "Retry-After"))

    if status == 401:
        return Unauthorized(message or "Graph did not accept our token.", claims=challenge(headers), **known)
    if status == 429:
        scope = throttle_scope(headers)
        return Throttled(message or "Graph asked us to wait.", retry_after=wait, scope=scope, **known)
    if status == 409 and code == "Directory_ConcurrencyViolation":
        return Throttled(message, retry_after=wait, **known)
    if status >= 500 and status != 501:
        return Unavailable(message or f"Graph answered {status}.", sent=True, retry_after=wait, **known)
    if status == 410 or code.lower() in EXPIRED:
        return Expired(message or "Graph forgot our place in the list.", **known)
    if status == 403:
        return Forbidden(message or "Graph refused.", **known)
    if status == 404:
        return NotFound(message or "Graph finds no such object.", **known)
    if 400 <= status < 500 or status == 501:
        return Rejected(message or f"Graph rejected the request ({status}).", **known)
    return Unavailable(f"Graph sent an answer we do not understand ({status}).", sent=True, **known)


def header(headers: Mapping[str, str], name: str) -> str:
    """A header whatever its case: inside a batch they are plain JSON keys."""
    wanted = name.lower()
    return next((str(value) for key, value in headers.items() if key.lower() == wanted), "")


def request_id_of(headers: Mapping[str, str], error: dict) -> str:
    inner = error.get("innerError") or error.get("innererror")
    inner = inner if isinstance(inner, dict) else {}
    return header(headers, "request-id") or _text(inner.get("request-id"))


def throttle_scope(headers: Mapping[str, str]) -> ThrottleScope:
    """Whose limit was met: the first part of `x-ms-throttle-scope: <scope>/<limit>/<app>/<tenant or resource>`."""
    named = header(headers, "x-ms-throttle-scope").partition("/")[0].strip().lower()
    return next((scope for scope in ThrottleScope if scope.lower() == named), ThrottleScope.UNKNOWN)


def challenge(headers: Mapping[str, str]) -> str | None:
    """The claims (JSON) a new token must answer, from `WWW-Authenticate`; None when there is no challenge.

    https://learn.microsoft.com/entra/identity-platform/claims-challenge
    """
    asked = header(headers, "WWW-Authenticate")
    found = _CHALLENGE.search(asked)
    if not found or "insufficient_claims" not in asked:
        return None
    encoded = found.group(1).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        claims = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        return claims if isinstance(json.loads(claims), dict) else None
    except (binascii.Error, ValueError):
        return None


def _text(value: object) -> str:
    if isinstance(value, dict):  # old back ends send {"lang": …, "value": …}
        value = value.get("value")
    return value if isinstance(value, str) else ""
