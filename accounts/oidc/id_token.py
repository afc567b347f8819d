"""Proving an ID token. MSAL compares the nonce and nothing else, so everything here is ours to check.

https://learn.microsoft.com/entra/identity-platform/claims-validation
https://learn.microsoft.com/entra/identity-platform/howto-convert-app-to-be-multi-tenant#update-your-code-to-handle-multiple-issuer-values
"""

import hmac
from dataclasses import dataclass
from time import time
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from jwt.exceptions import PyJWTError

from accounts.oidc import signing_keys
from accounts.roles import roles_from_claims
from graph.clouds import installed

SKEW = 120  # seconds our clock and Microsoft's may differ
PERSONAL_ACCOUNTS = UUID("9188040d-6c67-4c5b-b112-36a304b66dad")
REQUIRED = ["aud", "exp", "iat", "iss", "nbf", "oid", "sub", "tid", "ver"]


class InvalidIdToken(Exception):
    """The token proves nothing. The text names the check that failed and never a value."""


@dataclass(frozen=True)
class Identity:
    """What a proved ID token says about a person.

    Attributes:
        roles: our roles (`accounts.roles`), from app roles, else from directory roles.
        directory_roles_told: whether the token says which directory roles the person holds. Where the registration
            does not ask for them it says nothing, and then none is no answer.
        sid: Entra's browser session, by which front-channel logout finds ours.
        auth_time: Unix time at which credentials were checked; None when the token does not say.
        login_hint: by which Microsoft knows this person's session again; empty when the token does not say.
    """

    tenant_id: UUID
    object_id: UUID
    name: str
    upn: str
    roles: tuple[str, ...]
    directory_roles_told: bool
    is_guest: bool
    sid: str
    auth_time: int | None
    login_hint: str

    @property
    def label(self) -> str:
        return self.name or self.upn or str(self.object_id)


def prove(token: str, *, nonce: str | None = None) -> Identity:
    """The identity in an ID token that Microsoft issued to this portal.

    Args:
        nonce: what the token must repeat. None only for a token that answers a refresh, which has none.

    Raises:
        InvalidIdToken: signature, algorithm, issuer, tenant, audience, time or nonce is not as it must be.
        TokenUnavailable: Microsoft's signing keys could not be read.
    """
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except PyJWTError as error:
        raise InvalidIdToken("not a token") from error
    if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
        raise InvalidIdToken("algorithm or key id")

    tenant_id = _id(claims, "tid")
    issuer = f"{installed().login}/{tenant_id}/v2.0"
    key = signing_keys.find(header["kid"], tenant_id)
    if key is None:
        raise InvalidIdToken("unknown key")
    if key.issuer and key.issuer.replace("{tenantid}", str(tenant_id)) != issuer:
        raise InvalidIdToken("key of another issuer")
    try:
        claims = jwt.decode(
            token,
            key=key.public,
            algorithms=["RS256"],
            audience=settings.ENTRA_CLIENT_ID,
            issuer=issuer,
            leeway=SKEW,
            options={"require": REQUIRED, "strict_aud": True},
        )
    except PyJWTError as error:
        raise InvalidIdToken(type(error).__name__) from error
    if claims["ver"] != "2.0":
        raise InvalidIdToken("version")
    if nonce is not None and not hmac.compare_digest(_text(claims, "nonce").encode(), nonce.encode()):
        raise InvalidIdToken("nonce")
    return _identity(claims, tenant_id)


def issuer_tenant(issuer: str) -> UUID | None:
    """The tenant of an issuer of this installation's cloud; None when it is none."""
    lead, tail = f"{installed().login}/", "/v2.0"
    if not (issuer.startswith(lead) and issuer.endswith(tail)):
        return None
    try:
        return UUID(issuer.removeprefix(lead).removesuffix(tail))
    except ValueError:
        return None


def _identity(claims: dict[str, Any], tenant_id: UUID) -> Identity:
    auth_time = claims.get("auth_time")
    if isinstance(auth_time, str) and auth_time.isdecimal():
        auth_time = int(auth_time)
    if not isinstance(auth_time, int) or isinstance(auth_time, bool) or auth_time > time() + SKEW:
        auth_time = None
    return Identity(
        tenant_id=tenant_id,
        object_id=_id(claims, "oid"),
        name=_text(claims, "name")[:256],
        upn=_text(claims, "preferred_username")[:256],
        roles=tuple(roles_from_claims(_texts(claims, "roles"), _texts(claims, "wids"))),
        directory_roles_told="wids" in claims,
        is_guest=_is_guest(claims, tenant_id),
        sid=_text(claims, "sid")[:128],
        auth_time=auth_time,
        login_hint=_text(claims, "login_hint")[:512],
    )


def _is_guest(claims: dict[str, Any], tenant_id: UUID) -> bool:
    """Whether the account is a guest (`acct`); where that is not told, whether another than the tenant vouched (`idp`).

    In this order: a tenant that is federated may have its own sign-in server named as `idp`.

    https://learn.microsoft.com/entra/identity-platform/optional-claims-reference
    """
    if "acct" in claims:
        return claims["acct"] not in (0, "0")
    idp = _text(claims, "idp")
    return bool(idp) and idp not in (claims["iss"], f"https://sts.windows.net/{tenant_id}/")


def _id(claims: dict[str, Any], name: str) -> UUID:
    """A GUID in its one canonical spelling, so that it cannot name the same tenant in two ways."""
    value = _text(claims, name)
    try:
        found = UUID(value)
    except ValueError as error:
        raise InvalidIdToken(name) from error
    if str(found) != value:
        raise InvalidIdToken(name)
    return found


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _texts(claims: dict[str, Any], name: str) -> list[str]:
    value = claims.get(name)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
