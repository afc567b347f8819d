"""The tokens Entra hands out: what they claim, how long they last, and reading them back.

Tokens for Microsoft Graph have the v1 shape, those for other APIs the v2 shape.
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

from __future__ import annotations

import base64
import hashlib
import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.identity import people, state
from sandbox.identity.keys import InvalidToken, base64url
from sandbox.identity.state import Family
from sandbox.objects import AZURE_APP_ID, GRAPH_APP_ID, Application, ServicePrincipal, User
from sandbox.world import Tenant, World

ID_TOKEN_LIFETIME = 3600
APP_ONLY_LIFETIME = 3600
REVOCABLE_LIFETIME = 86400  # for clients that say they understand a claims challenge
GROUPS_LIMIT = 200
_random = random.Random()


@dataclass(frozen=True)
class Issued:
    value: str
    expires_in: int


def access_token_for_user(
    world: World,
    tenant: Tenant,
    user: User,
    family: Family,
    application: Application,
    resource: ServicePrincipal,
    scopes: list[str],
    *,
    capable: bool,
    credential: str = "1",
) -> Issued:
    """A delegated token. `capable`: the client can answer a claims challenge, so the token lasts a day."""
    lifetime = REVOCABLE_LIFETIME if capable else _random.randint(3600, 5400)
    own = {
        "idtyp": "user",
        "oid": user.id,
        "sub": pairwise(family.home_user_id, resource.app_id),
        "name": user.display_name,
        "scp": " ".join(scopes),
        "sid": family.sid,
        "xms_st": {"sub": pairwise(family.home_user_id, application.app_id)},  # as in the client's ID tokens
    }
    if user.agent_id:
        own["xms_sub_fct"] = "13"
    if resource.app_id in (GRAPH_APP_ID, AZURE_APP_ID):
        own |= {"upn": user.upn, "unique_name": user.upn, "acct": int(user.guest)}
        own["wids"] = tenant.directory_roles_of(user.id)
        if user.given_name:
            own |= {"given_name": user.given_name, "family_name": user.surname or ""}
    else:
        own["preferred_username"] = user.upn
        if roles := tenant.roles_of(user.id, resource.id):
            own["roles"] = roles
    return _access_token(world, tenant, application, resource, own, lifetime, capable, credential)


def access_token_for_app(
    world: World,
    tenant: Tenant,
    client: ServicePrincipal,
    application: Application,
    resource: ServicePrincipal,
    *,
    capable: bool,
    credential: str,
) -> Issued:
    """An app-only token, with every role granted. One without roles is issued too, and opens nothing."""
    own: dict[str, Any] = {"idtyp": "app", "oid": client.id, "sub": client.id}
    if application.agent_of:
        own["xms_sub_fct"] = "11"
    if roles := tenant.roles_of(client.id, resource.id):
        own["roles"] = roles
    lifetime = REVOCABLE_LIFETIME if capable else APP_ONLY_LIFETIME
    return _access_token(world, tenant, application, resource, own, lifetime, capable, credential)


def _access_token(
    world: World,
    tenant: Tenant,
    application: Application,
    resource: ServicePrincipal,
    own: dict[str, Any],
    lifetime: int,
    capable: bool,
    credential: str,
) -> Issued:
    now = world.clock.now()
    audience = {GRAPH_APP_ID: world.cloud.graph_audience, AZURE_APP_ID: world.cloud.azure_audience}.get(resource.app_id)
    v1 = audience is not None
    claims = times(now, lifetime) | {"tid": tenant.id, "uti": uti(), "rh": "0.A" + uti(), "aio": exact(now)} | own
    if v1:
        claims |= {
            "aud": audience,
            "iss": people.sts(world, tenant.id),
            "ver": "1.0",
            "appid": application.app_id,
            "appidacr": credential,
            "app_displayname": application.display_name,
        }
    else:
        claims |= {
            "aud": resource.app_id,
            "iss": issuer(world, tenant.id),
            "ver": "2.0",
            "azp": application.app_id,
            "azpacr": credential,
        }
    if application.agent_of:  # https://learn.microsoft.com/entra/agent-id/identity-platform/agent-token-claims
        claims |= {"xms_par_app_azp": application.agent_of, "xms_act_fct": "11"}
    if capable:
        claims["xms_cc"] = ["CP1"]
    identity = state.of(world)
    if resource.app_id == GRAPH_APP_ID and identity.switches.opaque_graph_tokens:
        return Issued(identity.issue_opaque_token(claims), lifetime - 1)
    return Issued(identity.keys.sign(claims, v1=v1), lifetime - 1)


def id_token(
    world: World, tenant: Tenant, user: User, family: Family, application: Application, oidc: list[str]
) -> str:
    """An ID token in the v2 shape. Roles and names are read from the directory each time one is made."""
    now = world.clock.now()
    wanted = family.wanted.union(application.optional_claims.get("idToken", ()))
    account = people.Account(family.home_tenant_id, family.home_user_id, "", "", "")
    claims: dict[str, Any] = times(now, ID_TOKEN_LIFETIME) | {
        "ver": "2.0",
        "iss": issuer(world, tenant.id),
        "aud": application.app_id,
        "sub": pairwise(family.home_user_id, application.app_id),
        "uti": uti(),
        "rh": "1.A" + uti(),
    }
    if "profile" in oidc:
        claims |= {"tid": tenant.id, "oid": user.id, "name": user.display_name, "preferred_username": user.upn}
    if user.mail and (user.guest or "email" in oidc or "email" in wanted):
        claims["email"] = user.mail
    if family.nonce:
        claims["nonce"] = family.nonce
    federated = state.of(world).switches.federated.get(family.home_tenant_id)
    if federated or user.external:
        claims["idp"] = federated or people.sts(world, family.home_tenant_id)
    if "sid" in wanted:
        claims["sid"] = family.sid
    if "auth_time" in wanted:
        claims["auth_time"] = int(family.signed_in_at.timestamp())
    if "login_hint" in wanted:
        claims["login_hint"] = people.login_hint(account)
    if "acct" in wanted:
        claims["acct"] = int(user.guest)
    if "upn" in wanted:
        claims["upn"] = user.upn
    if family.acrs:
        claims["acrs"] = list(family.acrs)
    return state.of(world).keys.sign(claims | _memberships(tenant, user, application))


def first_id_token(world: World, tenant: Tenant, user: User, family: Family, application: Application) -> str:
    """An ID token of the first version: everything is in it without being asked for.

    https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
    """
    claims: dict[str, Any] = times(world.clock.now(), ID_TOKEN_LIFETIME) | {
        "ver": "1.0",
        "iss": people.sts(world, tenant.id),
        "aud": application.app_id,
        "sub": pairwise(family.home_user_id, application.app_id),
        "tid": tenant.id,
        "oid": user.id,
        "name": user.display_name,
        "unique_name": user.upn,
        "upn": user.upn,
        "amr": ["pwd"],
        "uti": uti(),
    }
    if user.given_name:
        claims |= {"given_name": user.given_name, "family_name": user.surname or ""}
    if family.nonce:
        claims["nonce"] = family.nonce
    if user.guest:
        claims["idp"] = people.sts(world, family.home_tenant_id)
    return state.of(world).keys.sign(claims | _memberships(tenant, user, application), v1=True)


def _memberships(tenant: Tenant, user: User, application: Application) -> dict[str, Any]:
    found: dict[str, Any] = {}
    principal = tenant.service_principal_for(application.app_id)
    if principal and (roles := tenant.roles_of(user.id, principal.id)):
        found["roles"] = roles
    asked = (application.group_membership_claims or "").split(",")
    if {"DirectoryRole", "All"} & {one.strip() for one in asked}:
        # Everybody has the role "User" in a tenant, and guests the guest's, under these fixed ids.
        plain = "10dae51f-b6af-4016-8d66-8c2a99b929b3" if user.guest else "b79fbf4d-3ef9-4689-8143-76b194e85509"
        found["wids"] = [*tenant.directory_roles_of(user.id), plain]
    if {"SecurityGroup", "All"} & {one.strip() for one in asked}:
        groups = [group.id for group in tenant.groups_of(user.id, transitive=True)]
        if len(groups) > GROUPS_LIMIT:
            endpoint = f"https://graph.windows.net/{tenant.id}/users/{user.id}/getMemberObjects"
            found |= {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": endpoint}}}
        elif groups:
            found["groups"] = groups
    return found


def client_info(family: Family) -> str:
    """Home ids, for a guest too: MSAL makes its account key of them."""
    raw = f'{{"uid":"{family.home_user_id}","utid":"{family.home_tenant_id}"}}'
    return base64url(raw.encode())


def read_access_token(world: World, value: str) -> dict[str, Any] | None:
    """The claims of an access token this sandbox issued and whose time has not run out; otherwise None.

    Beside the claims on the wire there is `issued_at`, a datetime: `iat` counts whole seconds, too coarse to tell
    whether a token is older than a revocation. ID tokens are not access tokens, and None as well.
    """
    claims, why = examine(world, value)
    return None if why else claims


def examine(world: World, value: str) -> tuple[dict[str, Any] | None, str | None]:
    """The claims, and what is wrong with the token: "malformed" (not ours, or an ID token), "expired" or None."""
    identity = state.of(world)
    try:
        claims = identity.opaque_tokens.get(value) or identity.keys.decode(value)
    except InvalidToken:
        return None, "malformed"
    if "idtyp" not in claims:
        return None, "malformed"
    if "issued_at" not in claims:  # `decode` keeps the dict by token, so this happens once
        claims["issued_at"] = _exactly(claims)
    if claims["exp"] <= world.clock.now().timestamp():
        return claims, "expired"
    return claims, None


def exact(now: datetime) -> str:
    """The moment of issue to the microsecond, where Entra keeps opaque text of its own."""
    return base64url(b"E2" + int(now.timestamp() * 1_000_000).to_bytes(8, "big"))


def _exactly(claims: dict[str, Any]) -> datetime:
    try:
        raw = base64.urlsafe_b64decode(claims["aio"] + "==")
        return datetime.fromtimestamp(int.from_bytes(raw[2:], "big") / 1_000_000, UTC)
    except (KeyError, ValueError, OverflowError):
        return datetime.fromtimestamp(claims["iat"], UTC)


def times(now: datetime, lifetime: int) -> dict[str, int]:
    issued = int(now.timestamp())
    return {"iat": issued, "nbf": issued, "exp": issued + lifetime}


def issuer(world: World, tenant_id: str) -> str:
    return f"https://{world.cloud.login}/{tenant_id}/v2.0"


def pairwise(user_id: str, app_id: str) -> str:
    return base64url(hashlib.sha256(f"{user_id}/{app_id}".encode()).digest())


def uti() -> str:
    return base64url(uuid.uuid4().bytes)
