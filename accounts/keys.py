"""The keys that sign, from settings.AUDIT_KEYS: outside the database, so that its owner cannot forge what they fix.

The newest key comes first and signs; the older ones still verify. Each purpose and tenant has a key of its own,
derived from these, so that a signature made for one can never pass for another.
"""

import hashlib
import hmac
import json
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class UnknownKey(Exception):
    """Something names a key that is not in AUDIT_KEYS."""


def newest() -> str:
    """The id of the key that signs now.

    Raises:
        ImproperlyConfigured: there is no key. Nothing can be recorded, and so nothing can be changed.
    """
    if not settings.AUDIT_KEYS:
        raise ImproperlyConfigured("AUDIT_KEYS is empty: without a key nothing can be recorded, so nothing is done.")
    return _id(settings.AUDIT_KEYS[0])


def known() -> list[str]:
    """Ids of all keys, newest first."""
    return [_id(key) for key in settings.AUDIT_KEYS]


def derive(key_id: str, purpose: str, scope: str) -> bytes:
    """The key with this id, for one purpose ("entry", "head", "step") and one scope (a tenant id).

    Raises:
        UnknownKey: AUDIT_KEYS does not hold it.
    """
    for key in settings.AUDIT_KEYS:
        if hmac.compare_digest(_id(key), key_id):
            return _derived(key, purpose, scope)
    raise UnknownKey(key_id)


def seal(purpose: str, scope: str, content: Any) -> str:
    """Fix a row's content (JSON values): the key's id, and a MAC under that key."""
    return newest() + _mac(newest(), purpose, scope, content)


def holds(sealed: str, purpose: str, scope: str, content: Any) -> bool:
    """Whether this is what was sealed. False also where no key of ours sealed it."""
    try:
        expected = _mac(sealed[:16], purpose, scope, content)
    except UnknownKey:
        return False
    return hmac.compare_digest(expected.encode(), sealed[16:].encode("utf-8", "replace"))


def _mac(key_id: str, purpose: str, scope: str, content: Any) -> str:
    line = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return hmac.digest(derive(key_id, purpose, scope), line, "sha256").hex()


def _id(key: str) -> str:
    return hashlib.sha256(b"consentry audit key id\0" + _raw(key)).hexdigest()[:16]


@cache
def _raw(key: str) -> bytes:
    try:
        raw = bytes.fromhex(key.strip())
    except ValueError:
        raw = b""
    if len(raw) < 32:
        raise ImproperlyConfigured("Each of AUDIT_KEYS is at least 32 bytes in hex (64 digits).")
    return raw


def _derived(key: str, purpose: str, scope: str) -> bytes:
    return hmac.digest(_raw(key), f"consentry audit v1\0{purpose}\0{scope}".encode(), "sha256")
