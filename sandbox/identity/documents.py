"""The documents that clients find their way by: configuration, keys, and which hosts are the same cloud."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from sandbox.clouds import LOGIN_HOSTS
from sandbox.identity import people
from sandbox.identity.authority import Authority
from sandbox.identity.errors import Refusal
from sandbox.world import World

CLAIMS = (
    "sub iss cloud_instance_name cloud_instance_host_name cloud_graph_host_name msgraph_host aud exp iat auth_time acr "
    "nonce preferred_username name tid ver at_hash c_hash email"
)
FIRST_CLAIMS = (
    "sub iss cloud_instance_name cloud_instance_host_name cloud_graph_host_name msgraph_host aud exp iat auth_time acr "
    "amr nonce email given_name family_name nickname"
)


def configuration(world: World, authority: Authority, origin: str) -> dict[str, Any]:
    """openid-configuration, with endpoints at the address the caller used and the issuer Entra really has."""
    base = f"{origin}/{authority.name}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": key_issuer(world, authority),
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"{_graph(world, origin)}/oidc/userinfo",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "claims_supported": CLAIMS.split(),
        "kerberos_endpoint": f"{base}/kerberos",
    } | _region(world, authority)


def first_configuration(world: World, authority: Authority, origin: str) -> dict[str, Any]:
    """The same for the endpoints of the first version, which Entra still serves.

    https://learn.microsoft.com/previous-versions/azure/active-directory/azuread-dev/v1-protocols-openid-connect-code
    """
    base = f"{origin}/{authority.name}"
    return {
        "token_endpoint": f"{base}/oauth2/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{origin}/common/discovery/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "token id_token", "token"],
        "scopes_supported": ["openid"],
        "issuer": people.sts(world, authority.issuer_id),
        "microsoft_multi_refresh_token": True,
        "authorization_endpoint": f"{base}/oauth2/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{base}/oauth2/logout",
        "claims_supported": FIRST_CLAIMS.split(),
        "userinfo_endpoint": f"{base}/openid/userinfo",
        "kerberos_endpoint": f"{base}/kerberos",
    } | _region(world, authority)


def _region(world: World, authority: Authority) -> dict[str, Any]:
    return {
        "tenant_region_scope": "EU" if authority.tenant else None,
        "cloud_instance_name": world.cloud.login.removeprefix("login."),
        "cloud_graph_host_name": world.cloud.old_graph,
        "msgraph_host": world.cloud.graph,
        "rbac_url": "https://pas.windows.net",
    }


def _graph(world: World, origin: str) -> str:
    """Graph by its name for who uses the sign-in host's name; else it is here."""
    named = origin.removeprefix("https://") in world.cloud.login_hosts
    return world.cloud.graph_audience if named else origin


def key_issuer(world: World, authority: Authority) -> str:
    return f"https://{world.cloud.login}/{authority.issuer_id}/v2.0"


def instance(world: World, origin: str, authorization_endpoint: str) -> dict[str, Any]:
    """Instance discovery: the tenant comes from the path of the endpoint asked about.

    Raises:
        Refusal: 50049, a host that is neither Microsoft's nor this sandbox.
    """
    asked = urlsplit(authorization_endpoint)
    own_host = urlsplit(origin).hostname
    if asked.hostname not in LOGIN_HOSTS and asked.hostname != own_host:
        raise Refusal(50049, "Unknown or invalid instance.")
    tenant = asked.path.strip("/").split("/")[0] or "common"
    aliases = list(world.cloud.login_hosts)
    metadata = [{"preferred_network": aliases[0], "preferred_cache": (aliases + aliases)[1], "aliases": aliases}]
    if asked.hostname not in aliases:
        metadata.append({"preferred_network": asked.netloc, "preferred_cache": asked.netloc, "aliases": [asked.netloc]})
    return {
        "tenant_discovery_endpoint": f"{origin}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": metadata,
    }
