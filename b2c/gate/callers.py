"""Who calls at a token's issuance: Microsoft's authentication events service, with a token made for this tenant.

https://learn.microsoft.com/entra/identity-platform/custom-extension-overview#protect-your-rest-api
https://learn.microsoft.com/entra/identity-platform/claims-validation
"""

import logging
from uuid import UUID

import jwt
from django.http import HttpRequest
from jwt.exceptions import PyJWTError

from accounts.oidc import signing_keys
from accounts.oidc.id_token import SKEW
from b2c.gate.known import Known
from graph.clouds import installed
from graph.errors import GraphError

logger = logging.getLogger(__name__)

EVENTS_SERVICE = "99045fe1-7639-4a75-9d4a-577b6ca3810f"  # Microsoft's app that makes the calls
LONGEST = 8192  # characters


def is_microsoft(request: HttpRequest, gate: Known) -> bool:
    """Whether the bearer token says so: signed by Microsoft, for this tenant's extension, given to that service."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if gate.extension_app_id is None or scheme.lower() != "bearer" or len(token) > LONGEST:
        return False
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
            return False
        key = signing_keys.find(header["kid"], gate.tenant_id)
        if key is None:
            return False
        claims = jwt.decode(
            token,
            key=key.public,
            algorithms=["RS256"],
            audience=str(gate.extension_app_id),
            issuer=_issuers(gate.tenant_id, gate.extension_host),
            leeway=SKEW,
            options={"require": ["aud", "exp", "iat", "iss", "nbf", "azp", "tid", "ver"], "strict_aud": True},
        )
    except PyJWTError as error:
        logger.info("A call at token issuance was not Microsoft's: %s", type(error).__name__)
        return False
    except GraphError as error:
        logger.warning("Microsoft's signing keys could not be read: %s", type(error).__name__)
        return False
    return (claims["azp"], claims["tid"], claims["ver"]) == (EVENTS_SERVICE, str(gate.tenant_id), "2.0")


def _issuers(tenant_id: UUID, host: str) -> list[str]:
    """As a workforce tenant's tokens name it, and as an external tenant's do."""
    hosts = [installed().login, f"https://{tenant_id}.ciamlogin.com", *([f"https://{host}"] if host else [])]
    return [f"{base}/{tenant_id}/v2.0" for base in hosts]
