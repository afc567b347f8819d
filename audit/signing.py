"""Files for readers who have the portal's keys: a body of plain JSON under its signature, and digests of whole files.

What others are to check without any secret is an envelope (`audit.envelopes`).
"""

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit import canonical, keys


def sign(body: Mapping[str, Any], purpose: str, scope: str = "") -> dict[str, Any]:
    """A body with its `signature`: HMAC-SHA-256, in hex, over its canonical JSON.

    The key is derived from the one that the body's `key_id` names, for one purpose and whose file it is.

    Raises:
        UnknownKey: that key is not among AUDIT_KEYS.
    """
    key = keys.derive(body["key_id"], purpose, scope)
    return {**body, "signature": hmac.digest(key, canonical.encode(body), "sha256").hex()}


def holds(body: Any, purpose: str, scope: str = "") -> bool:
    """Whether a body with its `signature` in it is what was signed; False too for what is no such body.

    Raises:
        UnknownKey: nobody here can tell.
    """
    try:
        unsigned = {name: value for name, value in body.items() if name != "signature"}
        return hmac.compare_digest(sign(unsigned, purpose, scope)["signature"], body["signature"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
