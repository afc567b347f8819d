"""Reading `scope`: which API is meant, which of its permissions, and how the client spelt them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.clouds import GRAPHS
from sandbox.identity.errors import Refusal
from sandbox.objects import GRAPH_APP_ID, Application, ServicePrincipal, User
from sandbox.world import Tenant, World

IDENTIFIER = re.compile(r"^[a-z][a-z0-9+.-]*://.|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
OIDC = ("openid", "profile", "email", "offline_access")


@dataclass
class Wanted:
    """What a request asks for: at most one API in a token request, any number in an authorization request."""

    oidc: list[str] = field(default_factory=list)
    by_resource: dict[str, list[str]] = field(default_factory=dict)  # app id of the API: permission values
    prefix: dict[str, str] = field(default_factory=dict)  # app id of the API: what the client put before the values

    @property
    def resource(self) -> str:
        """The API that the access token will be for: Graph when only OpenID scopes were asked for."""
        return next(iter(self.by_resource), GRAPH_APP_ID)

    @property
    def default(self) -> bool:
        return any(".default" in values for values in self.by_resource.values())

    def spelt(self, resource: str, values: Iterable[str]) -> list[str]:
        """Permission values as this client spells them; MSAL looks its tokens up by that spelling."""
        return [self.prefix.get(resource, "") + value for value in values]


def read(world: World, text: str, *, own_origin: str = "") -> Wanted:
    """What a request's `scope` means. An API that nobody knows is kept by its name: no tenant has it (500011).

    Raises:
        Refusal: 70011, what is no scope at all.
    """
    wanted = Wanted()
    for part in text.split():
        if part in OIDC:
            wanted.oidc.append(part)
            continue
        name, slash, value = part.rpartition("/")
        resource = _resource(world, name.rstrip("/"), own_origin) if slash else GRAPH_APP_ID
        if resource is None or not value:
            raise Refusal(
                70011,
                "The provided request must include a 'scope' input parameter. The provided value for the input "
                f"parameter 'scope' is not valid. The scope {part} is not valid.",
            )
        if resource == GRAPH_APP_ID and value in OIDC:
            wanted.oidc.append(value)
            continue
        wanted.by_resource.setdefault(resource, []).append(value)
        wanted.prefix.setdefault(resource, name + slash)
    return wanted


def _resource(world: World, name: str, own_origin: str) -> str | None:
    cloud = world.cloud
    if name in (GRAPH_APP_ID, cloud.graph_audience, f"https://{cloud.old_graph}", own_origin or GRAPH_APP_ID):
        return GRAPH_APP_ID
    if name in GRAPHS:
        return name  # another cloud's
    bare = name.removeprefix("api://")
    if world.application(bare) is not None:
        return bare
    for application in world.applications.values():
        if name in application.identifier_uris:
            return application.app_id
    # Microsoft's own APIs are present in tenants without a registration here.
    known = any(tenant.service_principal_for(bare) for tenant in world.tenants.values())
    return bare if known else name if IDENTIFIER.match(name) else None


def one_resource(wanted: Wanted) -> str:
    """
    Raises:
        Refusal: 28002, a token can be for one API only; 70011, named scopes beside .default.
    """
    if len(wanted.by_resource) > 1:
        raise Refusal(
            28002,
            "Provided value for the input parameter scope is not valid when requesting an access token. Please "
            "specify a scope for a single resource.",
        )
    not_mixed(wanted)
    return wanted.resource


def not_mixed(wanted: Wanted) -> None:
    for values in wanted.by_resource.values():
        if ".default" in values and len(values) > 1:
            raise Refusal(
                70011,
                "The provided value for the input parameter 'scope' is not valid. .default scope can't be combined "
                "with resource-specific scopes.",
            )


def resource_principal(tenant: Tenant, resource: str) -> ServicePrincipal:
    """The API's presence in the tenant.

    Raises:
        Refusal: 500011, it has none.
    """
    principal = tenant.service_principal_for(resource)
    if principal is None:
        raise Refusal(
            500011,
            f"The resource principal named {resource} was not found in the tenant named {tenant.name}. This can happen "
            "if the application has not been installed by the administrator of the tenant or consented to by any user "
            "in the tenant. You might have sent your authentication request to the wrong tenant.",
        )
    return principal


def held(tenant: Tenant, application: Application, resource: ServicePrincipal, user: User) -> set[str]:
    """What an application may do at an API for a person: by consent, or because Microsoft says so for its own."""
    client = tenant.service_principal_for(application.app_id)
    consented = tenant.scopes_for(client.id, resource.id, user.id) if client else set()
    return consented | set(application.preauthorized.get(resource.app_id, ()))


def require_listed(application: Application, resource: ServicePrincipal) -> None:
    """`.default` means what the registration lists, so it has to list something.

    Raises:
        Refusal: 650056, the registration lists nothing; 650057, nothing of this API.
    """
    access = application.wanted(resource.app_id)
    if access.scopes or access.roles or application.app_id == resource.app_id:
        return
    if not application.required_access:
        raise Refusal(
            650056,
            "Misconfigured application. This could be due to one of the following: the client has not listed any "
            f"permissions for '{resource.display_name}' in the requested permissions in the client's application "
            "registration. Or, the admin has not consented in the tenant. Or, check the application identifier in the "
            "request to ensure it matches the configured client application identifier. Client app ID: "
            f"{application.app_id}.",
        )
    listed = "; ".join(one.resource_app_id for one in application.required_access)
    raise Refusal(
        650057,
        "Invalid resource. The client has requested access to a resource which is not listed in the requested "
        f"permissions in the client's application registration. Client app ID: {application.app_id}"
        f"({application.display_name}). Resource value from request: {resource.display_name}. Resource app ID: "
        f"{resource.app_id}. List of valid resources from app registration: {listed}.",
    )


def canonical(principal: ServicePrincipal, values: Iterable[str], app_id: str, app_name: str) -> list[str]:
    """The values as the API spells them; upper and lower case don't matter in a request.

    Raises:
        Refusal: 650053, the API has no such permission.
    """
    by_name = {scope.value.lower(): scope.value for scope in principal.scopes}
    found = []
    for value in values:
        if (known := by_name.get(value.lower())) is None:
            raise Refusal(
                650053,
                f"The application '{app_name}' asked for scope '{value}' that doesn't exist on the resource "
                f"'{principal.app_id}'. Contact the app vendor.",
            )
        found.append(known)
    return found
