"""Tokens for agents: an agent has no credentials, its blueprint vouches for it.

First the blueprint asks for an exchange token that names the agent (`fmi_path`); with it as client assertion the agent
asks for itself, on behalf of a person, or as its own account. A blueprint, its principal or an agent that is switched
off ends the chain there: AADSTS7000112.

https://learn.microsoft.com/entra/agent-id/identity-platform/agent-oauth-protocols
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.identity import clients, errors, scopes, state, tokens
from sandbox.identity.errors import Refusal
from sandbox.identity.issuing import Asked, bearer, for_person
from sandbox.identity.state import Family
from sandbox.objects import AGENT, BLUEPRINT, Application, ServicePrincipal
from sandbox.world import Tenant, World

EXCHANGE = "api://AzureADTokenExchange"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE_LIFETIME = 3600


def asking(tenant: Tenant | None, form: Mapping[str, str]) -> ServicePrincipal | None:
    """The agent that asks, where it is one."""
    found = tenant.service_principal_for(form.get("client_id") or "") if tenant else None
    return found if found is not None and found.kind == AGENT else None


def stand_in(world: World, agent: ServicePrincipal) -> Application:
    """An agent has no registration: what one would say, as far as its blueprint says it."""
    blueprint = world.application(agent.blueprint_app_id or "")
    return Application(
        app_id=agent.client_id,
        display_name=agent.display_name,
        home_tenant_id=blueprint.home_tenant_id if blueprint else "",
        redirect_uris=blueprint.redirect_uris if blueprint else [],
        any_loopback_port=bool(blueprint and blueprint.any_loopback_port),
        required_access=blueprint.required_access if blueprint else [],
        publisher=blueprint.publisher if blueprint else None,
        verified=bool(blueprint and blueprint.verified),
        agent_of=agent.blueprint_app_id or "",
    )


# --- the first token: the blueprint vouches --------------------------------------------------------


def vouch(asked: Asked, blueprint: ServicePrincipal) -> dict[str, Any]:
    """An exchange token for the agent that `fmi_path` names, to a blueprint that proved who it is.

    Raises:
        Refusal: 7000112 the blueprint's principal is switched off; 70011 another scope; 700016 no such agent of it.
    """
    world, tenant, application = asked.world, asked.authority.tenant, asked.application
    if asked.field("scope") != f"{EXCHANGE}/.default":
        raise Refusal(70011, f"The scope of a request with 'fmi_path' must be '{EXCHANGE}/.default'.")
    agent = tenant.service_principal_for(asked.field("fmi_path"))
    if blueprint.kind != BLUEPRINT or agent is None or agent.blueprint_app_id != application.app_id:
        raise errors.no_application(asked.field("fmi_path"), tenant.name)
    now = world.clock.now()
    claims = tokens.times(now, EXCHANGE_LIFETIME) | {
        "aud": EXCHANGE,
        "iss": tokens.issuer(world, tenant.id),
        "tid": tenant.id,
        "azp": application.app_id,
        "oid": blueprint.id,
        "sub": agent.client_id,
        "idtyp": "app",
        "aio": tokens.exact(now),
        "uti": tokens.uti(),
        "ver": "2.0",
    }
    value = state.of(world).keys.sign(claims, v1=False)
    return bearer(tokens.Issued(value, EXCHANGE_LIFETIME - 1))


# --- what the agent then asks for ------------------------------------------------------------------


def redeem(asked: Asked, agent: ServicePrincipal) -> dict[str, Any]:
    """A token for an agent, by itself or for somebody. `asked.application` is its `stand_in`.

    Raises:
        Refusal: whatever breaks the chain, in the order in which it is built.
    """
    _check_chain(asked, agent)
    grant = GRANTS.get(asked.field("grant_type"))
    if grant is None:
        raise Refusal(70003, f"The app requested an unsupported grant type '{asked.form['grant_type']}'.")
    return grant(asked, agent)


def _check_chain(asked: Asked, agent: ServicePrincipal) -> None:
    tenant, application = asked.authority.tenant, asked.application
    if asked.form.get("client_assertion_type") != clients.ASSERTION_TYPE:
        raise errors.missing("client_assertion")
    _vouched(asked, asked.field("client_assertion"))
    blueprint = tenant.service_principal_for(application.agent_of)
    if blueprint is None:
        raise errors.no_principal(application.agent_of, tenant.id)
    for one in (blueprint, agent):
        if not one.enabled:
            raise errors.application_disabled(one.client_id, one.display_name)


def _vouched(asked: Asked, assertion: str) -> None:
    """Whether this is an exchange token for just this agent.

    Raises:
        Refusal: 700027 it is no token of ours, 700024 too old, 700023 for another agent.
    """
    claims, problem = tokens.examine(asked.world, assertion)
    if claims is None:
        raise Refusal(700027, "The client assertion failed signature validation. [Reason - The key was not found.]")
    if problem == "expired":
        raise Refusal(700024, "Client assertion is not within its valid time range.")
    tenant, application = asked.authority.tenant, asked.application
    meant = (claims["aud"], claims["tid"], claims.get("azp"), claims["sub"])
    if meant != (EXCHANGE, tenant.id, application.agent_of, application.app_id):
        raise Refusal(700023, "The client assertion was not made for this agent identity.", error="invalid_client")


def _by_itself(asked: Asked, agent: ServicePrincipal) -> dict[str, Any]:
    world, tenant = asked.world, asked.authority.tenant
    if asked.field("scope") == f"{EXCHANGE}/.default":
        return bearer(tokens.Issued(_second(asked, agent), EXCHANGE_LIFETIME - 1))
    wanted = scopes.read(world, asked.field("scope"), own_origin=asked.own_origin)
    resource = scopes.one_resource(wanted)
    if wanted.by_resource.get(resource) != [".default"] or wanted.oidc:
        raise Refusal(1002012, "Client credential flows must have a scope value with /.default suffixed.")
    issued = tokens.access_token_for_app(
        world,
        tenant,
        agent,
        asked.application,
        scopes.resource_principal(tenant, resource),
        capable=asked.capable,
        credential=clients.CERTIFICATE,
    )
    agent.last_sign_in = world.clock.now()
    return bearer(issued)


def _second(asked: Asked, agent: ServicePrincipal) -> str:
    """What an agent shows to act as its own account: an exchange token of its own."""
    world, now = asked.world, asked.world.clock.now()
    claims = tokens.times(now, EXCHANGE_LIFETIME) | {
        "aud": EXCHANGE,
        "iss": tokens.issuer(world, asked.authority.tenant.id),
        "tid": asked.authority.tenant.id,
        "azp": asked.application.app_id,
        "oid": agent.id,
        "sub": agent.id,
        "idtyp": "app",
        "aio": tokens.exact(now),
        "ver": "2.0",
    }
    return state.of(world).keys.sign(claims, v1=False)


def _on_behalf_of(asked: Asked, agent: ServicePrincipal) -> dict[str, Any]:
    """For a person whose token was made for the blueprint."""
    if asked.field("requested_token_use") != "on_behalf_of":
        raise Refusal(90023, "Invalid value for 'requested_token_use': it must be 'on_behalf_of'.")
    assertion, blueprint = asked.field("assertion"), asked.world.application(asked.application.agent_of)
    claims, _problem = tokens.examine(asked.world, assertion)
    handed_on = asked.identity.assertions.get(assertion)
    if claims is None or handed_on is None:
        raise Refusal(50013, "Assertion failed: the token was not issued to a user.")
    if blueprint is None or claims["aud"] not in (blueprint.app_id, *blueprint.identifier_uris):
        raise Refusal(500131, "Assertion audience does not match the blueprint of the agent identity presenting it.")
    family = replace(handed_on, app_id=agent.client_id, tenant_id=claims["tid"], nonce=None)
    return for_person(asked, asked.authority.tenant, family, asked.field("scope"), refreshing=True)


def _refresh(asked: Asked, agent: ServicePrincipal) -> dict[str, Any]:
    """Background work for a person: refresh tokens are given to agents too."""
    known = asked.identity.refresh_tokens.get(asked.field("refresh_token"))
    if known is None:
        raise Refusal(9002313, "Invalid request. Request is malformed or invalid.")
    if known.family.app_id != agent.client_id:
        raise Refusal(70000, "Provided grant is invalid or malformed. It was issued to a different client id.")
    answer = for_person(
        asked, asked.authority.tenant, known.family, asked.form.get("scope") or "openid", refreshing=True
    )
    known.last_used = asked.identity.now
    return answer


def _as_its_account(asked: Asked, agent: ServicePrincipal) -> dict[str, Any]:
    tenant = asked.authority.tenant
    shown, problem = tokens.examine(asked.world, asked.field("user_federated_identity_credential"))
    if shown is None or problem or (shown["aud"], shown.get("azp")) != (EXCHANGE, agent.client_id):
        raise Refusal(50013, "Assertion failed: the federated credential is not this agent's.")
    user = tenant.user(asked.field("username"))
    if user is None or user.agent_id != agent.id:
        raise errors.no_user(asked.field("username"), tenant.name)
    now = asked.identity.now
    family = Family(agent.client_id, tenant.id, tenant.id, user.id, now, tokens.uti())
    return for_person(asked, tenant, family, asked.field("scope"))


GRANTS = {
    "client_credentials": _by_itself,
    "refresh_token": _refresh,
    "user_fic": _as_its_account,
    JWT_BEARER: _on_behalf_of,
}
