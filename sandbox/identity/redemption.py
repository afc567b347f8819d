"""The token endpoint: what is asked, in which order it is checked, and what is handed out.

The order is Entra's: the client, its presence in the tenant, the code or refresh token, and then what `issuing` checks.
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#redeem-a-code-for-an-access-token
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from sandbox.identity import (
    agents,
    authority as authorities,
    clients,
    device_code as device_codes,
    errors,
    people,
    scopes,
    state,
    tokens,
)
from sandbox.identity.authority import Authority
from sandbox.identity.errors import Refusal
from sandbox.identity.issuing import Asked, bearer, client_in_tenant, for_person, not_yet
from sandbox.identity.on_behalf import on_behalf_of
from sandbox.identity.state import CODE_LIFETIME, INACTIVITY
from sandbox.world import World


def redeem(
    world: World,
    segment: str,
    form: Mapping[str, str],
    *,
    authorization: str | None = None,
    origin: str = "",
    first: bool = False,
) -> dict[str, Any]:
    """What the token endpoint of `/{segment}/` answers to this form. `first`: with an ID token of the first version.

    Raises:
        Refusal: in Entra's words; nothing has changed, except that a code given to its own client is used up.
    """
    authority = authorities.find(world, segment, origin)
    grant_type = form.get("grant_type")
    if not grant_type:
        raise errors.missing("grant_type")
    if agent := agents.asking(authority.tenant, form):
        application = agents.stand_in(world, agent)
        asked = Asked(world, authority, form, application, clients.CERTIFICATE, origin, first)
        return agents.redeem(asked, agent)
    grant = GRANTS.get(grant_type)
    if grant is None:
        raise Refusal(70003, f"The app requested an unsupported grant type '{grant_type}'.")
    directory = authority.tenant.name if authority.tenant else authority.name
    audiences = _endpoints(world, authority, segment, origin)
    application, credential = clients.authenticate(world, form, authorization, audiences, directory)
    return grant(Asked(world, authority, form, application, credential, origin, first))


def _endpoints(world: World, authority: Authority, segment: str, origin: str) -> set[str]:
    names = {authority.name, segment, *(authority.tenant.domains if authority.tenant else ())}
    hosts = {origin, *(f"https://{host}" for host in world.cloud.login_hosts)}
    ends = ("oauth2/v2.0/token", "oauth2/token", "v2.0")
    return {f"{host}/{name}/{end}" for host in hosts for name in names for end in ends}


# --- acting as itself ------------------------------------------------------------------------------


def _client_credentials(asked: Asked) -> dict[str, Any]:
    world, tenant, application = asked.world, asked.authority.tenant, asked.application
    if tenant is None:
        raise Refusal(
            9001023,
            f"The grant type 'client_credentials' is not supported over the /{asked.authority.name} endpoint. Please "
            "use a tenant-specific endpoint.",
        )
    if application.public_client:
        raise clients_only()
    people.require_reach(application, asked.authority)
    client = tenant.service_principal_for(application.app_id)
    if client is None or not_yet(asked, client):
        raise errors.no_principal(application.app_id, tenant.id)
    if not client.enabled:
        raise errors.application_disabled(application.app_id, application.display_name)
    if "fmi_path" in asked.form:
        return agents.vouch(asked, client)
    wanted = scopes.read(world, asked.field("scope"), own_origin=asked.own_origin)
    resource = scopes.one_resource(wanted)
    if wanted.by_resource.get(resource) != [".default"] or wanted.oidc:
        raise Refusal(
            1002012,
            f"The provided value for scope {asked.form['scope']} is not valid. Client credential flows must have a "
            "scope value with /.default suffixed to the resource identifier (application ID URI).",
        )
    issued = tokens.access_token_for_app(
        world,
        tenant,
        client,
        application,
        scopes.resource_principal(tenant, resource),
        capable=asked.capable,
        credential=asked.credential,
    )
    client.last_sign_in = world.clock.now()
    return bearer(issued)


def clients_only() -> Refusal:
    return Refusal(
        700025, "Client is public so the grant type 'client_credentials' is not allowed.", error="invalid_client"
    )


# --- acting for a person ---------------------------------------------------------------------------


def _authorization_code(asked: Asked) -> dict[str, Any]:
    value, redirect_uri = asked.field("code"), asked.field("redirect_uri")
    code = asked.identity.codes.get(value)
    tenant = client_in_tenant(asked, code.family if code else None)
    if code is None or code.family.app_id != asked.application.app_id:
        raise Refusal(
            9002313 if code is None else 70000,
            "Invalid request. Request is malformed or invalid."
            if code is None
            else "The provided value for the 'code' parameter is not valid. It was issued to another client.",
        )
    if code.redeemed:
        raise Refusal(
            54005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing "
            "refresh token.",
        )
    if asked.identity.now - code.issued_at > CODE_LIFETIME:
        raise Refusal(
            70008,
            "The provided authorization code or refresh token has expired due to inactivity. Send a new "
            "interactive authorization request for this user and resource.",
        )
    if code.authority != asked.authority.name:
        raise Refusal(
            700005,
            "Provided Authorization Code is intended to use against other tenant, thus rejected. OAuth2 Authorization "
            "Code must be redeemed against same tenant it was acquired for (/common or /{tenant-ID} as it appears in "
            "the authorization request).",
        )
    if code.redirect_uri != redirect_uri:
        raise Refusal(
            500112,
            "The reply address does not match the reply address provided when requesting Authorization code.",
            error="invalid_grant",
        )
    _check_verifier(code, asked.form.get("code_verifier"))
    code.redeemed = True
    return for_person(asked, tenant, code.family, asked.form.get("scope") or code.scope, authorized=code.scope)


def _check_verifier(code: state.Code, verifier: str | None) -> None:
    if code.challenge is None:
        return
    if not verifier:
        raise Refusal(
            50148, "The code_verifier is required, as the request sent a code_challenge.", error="invalid_grant"
        )
    made = verifier
    if code.challenge_method == "S256":
        made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(made.encode(), code.challenge.encode()):
        raise Refusal(
            501481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        )


def _refresh_token(asked: Asked) -> dict[str, Any]:
    value = asked.field("refresh_token")
    known = asked.identity.refresh_tokens.get(value)
    tenant = client_in_tenant(asked, known.family if known else None)
    if known is None:
        raise Refusal(9002313, "Invalid request. Request is malformed or invalid.")
    if known.family.app_id != asked.application.app_id:
        raise Refusal(
            70000,
            "Provided grant is invalid or malformed. The refresh token was issued to a different client id.",
        )
    now = asked.identity.now
    if now - known.last_used > INACTIVITY:
        raise Refusal(
            700082,
            "The refresh token has expired due to inactivity. The token was issued on "
            f"{known.last_used:%Y-%m-%dT%H:%M:%S.0000000Z} and was inactive for 90.00:00:00.",
        )
    answer = for_person(asked, tenant, known.family, asked.form.get("scope") or "openid", refreshing=True)
    known.last_used = now
    return answer


def _device_code(asked: Asked) -> dict[str, Any]:
    device_code = asked.field("device_code")
    device = device_codes.redeemable(asked.world, device_code, asked.application.app_id)
    tenant = client_in_tenant(asked, device.family)
    answer = for_person(asked, tenant, device.family, device.scope, authorized=device.scope)
    del asked.identity.devices[device_code]
    return answer


GRANTS = {
    "client_credentials": _client_credentials,
    "authorization_code": _authorization_code,
    "refresh_token": _refresh_token,
    "urn:ietf:params:oauth:grant-type:device_code": _device_code,
    "device_code": _device_code,  # what MSAL for Node sends
    "urn:ietf:params:oauth:grant-type:jwt-bearer": on_behalf_of,
}
