"""What runs a blueprint's agents: it vouches for each, and lets it ask for tokens by itself and for people.

https://learn.microsoft.com/entra/agent-id/identity-platform/agent-autonomous-app-oauth-flow
https://learn.microsoft.com/entra/agent-id/identity-platform/agent-on-behalf-of-oauth-flow
"""

from __future__ import annotations

from typing import Any

from sandbox.held_tokens import MOST, ClientApp, Connection
from sandbox.identity import agents, clients, redemption

BY_ITSELF = "https://graph.microsoft.com/.default"


class AgentApp(ClientApp):
    """The agents of one blueprint in every tenant, each with the people it acts for."""

    def _begin(self) -> None:
        self._agents: dict[str, str] = {}  # by connection: the agent's client id
        for tenant in self.world.tenants.values():
            for agent in tenant.agents_of(self.application.app_id):
                self._connect(f"{tenant.id}/{agent.id}", agent.client_id, tenant.id, agent.id, agent.display_name)
                for grant in tenant.grants_of_client(agent.id):
                    user = tenant.users.get(grant.principal_id or "")
                    key = f"{tenant.id}/{agent.id}/{grant.principal_id}"
                    if user is None or "offline_access" not in grant.scopes or len(self.connections) >= MOST:
                        continue
                    name = f"{agent.display_name}, for {user.display_name}"
                    token = self.earlier_token(tenant, user, agent.client_id, agent.created)
                    self._connect(key, agent.client_id, tenant.id, user.id, name, user.upn, token)

    def _connect(
        self, key: str, client_id: str, tenant_id: str, holder_id: str, name: str, upn: str = "", token: str = ""
    ) -> None:
        """Without a person's refresh token it is the agent by itself, whose blueprint's word is all it needs."""
        self.connections[key] = Connection(tenant_id, holder_id, name, upn or "by itself", token or BY_ITSELF)
        self._agents[key] = client_id

    def ask(self, connection: Connection) -> dict[str, Any]:
        """First the blueprint's exchange token, then with it what the agent wants."""
        key = next(name for name, one in self.connections.items() if one is connection)
        agent_id = self._agents[key]
        vouching = {
            "grant_type": "client_credentials",
            "scope": f"{agents.EXCHANGE}/.default",
            "fmi_path": agent_id,
        }
        exchange = self.redeem(connection.tenant_id, vouching)["access_token"]
        own = {
            "client_id": agent_id,
            "client_assertion_type": clients.ASSERTION_TYPE,
            "client_assertion": exchange,
        }
        if connection.refresh_token == BY_ITSELF:
            own |= {"grant_type": "client_credentials", "scope": BY_ITSELF}
            return redemption.redeem(self.world, connection.tenant_id, own) | {"scope": BY_ITSELF}
        own |= {"grant_type": "refresh_token", "refresh_token": connection.refresh_token, "scope": BY_ITSELF}
        return redemption.redeem(self.world, connection.tenant_id, own)
