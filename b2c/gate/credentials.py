"""Secrets that B2C sends with every call. They are long and random, so a fast keyed hash is enough to keep them.

The hash's key is derived from AUDIT_KEYS, outside the database: rows alone let nobody try secrets out.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable, Mapping
from uuid import UUID

from audit import keys

USER = "consentry"  # the user name of Basic; it is no secret
HEADER = "X-Gate-Key"
LONGEST = 512  # characters of a secret that are worth hashing


def fresh() -> str:
    """A new secret: 256 bits, in letters that B2C's policy keys take."""
    return secrets.token_urlsafe(32)


def digest(secret: str, tenant_id: UUID) -> str:
    """How a secret is kept: the id of the newest key, then the hash under it."""
    key_id = keys.newest()
    return key_id + _hash(key_id, secret, tenant_id)


def presented(headers: Mapping[str, str]) -> str:
    """The secret in a request, by Basic or in our header; empty where there is none that can be read."""
    secret = headers.get(HEADER, "")
    scheme, _space, coded = headers.get("Authorization", "").partition(" ")
    if not secret and scheme.lower() == "basic":
        try:
            user, _colon, secret = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        if not hmac.compare_digest(user.encode(), USER.encode()):
            return ""
    return secret if len(secret) <= LONGEST else ""


def holds(secret: str, tenant_id: UUID, kept: Iterable[str]) -> str:
    """Which of the kept digests is this secret's; empty where none is.

    Takes as long whichever it is, and whether there is any: every secret is hashed under every key that the portal has.
    """
    now = {key_id: _hash(key_id, secret, tenant_id) for key_id in keys.known()}
    found = ""
    for one in [*kept, "0" * 80]:
        same = hmac.compare_digest(one[16:].encode(), now.get(one[:16], "-").encode())
        found = one if same and secret else found
    return found


def _hash(key_id: str, secret: str, tenant_id: UUID) -> str:
    key = keys.derive(key_id, "gate", str(tenant_id))
    return hmac.digest(key, secret.encode("utf-8", "surrogatepass"), "sha256").hex()
