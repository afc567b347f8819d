"""What an app holds: the refresh tokens of the people who allowed it, and how its last try with each went."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt

from sandbox.identity import redemption, state
from sandbox.identity.errors import Refusal
from sandbox.identity.state import Family
from sandbox.objects import GRAPH_APP_ID, Application, User
from sandbox.tenant import Tenant
from sandbox.world import World

MOST = 200  # connections an app is given when the world begins


@dataclass
class Connection:
    """One person an app is signed in as: the tokens it keeps, and how its last try went."""

    tenant_id: str
    user_id: str
    name: str
    upn: str
    refresh_token: str
    held_until: datetime | None = None
    access_token: str = ""
    scope: str = ""
    refreshed: datetime | None = None
    tried: datetime | None = None
    error: str = ""
    code: str = ""


class ClientApp:
    """One app's own memory."""

    def __init__(self, world: World, application: Application):
        self.world, self.application = world, application
        self.connections: dict[str, Connection] = {}  # by tenant and user
        self.pending: dict[str, str] = {}  # state of a sign-in under way: nonce
        self._begin()

    def _begin(self) -> None:
        """Remember the people who allowed this app before the world began, as a real app would."""
        for tenant in self.world.tenants.values():
            client = tenant.service_principal_for(self.application.app_id)
            if client is None:
                continue
            for grant in tenant.grants_of_client(client.id):
                user = tenant.users.get(grant.principal_id or "")
                if user is None or "offline_access" not in grant.scopes or len(self.connections) >= MOST:
                    continue
                key = f"{tenant.id}/{user.id}"
                if key in self.connections:
                    continue
                token = self.earlier_token(tenant, user, self.application.app_id, client.created)
                self.connections[key] = Connection(tenant.id, user.id, user.display_name, user.upn, token)

    def earlier_token(self, tenant: Tenant, user: User, client_id: str, since: datetime) -> str:
        """A refresh token from a sign-in before the world began."""
        signed_in_at = max(user.valid_from, since) + timedelta(seconds=1)
        family = Family(
            app_id=client_id,
            tenant_id=tenant.id,
            home_tenant_id=user.home_tenant_id or tenant.id,
            home_user_id=user.home_user_id or user.id,
            signed_in_at=min(signed_in_at, self.world.clock.now()),
            sid=secrets.token_hex(16),
        )
        return state.of(self.world).issue_refresh_token(family)

    @property
    def scope(self) -> str:
        wanted = self.application.wanted(GRAPH_APP_ID).scopes
        return " ".join(dict.fromkeys([*wanted, "openid", "profile"]))

    @property
    def credential(self) -> dict[str, str]:
        found = {"client_id": self.application.app_id}
        return found | ({"client_secret": self.application.secrets[0]} if self.application.secrets else {})

    def redeem(self, tenant: str, form: dict[str, str]) -> dict[str, Any]:
        return redemption.redeem(self.world, tenant, form | self.credential)

    def refresh(self, connection: Connection) -> None:
        """Use a refresh token. What comes back, tokens or a refusal, is kept and shown; the token held before stays."""
        if not connection.refresh_token:
            return  # an app that works only while its person is there has none
        now = connection.tried = self.world.clock.now()
        try:
            answer = self.ask(connection)
        except Refusal as refusal:
            connection.error, connection.code = str(refusal), f"AADSTS{refusal.code}"
            return
        self._keep(connection, answer, now)

    def ask(self, connection: Connection) -> dict[str, Any]:
        """
        Raises:
            Refusal: the app gets nothing new.
        """
        form = {"grant_type": "refresh_token", "refresh_token": connection.refresh_token, "scope": self.scope}
        return self.redeem(connection.tenant_id, form)

    def _keep(self, connection: Connection, answer: dict[str, Any], now: datetime) -> None:
        connection.refresh_token = answer.get("refresh_token", connection.refresh_token)
        connection.access_token, connection.scope = answer["access_token"], answer["scope"]
        connection.held_until = now + timedelta(seconds=answer["expires_in"])
        connection.refreshed = connection.tried = now
        connection.error = connection.code = ""

    def connected(self, answer: dict[str, Any], nonce: str) -> None:
        """A sign-in came back. The ID token came straight from the token endpoint, which is why it is believed.

        Raises:
            ValueError: it answers another sign-in.
        """
        claims = jwt.decode(answer["id_token"], options={"verify_signature": False})
        if claims.get("nonce") != nonce or claims["aud"] != self.application.app_id:
            raise ValueError("The answer belongs to another sign-in.")
        key = f"{claims['tid']}/{claims['oid']}"
        connection = Connection(claims["tid"], claims["oid"], claims["name"], claims["preferred_username"], "")
        self.connections[key] = connection
        self._keep(connection, answer, self.world.clock.now())

    def find(self, user: str) -> list[Connection]:
        """Connections of one person, by object id or sign-in name; all without one."""
        return [one for one in self.connections.values() if not user or user.lower() in (one.user_id, one.upn.lower())]
