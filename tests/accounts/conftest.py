import base64
import time
from collections.abc import Callable, Iterator

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from accounts.oidc import signing_keys
from tests.accounts.announced import announcements
from tests.accounts.browser import Browser
from tests.graph.scripted import Microsoft
from tests.sandbox_client import CONTOSO, PORTAL_CLIENT_ID

ADELE_ID = "aaaaaaaa-0000-4000-8000-000000000001"


class Issuer:
    """Somebody with a signing key: Microsoft, when the key is published, and a forger otherwise."""

    def __init__(self, kid: str = "key-1"):
        self.kid = kid
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def published(self, **extra) -> dict:
        numbers = self.private.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "kid": self.kid, "n": _number(numbers.n), "e": _number(numbers.e)}
        return key | {"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"} | extra

    def sign(self, claims: dict, **header) -> str:
        return jwt.encode(claims, self.private, "RS256", headers={"kid": self.kid} | header)

    def token(self, **changes) -> str:
        """An ID token that proves Adele, but for the `changes`; None leaves a claim out."""
        return self.sign({name: value for name, value in (self.claims() | changes).items() if value is not None})

    @staticmethod
    def claims() -> dict:
        now = int(time.time())
        return {
            "aud": PORTAL_CLIENT_ID,
            "iss": f"https://login.microsoftonline.com/{CONTOSO}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "tid": CONTOSO,
            "oid": ADELE_ID,
            "sub": "pairwise",
            "name": "Adele Vance",
            "preferred_username": "adele@contoso.example",
            "nonce": "n-1",
            "ver": "2.0",
        }


def _number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode().rstrip("=")


@pytest.fixture(autouse=True)
def _no_keys_remembered() -> Iterator[None]:
    signing_keys.forget()
    yield
    signing_keys.forget()


@pytest.fixture
def microsoft(settings) -> Iterator[Microsoft]:
    """A scripted Microsoft, for answers the sandbox would never give."""
    with Microsoft() as running:
        settings.SANDBOX_URL = running.url
        settings.GRAPH_TIMEOUT = 2.0
        yield running


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(scope="session")
def forger() -> Issuer:
    """Has a key of their own, under the same name."""
    return Issuer()


@pytest.fixture
def browser(entra) -> Browser:
    """A browser that nobody has used yet."""
    return Browser(entra.url)


@pytest.fixture
def another_browser(entra) -> Callable[[], Browser]:
    return lambda: Browser(entra.url)


@pytest.fixture
def announced() -> Iterator[list[tuple[str, dict]]]:
    with announcements() as heard:
        yield heard
