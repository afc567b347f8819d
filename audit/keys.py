"""The keys of the audit chain, from settings.AUDIT_KEYS: outside the database, so that its owner cannot forge entries.

The newest key comes first and signs; the older ones still verify. Each purpose and tenant has a key of its own,
derived from these, so that a signature made for one can never pass for another.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

# While a new key is brought in, processes that were not restarted yet go on signing with the one before it.
OVERLAP = timedelta(hours=1)


class UnknownKey(Exception):
    """An entry names a key that is not in AUDIT_KEYS."""


class Order:
    """That keys only move forward along a chain: without it, a key that leaked would go on signing after its rotation.

    Ask in the order of the chain, and only about entries whose MAC holds.
    """

    def __init__(self) -> None:
        self._rank = {key_id: rank for rank, key_id in enumerate(known())}
        self._since: dict[int, datetime] = {}
        self._latest = datetime.min

    def is_broken_by(self, key_id: str, at: str) -> bool:
        """Whether the key of an entry written `at` had been replaced by then. Times set back help nobody."""
        rank = self._rank[key_id]
        self._latest = max(self._latest, datetime.fromisoformat(at).replace(tzinfo=None))
        self._since.setdefault(rank, self._latest)
        replaced = min((since for newer, since in self._since.items() if newer < rank), default=None)
        return replaced is not None and self._latest - replaced > OVERLAP


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
