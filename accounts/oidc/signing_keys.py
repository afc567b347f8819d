"""Microsoft's public signing keys, kept in memory and read again when a token names one we have not seen.

They are asked for by tenant and for this app: a tenant may have given our app there a signing key of its own, which no
other address shows.
"""

import threading
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

import jwt
import requests
from django.conf import settings
from jwt.exceptions import PyJWTError

from graph import transport
from graph.clouds import installed
from graph.errors import TokenUnavailable

LIFETIME = 86400.0  # seconds; Microsoft asks for at least one look a day
# An unknown key id causes a new look at most this often (seconds), so that forged tokens cannot make us ask all day.
PATIENCE = 10.0


@dataclass(frozen=True)
class SigningKey:
    """One key. `issuer` may hold `{tenantid}`; empty when Microsoft names none."""

    public: Any
    issuer: str


@dataclass(frozen=True)
class _KeySet:
    keys: dict[str, SigningKey]
    read_at: float


_lock = threading.Lock()
_known: dict[tuple[str, str], _KeySet] = {}  # by sandbox, if any, and address


def find(kid: str, tenant_id: UUID) -> SigningKey | None:
    """The key with this id that signs for this tenant; None when Microsoft does not publish it.

    Raises:
        TokenUnavailable: the keys could not be read.

    https://learn.microsoft.com/entra/identity-platform/signing-key-rollover
    https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signature
    """
    address = f"{installed().authority(str(tenant_id))}/discovery/v2.0/keys?appid={settings.ENTRA_CLIENT_ID}"
    place = (transport.sandbox_base(), address)
    known = _known.get(place)
    if known is None or _too_old(known, kid):
        with _lock:
            known = _known.get(place)
            if known is None or _too_old(known, kid):
                known = _known[place] = _read(address)
    return known.keys.get(kid)


def forget() -> None:
    """Start as a new process would, without keys."""
    _known.clear()


def _too_old(known: _KeySet, kid: str) -> bool:
    age = monotonic() - known.read_at
    return age > LIFETIME or (kid not in known.keys and age > PATIENCE)


def _read(address: str) -> _KeySet:
    try:
        response = transport.session().get(address)
        if response.status_code != 200:
            raise TokenUnavailable("Microsoft's signing keys cannot be read.", status=response.status_code)
        found = response.json()["keys"]
        keys = {one["kid"]: _key(one) for one in found if one.get("kty") == "RSA" and one.get("use", "sig") == "sig"}
    except requests.RequestException as error:
        raise TokenUnavailable("Microsoft's signing keys could not be reached.") from error
    except (KeyError, TypeError, ValueError, AttributeError, PyJWTError) as error:
        raise TokenUnavailable("Microsoft's signing keys cannot be understood.") from error
    return _KeySet(keys, monotonic())


def _key(one: dict[str, Any]) -> SigningKey:
    return SigningKey(jwt.PyJWK(one, algorithm="RS256").key, str(one.get("issuer") or ""))
