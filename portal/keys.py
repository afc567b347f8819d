"""The three secrets a portal keeps to itself. Nobody needs to choose them; they need to stay."""

import secrets

from cryptography.fernet import Fernet


def fresh() -> dict[str, str]:
    """New values, by the name of the setting that takes them."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "TOKEN_CACHE_KEYS": Fernet.generate_key().decode(),
        "AUDIT_KEYS": secrets.token_hex(32),
    }
