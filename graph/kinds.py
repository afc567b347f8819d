"""What a service principal is, by the type Graph names and by what marks the older agents."""

from enum import StrEnum
from functools import lru_cache
from uuid import UUID


class AppKind(StrEnum):
    """What a service principal is. New kinds keep coming, so `ServicePrincipal.kind` may be another word."""

    APPLICATION = "Application"
    MANAGED_IDENTITY = "ManagedIdentity"  # an Azure resource's own: can be neither disabled nor deleted here
    LEGACY = "Legacy"
    AGENT = "agentIdentity"
    BLUEPRINT = "agentIdentityBlueprintPrincipal"  # what a tenant's agents of one make descend from
    OLDER_AGENT = "olderAgent"  # a plain app, made for an agent before agents had identities of their own: our word


id_of_app = lru_cache(maxsize=20_000)(UUID)  # grants name the same apps again and again, and reading an id takes long


def type_of(data: dict) -> str:
    """A row's own type, which Graph names where it is not the list's: `#microsoft.graph.agentIdentity`."""
    return str(data.get("@odata.type") or "").rpartition(".")[2]


def kind_of(data: dict) -> str:
    named, stated = type_of(data), data.get("servicePrincipalType") or ""
    if named in (AppKind.AGENT, AppKind.BLUEPRINT):
        return named
    if stated == "ServiceIdentity":
        return AppKind.AGENT.value
    plain = stated in ("", AppKind.APPLICATION)
    return AppKind.OLDER_AGENT.value if plain and any(_of_an_agent(tag) for tag in data.get("tags") or ()) else stated


def _of_an_agent(tag: str) -> bool:
    """https://learn.microsoft.com/entra/agent-id/migrate-copilot-studio-agents-to-agent-id"""
    return tag in ("AgenticApp", "AgenticInstance", "AIAgentBuilder") or tag.startswith(
        ("AgentCreatedBy:", "power-virtual-agents-")
    )
