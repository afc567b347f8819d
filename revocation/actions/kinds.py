"""Kinds of service principals: which of them a step is about, under which path Graph changes it, and what that needs.

Agents have permissions of their own, and blueprints' principals have theirs. Managed identities are refused before
(`rules.protection`). https://learn.microsoft.com/graph/api/agentidentity-update
"""

from uuid import UUID

from directory.models import ServicePrincipal
from graph.client import GRAPH_APP_ID
from graph.requesting import segment
from graph.sentences import gettext as _
from graph.types import AppKind
from revocation.models import RevocationStep
from revocation.steps import StepDraft

ENABLE_AGENTS = ("AgentIdentity.EnableDisable.All", "AgentIdentity.ReadWrite.All")
DELETE_AGENTS = ("AgentIdentity.DeleteRestore.All", "AgentIdentity.ReadWrite.All")
ENABLE_BLUEPRINTS = (
    "AgentIdentityBlueprintPrincipal.EnableDisable.All",
    "AgentIdentityBlueprintPrincipal.ReadWrite.All",
)
DELETE_BLUEPRINTS = (
    "AgentIdentityBlueprintPrincipal.DeleteRestore.All",
    "AgentIdentityBlueprintPrincipal.ReadWrite.All",
)
# Whoever holds one of these has their permissions for agents ignored:
# https://learn.microsoft.com/graph/api/agentidentity-delete
SPOILING = frozenset({"Directory.ReadWrite.All", "Directory.AccessAsUser.All"})
_OWN = (AppKind.AGENT, AppKind.BLUEPRINT)
# What manages apps manages who is assigned to them, and what one app may do at another: all but at Microsoft Graph.
# https://learn.microsoft.com/graph/permissions-reference#applicationreadwriteall
ASSIGN = ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All")
ASSIGN_OF_GRAPH = ("AppRoleAssignment.ReadWrite.All",)


def of(app: ServicePrincipal) -> dict:
    """What a step keeps of its target's kind: nothing for an ordinary app."""
    return {"kind": str(app.kind)} if app.kind in _OWN else {}


def _kind(step: StepDraft | RevocationStep) -> str:
    return (step.params or {}).get("kind", "")


def to_enable(step: StepDraft | RevocationStep, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    """What disabling and enabling this one needs."""
    return {AppKind.AGENT: ENABLE_AGENTS, AppKind.BLUEPRINT: ENABLE_BLUEPRINTS}.get(_kind(step), otherwise)


def to_delete(step: StepDraft | RevocationStep, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    """What deleting and restoring this one needs."""
    return {AppKind.AGENT: DELETE_AGENTS, AppKind.BLUEPRINT: DELETE_BLUEPRINTS}.get(_kind(step), otherwise)


def spoilt(step: RevocationStep) -> str:
    """Why Microsoft refuses a portal that has the permission for agents; empty where that is not the reason."""
    held = sorted(SPOILING & set(step.tenant.granted_permissions))
    if _kind(step) not in _OWN or not held:
        return ""
    return _(
        "Microsoft refused: it ignores permissions for agents where the portal also has %(permission)s. Nothing was"
        " changed. An administrator can take that permission from the portal."
    ) % {"permission": held[0]}


def of_resource(app_id: UUID | None) -> dict:
    """What a step keeps of the app an assignment is to: nothing, unless it is Microsoft Graph."""
    return {"of_graph": True} if app_id == GRAPH_APP_ID else {}


def to_assign(step: StepDraft | RevocationStep) -> tuple[str, ...]:
    return ASSIGN_OF_GRAPH if (step.params or {}).get("of_graph") else ASSIGN


def path(step: RevocationStep) -> str:
    """Where Graph changes it. The permission table has agents and blueprints under their own types only."""
    cast = f"microsoft.graph.{_kind(step)}/" if _kind(step) in _OWN else ""
    return f"/servicePrincipals/{cast}{segment(step.target_id)}"
