"""Which application is asking, and whether it can prove it: a secret, or an assertion signed by its certificate."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from urllib.parse import unquote

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from sandbox.identity import errors
from sandbox.identity.errors import Refusal
from sandbox.objects import Application
from sandbox.world import World

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SKEW = 300  # seconds
PUBLIC, SECRET, CERTIFICATE = "0", "1", "2"  # `appidacr` and `azpacr`


def authenticate(
    world: World, form: Mapping[str, str], authorization: str | None, audiences: set[str], directory: str
) -> tuple[Application, str]:
    """The application and how it proved itself (the `appidacr` value).

    Args:
        audiences: every spelling of this token endpoint that an assertion may be addressed to.

    Raises:
        Refusal: unknown application, no credential or a wrong one.
    """
    client_id, secret = form.get("client_id"), form.get("client_secret")
    if authorization and authorization[:6].lower() == "basic ":
        client_id, secret = _basic(authorization, client_id)
    assertion = form.get("client_assertion")
    if not client_id and assertion:
        client_id = str(_unverified(assertion).get("iss") or "")
    if not client_id:
        raise errors.missing("client_id")
    application = world.application(client_id)
    if application is None:
        raise errors.no_application(client_id, directory)
    if assertion:
        _check_assertion(world, application, form.get("client_assertion_type"), assertion, audiences)
        return application, CERTIFICATE
    if secret:
        if application.public_client:
            raise Refusal(
                700025, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
            )
        if secret not in application.secrets:
            raise Refusal(
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{application.app_id}'.",
            )
        return application, SECRET
    if not application.public_client:
        raise Refusal(
            7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        )
    return application, PUBLIC


def _basic(authorization: str, client_id: str | None) -> tuple[str | None, str | None]:
    try:
        name, _, secret = base64.b64decode(authorization[6:]).decode().partition(":")
    except ValueError:
        return client_id, None
    return unquote(name) or client_id, unquote(secret)


def _unverified(assertion: str) -> dict:
    try:
        return jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise Refusal(50027, f"JWT token is invalid or malformed: {error}.", error="invalid_client") from error


def _check_assertion(
    world: World, application: Application, kind: str | None, assertion: str, audiences: set[str]
) -> None:
    """MSAL Python pads thumbprints, writes times as fractions and leaves `nbf` out; others do none of that."""
    if kind != ASSERTION_TYPE:
        raise errors.missing("client_assertion_type")
    if application.public_client:
        raise Refusal(700025, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.")
    claims = _verified(application, assertion)
    meant = claims.get("aud")
    named = [one for one in (meant if isinstance(meant, list) else [meant]) if isinstance(one, str)]
    if audiences.isdisjoint(named):
        raise Refusal(
            50012,
            "Authentication failed: the audience of the client assertion is not this token endpoint. "
            f"Received '{meant}', expected one of {sorted(audiences)}.",
        )
    if claims.get("iss") != application.app_id or claims.get("sub") != application.app_id:
        raise Refusal(700023, "Client assertion's issuer and subject must be the client id.", error="invalid_client")
    now = world.clock.now().timestamp()
    starts, ends = claims.get("nbf", claims.get("iat", now)), claims.get("exp")
    readable = isinstance(starts, int | float) and isinstance(ends, int | float)
    if not readable or ends + SKEW < now or starts - SKEW > now:
        raise Refusal(
            700024,
            "Client assertion is not within its valid time range. "
            f"Current time: {world.clock.now():%Y-%m-%dT%H:%M:%S.0000000Z}.",
        )


def _verified(application: Application, assertion: str) -> dict:
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError as error:
        raise Refusal(50027, f"JWT token is invalid or malformed: {error}.", error="invalid_client") from error
    named = str(header.get("x5t#S256") or header.get("x5t") or header.get("kid") or "")
    wanted = named.rstrip("=")
    for pem in application.certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        if wanted not in thumbprints(certificate):
            continue
        try:
            return jwt.decode(
                assertion,
                certificate.public_key(),
                algorithms=["RS256", "PS256"],
                options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            raise _not_registered(named, "The key was found, but the signature could not be verified.") from None
    raise _not_registered(named, "The key was not found.")


def _not_registered(named: str, reason: str) -> Refusal:
    try:
        printed = base64.urlsafe_b64decode(named + "=" * (-len(named) % 4)).hex().upper()
    except ValueError:
        printed = named
    return Refusal(
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        f"[Reason - {reason}, Thumbprint of key used by client: '{printed}', Please visit the Azure Portal, Graph "
        "Explorer or directly use MS Graph to see configured keys for the app.]",
    )


def thumbprints(certificate: x509.Certificate) -> set[str]:
    """SHA-256 and SHA-1 of the certificate, as base64url and (for `kid`) as hex."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    digests = [certificate.fingerprint(hashes.SHA256()), hashlib.sha1(der, usedforsecurity=False).digest()]
    encoded = {base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in digests}
    return encoded | {one.hex().upper() for one in digests}
