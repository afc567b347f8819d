"""Statements of this portal that others can check: JSON in an envelope with its signature and the public key.

The signature is Ed25519 (RFC 8032) over the canonical JSON of the statement. Its private key is derived from AUDIT_KEYS
for one tenant and one purpose; the public key stands in the file, so that others can check it without any secret.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit import canonical, keys


@dataclass(frozen=True)
class Envelope:
    """One kind of statement.

    Attributes:
        format: what a file of it begins with.
        name: what the statement is called inside, and in what is said about it. It says `tenant.id`.
        purpose: which of a tenant's keys signs it.
    """

    format: str
    name: str
    purpose: str

    def sign(self, statement: Mapping[str, Any]) -> dict[str, Any]:
        """The statement with key id, public key and signature."""
        key_id = keys.newest()
        private = self._private(key_id, statement["tenant"]["id"])
        return {
            "format": self.format,
            self.name: statement,
            "algorithm": "Ed25519",
            "key_id": key_id,
            "public_key": _hex(private),
            "signature": base64.b64encode(private.sign(canonical.encode(statement))).decode(),
        }

    def faults(self, envelope: Any, *, public_key: str = "") -> list[str]:
        """What is wrong with a file; nothing when it is as this portal wrote it.

        Args:
            public_key: hex, told to the reader by another way; without it the portal's own AUDIT_KEYS decide.
        """
        if not isinstance(envelope, dict) or envelope.get("format") != self.format:
            return [f"This is not a {self.format} file."]
        try:
            statement, stated = envelope[self.name], str(envelope["public_key"])
            expected = public_key.lower() or self.public_key(envelope["key_id"], statement["tenant"]["id"])
            signature = base64.b64decode(envelope["signature"], validate=True)
            content = canonical.encode(statement)
        except keys.UnknownKey as unknown:
            return [f"The {self.name} is signed with the key {unknown}, which is not among AUDIT_KEYS."]
        except (KeyError, TypeError, ValueError):
            return ["The file cannot be read: a part is missing or malformed."]
        found = [] if stated == expected else ["The file names a public key that is not the portal's."]
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(expected)).verify(signature, content)
        except (InvalidSignature, ValueError):
            found.append(f"The signature does not hold: the {self.name} was changed, or is not from this portal.")
        return found

    def public_key(self, key_id: str, tenant_id: str | UUID) -> str:
        """In hex, for whoever is to check without AUDIT_KEYS. Raises keys.UnknownKey."""
        return _hex(self._private(key_id, tenant_id))

    def _private(self, key_id: str, tenant_id: str | UUID) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(keys.derive(key_id, self.purpose, str(tenant_id)))


def _hex(private: Ed25519PrivateKey) -> str:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
