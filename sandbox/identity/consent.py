"""Consent: what is still missing, who may give it, what the page says, and what giving it changes.

https://learn.microsoft.com/entra/identity-platform/application-consent-experience
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.identity import scopes
from sandbox.identity.people import ALL_CONSENT_ROLES, CONSENT_ROLES
from sandbox.identity.scopes import OIDC, Wanted
from sandbox.objects import GRAPH_APP_ID, Application, AppRole, ServicePrincipal, User
from sandbox.world import Tenant, World

OIDC_WORDS = {
    "openid": ("Sign you in", "Lets the app know who you are when you sign in to it."),
    "profile": ("View your basic profile", "Lets the app see your name and sign-in name."),
    "email": ("View your email address", "Lets the app read your primary email address."),
    "offline_access": (
        "Maintain access to data you have given it access to",
        "Lets the app use these permissions even when you are not using the app.",
    ),
}


@dataclass
class Line:
    """One permission on the page."""

    name: str
    description: str
    value: str
    kind: str = ""  # "Works as itself" for application permissions


@dataclass
class Ask:
    """Delegated permissions by API, and roles by API, that a consent would add."""

    scopes: dict[str, list[str]] = field(default_factory=dict)  # by app id of the API
    roles: dict[str, list[AppRole]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.scopes.values()) or any(self.roles.values())


def api(world: World, tenant: Tenant, resource: str) -> ServicePrincipal:
    """The API's presence in the tenant; a registered multi-tenant API is brought in by the first who asks.

    Raises:
        Refusal: 500011, nobody knows it here.
    """
    application = world.application(resource)
    reachable = application and (application.multi_tenant or application.home_tenant_id == tenant.id)
    if reachable and tenant.service_principal_for(resource) is None:
        return tenant.instantiate(application)
    return scopes.resource_principal(tenant, resource)


def missing(world: World, tenant: Tenant, application: Application, user: User, wanted: Wanted, *, all_: bool) -> Ask:
    """What the person would have to agree to. With `all_`, what is granted already is asked for again.

    Raises:
        Refusal: an API or a permission that does not exist.
    """
    ask = Ask()
    by_resource = dict(wanted.by_resource)
    if wanted.oidc or not by_resource:
        by_resource.setdefault(GRAPH_APP_ID, [])
    for resource, values in by_resource.items():
        principal = api(world, tenant, resource)
        held = scopes.held(tenant, application, principal, user)
        default = ".default" in values
        if default and not held:
            scopes.require_listed(application, principal)
        asked = application.wanted(resource).scopes if default else values
        needed = scopes.canonical(principal, asked, application.app_id, application.display_name)
        if resource == GRAPH_APP_ID:
            needed = list(dict.fromkeys([*(one for one in wanted.oidc), *needed]))
        still = _still(needed, held, default=default, all_=all_)
        if still and resource != application.app_id:
            ask.scopes[resource] = still
    return ask


def _still(needed: list[str], held: set[str], *, default: bool, all_: bool) -> list[str]:
    if all_ or not held:
        return needed
    if default:
        return []  # .default asks only where nothing is granted yet
    # OpenID scopes are asked for with the first consent and never again.
    return [one for one in needed if one not in held and one not in OIDC]


def everything(world: World, tenant: Tenant, application: Application) -> Ask:
    """All that the registration lists: what admin consent with `.default` gives.

    Raises:
        Refusal: an API that does not exist.
    """
    ask = Ask()
    for access in application.required_access:
        principal = api(world, tenant, access.resource_app_id)
        if access.scopes:
            ask.scopes[access.resource_app_id] = list(access.scopes)
        roles = [role for value in access.roles if (role := principal.app_role(value))]
        if roles:
            ask.roles[access.resource_app_id] = roles
    return ask


def is_admin(tenant: Tenant, user: User, ask: Ask | None = None) -> bool:
    """Whether the person may consent for everybody; application permissions of Graph need the highest roles."""
    held = set(tenant.directory_roles_of(user.id))
    highest = ask is not None and GRAPH_APP_ID in ask.roles
    return not held.isdisjoint(ALL_CONSENT_ROLES if highest else CONSENT_ROLES)


def may_consent(world: World, tenant: Tenant, user: User, application: Application, ask: Ask) -> bool:
    """Whether the person may agree for themselves, by their role or by the tenant's user consent setting."""
    if is_admin(tenant, user):
        return True
    found = []
    for resource, values in ask.scopes.items():
        principal = api(world, tenant, resource)
        found += [scope for value in values if (scope := principal.scope(value)) and value not in OIDC]
    if any(scope.admin_only for scope in found):
        return False
    if tenant.user_consent == "none":
        return not found and not any(ask.scopes.values())
    if tenant.user_consent == "low":
        known = application.verified or application.home_tenant_id == tenant.id
        return known and all(scope.low_impact for scope in found)
    return True


def lines(world: World, tenant: Tenant, ask: Ask, *, admin: bool) -> list[Line]:
    """What the page lists, in the API's own words."""
    found: list[Line] = []
    for resource, values in ask.scopes.items():
        principal = api(world, tenant, resource)
        for value in values:
            if value in OIDC:
                found.append(Line(*OIDC_WORDS[value], value))
            elif scope := principal.scope(value):
                name = (scope.name if admin else scope.user_name) or scope.name or value
                text = (scope.description if admin else scope.user_description) or scope.description
                found.append(Line(name, text, value))
    for roles in ask.roles.values():
        found += [Line(role.name, role.description, role.value, "Without a signed-in person") for role in roles]
    return found


def give(
    world: World, tenant: Tenant, application: Application, ask: Ask, principal_id: str | None
) -> ServicePrincipal:
    """Write the consent down: for one person, or with None for everybody. The app is brought into the tenant first."""
    client = tenant.instantiate(application)
    for resource, values in ask.scopes.items():
        if values:
            tenant.add_scopes(client.id, api(world, tenant, resource).id, principal_id, values)
    for resource, roles in ask.roles.items():
        principal = api(world, tenant, resource)
        for role in roles:
            tenant.assign(client.id, "ServicePrincipal", principal.id, role.id)
    return client


def named(wanted: Wanted) -> Iterable[str]:
    for resource, values in wanted.by_resource.items():
        yield from wanted.spelt(resource, values)
    yield from wanted.oidc
