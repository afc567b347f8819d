"""Kinds of service principals: which of them a step is about, under which path Graph changes it, and what that needs.

Agents have permissions of their own; a blueprint's principal is changed like an app. Managed identities are refused
before (`rules.protection`). https://learn.microsoft.com/graph/api/agentidentity-update
"""

from uuid import UUID

from directory.models import ServicePrincipal
from graph.client import GRAPH_APP_ID
from graph.requesting import segment
from graph.types import AppKind
from revocation.models import RevocationStep
from revocation.steps import StepDraft

ENABLE_AGENTS = ("AgentIdentity.EnableDisable.All", "AgentIdentity.ReadWrite.All")
DELETE_AGENTS = ("AgentIdentity.DeleteRestore.All", "AgentIdentity.ReadWrite.All")
# What manages apps manages who is assigned to them, and what one app may do at another: all but at Microsoft Graph.
# https://learn.microsoft.com/graph/permissions-reference#applicationreadwriteall
ASSIGN = ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All")
ASSIGN_OF_GRAPH = ("AppRoleAssignment.ReadWrite.All",)


def of(app: ServicePrincipal) -> dict:
    """What a step keeps of its target's kind: nothing for an ordinary app."""
    return {"kind": str(app.kind)} if app.kind in (AppKind.AGENT, AppKind.BLUEPRINT) else {}


def is_agent(step: StepDraft | RevocationStep) -> bool:
    return (step.params or {}).get("kind") == AppKind.AGENT


def of_resource(app_id: UUID | None) -> dict:
    """What a step keeps of the app an assignment is to: nothing, unless it is Microsoft Graph."""
    return {"of_graph": True} if app_id == GRAPH_APP_ID else {}


def to_assign(step: StepDraft | RevocationStep) -> tuple[str, ...]:
    return ASSIGN_OF_GRAPH if (step.params or {}).get("of_graph") else ASSIGN


def path(step: RevocationStep) -> str:
    """Where Graph changes it. The permission table has agents under their own type only."""
    cast = "microsoft.graph.agentIdentity/" if is_agent(step) else ""
    return f"/servicePrincipals/{cast}{segment(step.target_id)}"
