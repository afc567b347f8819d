"""Microsoft's public signing keys, kept in memory and read again when a token names one we have not seen."""

import threading
from dataclasses import dataclass
from time import monotonic
from typing import Any

import jwt
import requests
from jwt.exceptions import PyJWTError

from graph import transport
from graph.clouds import CLOUDS
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
_known: dict[tuple[str, str], _KeySet] = {}


def find(kid: str, *, cloud: str = "global") -> SigningKey | None:
    """The key with this id; None when Microsoft does not publish it.

    Raises:
        TokenUnavailable: the keys could not be read.

    https://learn.microsoft.com/entra/identity-platform/signing-key-rollover
    """
    place = (transport.sandbox_base(), cloud)
    known = _known.get(place)
    if known is None or _too_old(known, kid):
        with _lock:
            known = _known.get(place)
            if known is None or _too_old(known, kid):
                known = _known[place] = _read(cloud)
    return known.keys.get(kid)


def forget() -> None:
    """Start as a new process would, without keys."""
    _known.clear()


def _too_old(known: _KeySet, kid: str) -> bool:
    age = monotonic() - known.read_at
    return age > LIFETIME or (kid not in known.keys and age > PATIENCE)


def _read(cloud: str) -> _KeySet:
    url = f"{CLOUDS[cloud].authority('organizations')}/discovery/v2.0/keys"
    try:
        response = transport.session().get(url)
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
