"""Who is asking, read from the access token, and what that lets them do."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.graph_api.access import Access
from sandbox.graph_api.errors import Refused, forbidden
from sandbox.identity.tokens import examine
from sandbox.objects import GRAPH_APP_ID, ROLE_IDS, Initiator
from sandbox.tenant import Tenant
from sandbox.world import World

REALM = (
    'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    f'client_id="{GRAPH_APP_ID}"'
)
REMEMBERED = 8192
GLOBAL_ADMINISTRATOR = ROLE_IDS["Global Administrator"]


@dataclass(slots=True, frozen=True)
class Caller(Initiator):
    """Somebody with a token. `permissions` are the app roles of an app by itself, else the delegated scopes."""

    tenant: Tenant
    permissions: frozenset[str]
    directory_roles: frozenset[str]
    challengeable: bool  # said `cp1`: understands a claims challenge
    issued_at: datetime

    def has(self, *permissions: str) -> bool:
        return not self.permissions.isdisjoint(permissions)

    def holds(self, wanted: frozenset[str]) -> bool:
        return GLOBAL_ADMINISTRATOR in self.directory_roles or not self.directory_roles.isdisjoint(wanted)

    def check(self, access: Access, values: list[str]) -> None:
        """Refuse what the token does not allow. `values` are the keys in the address.

        Raises:
            Refused: 403, or 400 for `/me` without a person.
        """
        if self.app_only:
            if access.me:
                raise Refused(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
            if self.permissions.isdisjoint(access.app) and not self._is_itself(access, values):
                raise forbidden()
            return
        held = self.permissions & access.delegated
        if held & access.own and self._is_own(values[0]):
            return
        if held <= access.own or not (access.roles is None or self.holds(access.roles)):
            raise forbidden()

    def _is_own(self, key: str) -> bool:
        person = self.tenant.user(key)
        return person is not None and person.id == self.object_id

    def _is_itself(self, access: Access, values: list[str]) -> bool:
        """An app by itself may read its own service principal without any permission.

        https://learn.microsoft.com/graph/api/serviceprincipal-get
        """
        return access.itself and values[0].lower() in (self.object_id, self.app_id)


class Callers:
    """Reads tokens, and remembers those it has read."""

    def __init__(self, world: World):
        self._world = world
        self._known: dict[str, Caller] = {}

    def forget(self) -> None:
        self._known.clear()

    def identify(self, authorization: str | None) -> Caller:
        """The caller behind an Authorization header.

        Raises:
            Refused: 401, with a challenge where Entra would send one; 403 for an app unknown in the tenant.
        """
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise unauthorized("Access token is empty.")
        claims, problem = examine(self._world, token)
        if problem == "expired":
            raise unauthorized("Lifetime validation failed, the token is expired.")
        if problem or claims is None:
            if token.count(".") != 2:
                raise unauthorized("CompactToken parsing failed with error code: 80049217")
            raise unauthorized("Access token validation failure.")
        graph = self._world.cloud.graph_audience
        if claims.get("aud") not in (GRAPH_APP_ID, graph, f"{graph}/"):
            raise unauthorized("Access token validation failure. Invalid audience.")
        caller = self._known.get(token) or self._remember(token, claims)
        if caller.app_only and caller.tenant.service_principal_for(caller.app_id) is None:
            message = "The identity of the calling application could not be established."
            raise Refused(403, "Authorization_IdentityNotFound", message)
        if caller.challengeable:
            self._check_still_welcome(caller)
        return caller

    def _remember(self, token: str, claims: dict[str, Any]) -> Caller:
        tenant = self._world.tenant(claims["tid"])
        if tenant is None:
            raise unauthorized("Access token validation failure.")
        app_only = claims.get("idtyp") == "app" or "scp" not in claims
        caller = Caller(
            tenant=tenant,
            app_id=claims.get("appid") or claims.get("azp") or "",
            app_only=app_only,
            object_id=claims.get("oid", ""),
            permissions=frozenset(claims.get("roles", ()) if app_only else claims["scp"].split()),
            directory_roles=frozenset(claims.get("wids", ())),
            challengeable="cp1" in [one.lower() for one in claims.get("xms_cc", ())],
            issued_at=claims["issued_at"],
            name=claims.get("app_displayname") or claims.get("name") or "",
        )
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[token] = caller
        return caller

    def _check_still_welcome(self, caller: Caller) -> None:
        """Continuous access evaluation: tokens of capable clients stop working when what they stand on changes."""
        if caller.app_only:
            principal = caller.tenant.service_principal_for(caller.app_id)
            if principal is not None and not principal.enabled:
                raise challenge(self._world.clock.now(), "ServicePrincipalDisabled")
            return
        user = caller.tenant.users.get(caller.object_id)
        if user is not None and user.external:
            home = self._world.tenants.get(user.home_tenant_id or "")
            at_home = home.users.get(user.home_user_id or "") if home else None
            user = user if at_home is None or not user.enabled else at_home
        if user is None or not user.enabled:
            raise challenge(self._world.clock.now(), "UserDisabledOrDeleted")
        if caller.issued_at < user.valid_from:
            raise challenge(user.valid_from, "TokenIssuedBeforeRevocationTimestamp")


def unauthorized(message: str) -> Refused:
    return Refused(401, message=message, headers={"WWW-Authenticate": REALM})


def challenge(not_before: datetime, reason: str) -> Refused:
    """https://learn.microsoft.com/entra/identity-platform/claims-challenge"""
    wanted = {"access_token": {"nbf": {"essential": True, "value": str(int(not_before.timestamp()))}}}
    claims = base64.b64encode(json.dumps(wanted, separators=(",", ":")).encode()).decode()
    message = f"Continuous access evaluation resulted in challenge with result: InteractionRequired and code: {reason}"
    header = f'{REALM}, error="insufficient_claims", claims="{claims}"'
    return Refused(401, message=message, headers={"WWW-Authenticate": header})
