"""Tokens for a person: everything that is checked before they are made, whatever the grant.

The order is Entra's: the application's presence in the tenant, the person, whether their sessions were revoked since,
assignment, consent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sandbox.identity import claims_request, errors, people, scopes, state, tokens
from sandbox.identity.authority import Authority
from sandbox.identity.state import Family, Identity
from sandbox.objects import GRAPH_APP_ID, MICROSOFT_TENANT, Application, ServicePrincipal, User
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
    first: bool  # asked in the words of the first version

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


def not_yet(asked: Asked, client: ServicePrincipal) -> bool:
    """Whether the consent that brought the app here is too young for the token servers to know it."""
    clock = asked.world.clock
    young = clock.now() - client.created < timedelta(seconds=clock.real(asked.world.consent_lag_seconds))
    return young and asked.identity.switches.consent_late == "principal"


def client_in_tenant(asked: Asked, family: Family | None) -> Tenant | None:
    """The tenant the token will be for, once the application is known to be there and switched on."""
    people.require_reach(asked.application, asked.authority)
    tenant = asked.authority.tenant
    if tenant is None and family is not None:
        tenant = asked.world.tenants.get(family.tenant_id)
    if tenant is None:
        return None
    application = asked.application
    client = tenant.service_principal_for(application.app_id)
    if client is None or (asked.form.get("grant_type") == "refresh_token" and not_yet(asked, client)):
        raise errors.no_application(application.app_id, tenant.name)
    if not client.enabled:
        raise errors.application_disabled(application.app_id, application.display_name)
    return tenant


def for_person(
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
    # The OpenID scopes are Graph's own permissions: tokens for other APIs do not carry them.
    shown = [one for one in oidc if one != "offline_access"] if resource.app_id == GRAPH_APP_ID else []
    issued = tokens.access_token_for_user(
        world,
        tenant,
        user,
        family,
        application,
        resource,
        list(dict.fromkeys([*granted, *shown])),
        capable=asked.capable,
        credential=asked.credential,
    )
    if resource.owner_tenant_id != MICROSOFT_TENANT:
        asked.identity.remember_assertion(issued.value, family)
    answer = bearer(issued) | {"scope": " ".join(answered)}
    if refreshing or "offline_access" in oidc:
        answer["refresh_token"] = asked.identity.issue_refresh_token(family)
    if "openid" in oidc:
        make = tokens.first_id_token if asked.first else partial(tokens.id_token, oidc=oidc)
        answer["id_token"] = make(world, tenant, user, family, application)
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
        provider = people.sts(world, family.home_tenant_id)
        raise errors.foreign_user(home.upn, provider, tenant.name, application.app_id, application.display_name)
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
    held = scopes.held(tenant, application, resource, user)
    asked = [one for one in wanted.by_resource.get(resource.app_id, []) if one != ".default"]
    needed = scopes.canonical(resource, asked, application.app_id, application.display_name)
    if not held or not set(needed) <= held:
        if not held and client.app_id == resource.app_id:
            return []  # an application is its own resource without consent
        if not held and ".default" in wanted.by_resource.get(resource.app_id, []):
            scopes.require_listed(application, resource)
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


def bearer(issued: tokens.Issued) -> dict[str, Any]:
    answer = {
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
        "ext_expires_in": issued.expires_in,
        "access_token": issued.value,
    }
    if issued.expires_in >= 7200:
        answer["refresh_in"] = issued.expires_in // 2
    return answer
