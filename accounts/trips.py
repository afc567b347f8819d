"""What a browser keeps for us while it is away at Microsoft: signed, for ten minutes, in cookies of their own.

Strangers begin these trips, as often as they like. So nothing about one is stored here: only the browser that began it
has the cookie, and no other answer fits it.
"""

import hashlib
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

LIFETIME = 600  # seconds
SALT = "consentry.trip"


def put(response: HttpResponse, name: str, data: dict[str, Any], *, path: str) -> None:
    """Give the browser what it brings back: JSON values."""
    response.set_cookie(
        _cookie(name),
        signing.dumps(data, salt=f"{SALT}.{name}", compress=True),
        max_age=LIFETIME,
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",  # Microsoft leads back by a link
    )


def find(request: HttpRequest, name: str) -> dict[str, Any] | None:
    """What this browser was given under this name; None when that was nothing, is too old, or was changed."""
    try:
        found = signing.loads(request.COOKIES.get(_cookie(name), ""), salt=f"{SALT}.{name}", max_age=LIFETIME)
    except signing.BadSignature:
        return None
    return found if isinstance(found, dict) else None


def drop(response: HttpResponse, name: str, *, path: str) -> None:
    response.delete_cookie(_cookie(name), path=path, samesite="Lax")


def of_state(state: str) -> str:
    """The name of a trip by the state that comes back with it: several may be under way, one in each tab."""
    return hashlib.sha256(state.encode()).hexdigest()[:16]


def _cookie(name: str) -> str:
    return f"consentry_trip_{name}"
