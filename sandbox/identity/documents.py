"""The documents that clients find their way by: configuration, keys, and which hosts are the same cloud."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from sandbox.identity.authority import Authority
from sandbox.identity.errors import Refusal
from sandbox.identity.origin import LOGIN_HOST, MICROSOFT_LOGIN_HOSTS

CLAIMS = (
    "sub iss cloud_instance_name cloud_instance_host_name cloud_graph_host_name msgraph_host aud exp iat auth_time acr "
    "nonce preferred_username name tid ver at_hash c_hash email"
)


def configuration(authority: Authority, origin: str, graph_origin: str) -> dict[str, Any]:
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
        "issuer": f"https://{LOGIN_HOST}/{authority.issuer_id}/v2.0",
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"{graph_origin}/oidc/userinfo",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "claims_supported": CLAIMS.split(),
        "kerberos_endpoint": f"{base}/kerberos",
        "tenant_region_scope": "EU" if authority.tenant else None,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    }


def key_issuer(authority: Authority) -> str:
    return f"https://{LOGIN_HOST}/{authority.issuer_id}/v2.0"


def instance(origin: str, authorization_endpoint: str) -> dict[str, Any]:
    """Instance discovery: the tenant comes from the path of the endpoint asked about.

    Raises:
        Refusal: 50049, a host that is neither Microsoft's nor this sandbox.
    """
    asked = urlsplit(authorization_endpoint)
    own_host = urlsplit(origin).hostname
    if asked.hostname not in MICROSOFT_LOGIN_HOSTS and asked.hostname != own_host:
        raise Refusal(50049, "Unknown or invalid instance.")
    tenant = asked.path.strip("/").split("/")[0] or "common"
    aliases = [LOGIN_HOST, "login.windows.net", "login.microsoft.com", "sts.windows.net"]
    metadata = [{"preferred_network": LOGIN_HOST, "preferred_cache": "login.windows.net", "aliases": aliases}]
    if asked.hostname not in aliases:
        metadata.append({"preferred_network": asked.netloc, "preferred_cache": asked.netloc, "aliases": [asked.netloc]})
    return {
        "tenant_discovery_endpoint": f"{origin}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": metadata,
    }


def clouds(origin: str) -> dict[str, Any]:
    """What Azure CLI asks of the resource manager, pointing back here."""
    return {
        "galleryEndpoint": f"{origin}/",
        "graphEndpoint": f"{origin}/",
        "portalEndpoint": f"{origin}/",
        "authentication": {
            "loginEndpoint": f"{origin}/",
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
        },
    }
