"""The keys that tokens are signed with, and their public halves for everybody who checks signatures."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

PUBLISHED = 3  # retired keys stay in the JWKS this long, counted in keys, so that tokens out there still verify
CACHE_SIZE = 4096


class InvalidToken(Exception):
    """The token is not one that this sandbox signed with a key it still knows."""


@dataclass(frozen=True)
class SigningKey:
    kid: str
    private: rsa.RSAPrivateKey
    certificate: bytes  # DER

    @classmethod
    def generate(cls) -> SigningKey:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox token signing")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=3650))
            .sign(private, hashes.SHA256())
        )
        der = certificate.public_bytes(serialization.Encoding.DER)
        return cls(base64url(hashlib.sha1(der, usedforsecurity=False).digest()), private, der)

    def jwk(self, issuer: str) -> dict[str, Any]:
        """The public key as Entra publishes it: without `alg`, with the issuer it may sign for."""
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)),
            "e": base64url(numbers.e.to_bytes(3)),
            "x5c": [base64.b64encode(self.certificate).decode()],
            "issuer": issuer,
        }


class SigningKeys:
    """Several published keys, of which the newest signs."""

    def __init__(self, count: int = 2):
        self.keys = [SigningKey.generate() for _ in range(count)]
        self._decoded: dict[str, dict[str, Any]] = {}

    @property
    def current(self) -> SigningKey:
        return self.keys[-1]

    def rotate(self, *, forget_old: bool = False) -> str:
        """Sign with a new key now; with `forget_old`, tokens of earlier keys stop verifying. Returns its id."""
        kept = [] if forget_old else self.keys[-(PUBLISHED - 1) :]
        self.keys = [*kept, SigningKey.generate()]
        if len(self.keys) < 2:
            self.keys.insert(0, SigningKey.generate())
        self._decoded.clear()
        return self.current.kid

    def sign(self, claims: dict[str, Any], *, v1: bool = False) -> str:
        """A signed token. Tokens in the v1 shape carry the key's thumbprint as well."""
        key = self.current
        headers = {"kid": key.kid} | ({"x5t": key.kid} if v1 else {})
        return jwt.encode(claims, key.private, algorithm="RS256", headers=headers)

    def decode(self, token: str) -> dict[str, Any]:
        """The claims of a token that we signed. Audience and expiry are the reader's to check, by our clock.

        Raises:
            InvalidToken: not a JWT, a key we don't know, another algorithm, or a bad signature.
        """
        if (claims := self._decoded.get(token)) is not None:
            return claims
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = next((one for one in self.keys if one.kid == kid), None)
            if key is None:
                raise InvalidToken(f"no key {kid!r}")
            claims = jwt.decode(token, key.private.public_key(), algorithms=["RS256"], options=SIGNATURE_ONLY)
        except jwt.InvalidTokenError as error:
            raise InvalidToken(str(error)) from error
        if len(self._decoded) >= CACHE_SIZE:
            self._decoded.clear()
        self._decoded[token] = claims
        return claims

    def jwks(self, issuer: str) -> dict[str, Any]:
        return {"keys": [key.jwk(issuer) for key in self.keys]}


SIGNATURE_ONLY = {
    "verify_aud": False,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_iss": False,
}
_of_this_process: SigningKeys | None = None


def process_keys() -> SigningKeys:
    """The keys of this process: generated once, so that resetting the world costs nothing."""
    global _of_this_process
    if _of_this_process is None:
        _of_this_process = SigningKeys()
    return _of_this_process


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
