"""Kinds of service principals: which of them a step is about, under which path Graph changes it, and what that needs.

Agents have permissions of their own; a blueprint's principal is changed like an app. Managed identities are refused
before (`rules.protection`). https://learn.microsoft.com/graph/api/agentidentity-update
"""

from directory.models import ServicePrincipal
from graph.requesting import segment
from graph.types import AppKind
from revocation.models import RevocationStep

ENABLE_AGENTS = "AgentIdentity.EnableDisable.All"
DELETE_AGENTS = "AgentIdentity.DeleteRestore.All"


def of(app: ServicePrincipal) -> dict:
    """What a step keeps of its target's kind: nothing for an ordinary app."""
    return {"kind": str(app.kind)} if app.kind in (AppKind.AGENT, AppKind.BLUEPRINT) else {}


def is_agent(step: RevocationStep) -> bool:
    return (step.params or {}).get("kind") == AppKind.AGENT


def path(step: RevocationStep) -> str:
    """Where Graph changes it. The permission table has agents under their own type only."""
    cast = "microsoft.graph.agentIdentity/" if is_agent(step) else ""
    return f"/servicePrincipals/{cast}{segment(step.target_id)}"
