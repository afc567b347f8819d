"""The token endpoint: what is asked, in which order it is checked, and what is handed out.

The order is Entra's: the client, its presence in the tenant, the code or refresh token, the person, whether their
sessions were revoked since, consent.
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#redeem-a-code-for-an-access-token
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.identity import (
    authority as authorities,
    claims_request,
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
from sandbox.identity.origin import MICROSOFT_LOGIN_HOSTS
from sandbox.identity.state import CODE_LIFETIME, INACTIVITY, Family, Identity
from sandbox.objects import Application, ServicePrincipal, User
from sandbox.world import Tenant, World


@dataclass
class Asked:
    """One request to the token endpoint."""

    world: World
    authority: Authority
    form: Mapping[str, str]
    application: Application
    credential: str
    own_origin: str

    @property
    def identity(self) -> Identity:
        return state.of(self.world)

    def field(self, name: str) -> str:
        """
        Raises:
            Refusal: 900144, it is missing or empty.
        """
        if not (value := self.form.get(name)):
            raise errors.missing(name)
        return value

    @property
    def capable(self) -> bool:
        """Whether the client can answer a claims challenge.

        Raises:
            Refusal: 90013, the `claims` parameter is no JSON object.
        """
        return claims_request.read(self.form.get("claims")).capable


def redeem(
    world: World,
    segment: str,
    form: Mapping[str, str],
    *,
    authorization: str | None = None,
    origin: str = "https://login.microsoftonline.com",
) -> dict[str, Any]:
    """What the token endpoint of `/{segment}/` answers to this form.

    Raises:
        Refusal: in Entra's words; nothing has changed, except that a code given to its own client is used up.
    """
    authority = authorities.find(world, segment)
    grant_type = form.get("grant_type")
    if not grant_type:
        raise errors.missing("grant_type")
    grant = GRANTS.get(grant_type)
    if grant is None:
        raise Refusal(70003, f"The app requested an unsupported grant type '{grant_type}'.")
    directory = authority.tenant.name if authority.tenant else authority.name
    audiences = _endpoints(authority, segment, origin)
    application, credential = clients.authenticate(world, form, authorization, audiences, directory)
    return grant(Asked(world, authority, form, application, credential, origin))


def _endpoints(authority: Authority, segment: str, origin: str) -> set[str]:
    names = {authority.name, segment, *(authority.tenant.domains if authority.tenant else ())}
    hosts = {origin, *(f"https://{host}" for host in MICROSOFT_LOGIN_HOSTS)}
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
    if client is None or _not_yet(asked, client):
        raise errors.no_principal(application.app_id, tenant.id)
    if not client.enabled:
        raise errors.application_disabled(application.app_id, application.display_name)
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
    return _bearer(issued)


def _not_yet(asked: Asked, client: ServicePrincipal) -> bool:
    """Whether the consent that brought the app here is too young for the token servers to know it."""
    clock = asked.world.clock
    young = clock.now() - client.created < timedelta(seconds=clock.real(asked.world.consent_lag_seconds))
    return young and asked.identity.switches.consent_late == "principal"


def clients_only() -> Refusal:
    return Refusal(
        700025, "Client is public so the grant type 'client_credentials' is not allowed.", error="invalid_client"
    )


# --- acting for a person ---------------------------------------------------------------------------


def _authorization_code(asked: Asked) -> dict[str, Any]:
    value, redirect_uri = asked.field("code"), asked.field("redirect_uri")
    code = asked.identity.codes.get(value)
    tenant = _client_in_tenant(asked, code.family if code else None)
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
    return _for_person(asked, tenant, code.family, asked.form.get("scope") or code.scope, authorized=code.scope)


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
    tenant = _client_in_tenant(asked, known.family if known else None)
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
    answer = _for_person(asked, tenant, known.family, asked.form.get("scope") or "openid", refreshing=True)
    known.last_used = now
    return answer


def _device_code(asked: Asked) -> dict[str, Any]:
    device_code = asked.field("device_code")
    device = device_codes.redeemable(asked.world, device_code, asked.application.app_id)
    tenant = _client_in_tenant(asked, device.family)
    answer = _for_person(asked, tenant, device.family, device.scope, authorized=device.scope)
    del asked.identity.devices[device_code]
    return answer


def _client_in_tenant(asked: Asked, family: Family | None) -> Tenant | None:
    """The tenant the token will be for, once the application is known to be there and switched on."""
    tenant = asked.authority.tenant
    if tenant is None and family is not None:
        tenant = asked.world.tenants.get(family.tenant_id)
    if tenant is None:
        return None
    application = asked.application
    people.require_reach(application, asked.authority)
    client = tenant.service_principal_for(application.app_id)
    if client is None or (asked.form.get("grant_type") == "refresh_token" and _not_yet(asked, client)):
        raise errors.no_application(application.app_id, tenant.name)
    if not client.enabled:
        raise errors.application_disabled(application.app_id, application.display_name)
    return tenant


def _for_person(
    asked: Asked,
    tenant: Tenant | None,
    family: Family,
    scope: str,
    *,
    authorized: str = "",
    refreshing: bool = False,
) -> dict[str, Any]:
    world, application = asked.world, asked.application
    if tenant is None:
        raise errors.no_tenant(family.tenant_id)
    user = _person(world, tenant, family, application)
    check_not_revoked(world, user, family)
    client = tenant.service_principal_for(application.app_id)
    if client.assignment_required and not tenant.assigned(user.id, client.id):
        raise errors.not_assigned(application.app_id, application.display_name)
    wanted = scopes.read(world, scope, own_origin=asked.own_origin)
    resource = scopes.resource_principal(tenant, scopes.one_resource(wanted))
    granted = granted_scopes(tenant, client, resource, user, application, wanted)
    # With a code, the authorization request decides: what the person was not asked for is not handed out later.
    oidc = [one for one in scopes.OIDC if one in (authorized.split() if authorized else wanted.oidc)]
    answered = _answered_scopes(wanted, resource, granted, oidc)
    issued = tokens.access_token_for_user(
        world,
        tenant,
        user,
        family,
        application,
        resource,
        list(dict.fromkeys([*granted, *(one for one in oidc if one != "offline_access")])),
        capable=asked.capable,
        credential=asked.credential,
    )
    answer = _bearer(issued) | {"scope": " ".join(answered)}
    if refreshing or "offline_access" in oidc:
        answer["refresh_token"] = asked.identity.issue_refresh_token(family)
    if "openid" in oidc:
        answer["id_token"] = tokens.id_token(world, tenant, user, family, application, oidc)
    if asked.form.get("client_info") == "1":
        answer["client_info"] = tokens.client_info(family)
    user.last_sign_in = client.last_sign_in = world.clock.now()
    return answer


def _person(world: World, tenant: Tenant, family: Family, application: Application) -> User:
    user = people.in_tenant(tenant, family.home_tenant_id, family.home_user_id)
    if user is None:
        home = people.home_user(world, family.home_tenant_id, family.home_user_id)
        if home is None or tenant.id == family.home_tenant_id:
            raise errors.no_user(family.home_user_id, tenant.name)
        raise errors.foreign_user(
            home.upn, people.sts(family.home_tenant_id), tenant.name, application.app_id, application.display_name
        )
    people.require_enabled(world, user, family.home_tenant_id, family.home_user_id, tenant)
    return user


def check_not_revoked(world: World, user: User, family: Family) -> None:
    """
    Raises:
        Refusal: 50173, the sign-in behind this is not younger than the person's valid-from time.
    """
    limit: datetime = people.valid_from(world, user, family.home_tenant_id, family.home_user_id)
    if family.signed_in_at <= limit:
        raise errors.revoked(family.signed_in_at, limit)


def granted_scopes(
    tenant: Tenant,
    client: ServicePrincipal,
    resource: ServicePrincipal,
    user: User,
    application: Application,
    wanted: scopes.Wanted,
) -> list[str]:
    """Every permission the client holds at the API for this person.

    The OpenID scopes count as granted where anything is: Entra asks for them once, with the first consent.

    Raises:
        Refusal: 65001, something asked for is not, or no longer, granted; 650053, no such permission.
    """
    held = tenant.scopes_for(client.id, resource.id, user.id)
    asked = [one for one in wanted.by_resource.get(resource.app_id, []) if one != ".default"]
    needed = scopes.canonical(resource, asked, application.app_id, application.display_name)
    if not held or not set(needed) <= held:
        if not held and client.app_id == resource.app_id:
            return []  # an application is its own resource without consent
        raise errors.consent_required(application.app_id, application.display_name)
    return sorted(held - set(scopes.OIDC))


def _answered_scopes(
    wanted: scopes.Wanted, resource: ServicePrincipal, granted: list[str], oidc: list[str]
) -> list[str]:
    """What the token is good for, in the client's spelling; MSAL finds its tokens by exactly these words."""
    asked = {one.lower(): one for one in wanted.by_resource.get(resource.app_id, [])}
    spelt = wanted.spelt(resource.app_id, (asked.get(one.lower(), one) for one in granted))
    default = wanted.spelt(resource.app_id, [".default"]) if ".default" in asked else []
    return [*spelt, *default, *(one for one in oidc if one != "offline_access")]


def _bearer(issued: tokens.Issued) -> dict[str, Any]:
    answer = {
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
        "ext_expires_in": issued.expires_in,
        "access_token": issued.value,
    }
    if issued.expires_in >= 7200:
        answer["refresh_in"] = issued.expires_in // 2
    return answer


GRANTS = {
    "client_credentials": _client_credentials,
    "authorization_code": _authorization_code,
    "refresh_token": _refresh_token,
    "urn:ietf:params:oauth:grant-type:device_code": _device_code,
    "device_code": _device_code,  # what MSAL for Node sends
}
