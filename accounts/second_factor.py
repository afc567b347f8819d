"""The operator's second factor: codes of an authenticator app, each good for half a minute and once.

https://www.rfc-editor.org/rfc/rfc6238
"""

import base64
import hashlib
import hmac
import secrets
from time import time
from urllib.parse import quote

from cryptography.fernet import InvalidToken

from accounts import token_store
from accounts.models import User
from accounts.tenancy import operator_context

STEP = 30  # seconds
DIGITS = 6
ISSUER = "Consentry"


def enrol(user: User) -> str:
    """Give an operator a new secret, in place of any before; the address that an authenticator app takes.

    It is shown once, to whoever runs the command, and kept encrypted.
    """
    secret = secrets.token_bytes(20)
    user.factor, user.factor_used = token_store.encrypted(secret), 0
    user.save(update_fields=["factor", "factor_used"])
    name = quote(f"{ISSUER}:{user.get_username()}")
    return f"otpauth://totp/{name}?secret={_spelled(secret)}&issuer={ISSUER}&digits={DIGITS}&period={STEP}"


def accepts(user: User, code: str) -> bool:
    """Whether this is the code of now, or of the half minute before or after, and was not used yet."""
    secret, now = _secret(user), int(time()) // STEP
    if secret is None:
        return False
    for counter in (now - 1, now, now + 1):
        if hmac.compare_digest(code_at(secret, counter).encode(), code.strip().encode()):
            unused = User.objects.filter(pk=user.pk, factor_used__lt=counter)
            return unused.update(factor_used=counter) == 1
    return False


def code_at(secret: bytes, counter: int) -> str:
    digest = hmac.digest(secret, counter.to_bytes(8, "big"), hashlib.sha1)
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def renew_encryption() -> None:
    """Encrypt every operator's secret with the newest key. What no key opens stays as it is."""
    with operator_context():
        for user in User.objects.filter(tenant=None, factor__isnull=False):
            if secret := _secret(user):
                User.objects.filter(pk=user.pk).update(factor=token_store.encrypted(secret))


def _secret(user: User) -> bytes | None:
    if not user.factor:
        return None
    try:
        return token_store.decrypted(bytes(user.factor))
    except InvalidToken:
        return None


def _spelled(secret: bytes) -> str:
    return base64.b32encode(secret).decode().rstrip("=")
