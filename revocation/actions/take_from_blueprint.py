"""Take a permission from an agent blueprint: every agent made from it loses it with its next token.

What the blueprint's principal holds for everybody its agents inherit, so that one change reaches all of them, those
that are still to be made too. Undoing puts back just what was taken.

https://learn.microsoft.com/graph/api/oauth2permissiongrant-update
https://learn.microsoft.com/graph/api/serviceprincipal-delete-approleassignedto
"""

from dataclasses import replace

from django.utils.translation import gettext_lazy

from directory.models import AppRoleAssignment
from graph.types import Grant
from revocation.actions import delete_assignment, delete_grant
from revocation.actions.delete_assignment import DeleteAssignment
from revocation.actions.narrow_grant import NarrowGrant
from revocation.steps import StepDraft


def scope_step(grant: Grant, scope: str, *, label: str = "", urgency: int = 40) -> StepDraft:
    """Take this scope out of what the blueprint's principal holds for everybody. A grant of nothing goes."""
    return StepDraft(
        action=TakeBlueprintScope.name,
        target_type=TakeBlueprintScope.target_type,
        target_id=grant.id,
        target_label=label,
        params={"remove": [scope]},
        before=delete_grant.image(grant),
        urgency=urgency,
    )


def role_step(assignment: AppRoleAssignment, *, label: str = "", urgency: int = 40) -> StepDraft:
    """Take this application permission from the blueprint's principal."""
    draft = delete_assignment.step(assignment, label=label, urgency=urgency)
    return replace(draft, action=TakeBlueprintRole.name)


class TakeBlueprintScope(NarrowGrant):
    name = "take_blueprint_scope"
    label = gettext_lazy("Take a permission from the blueprint")
    shown = gettext_lazy("The directory no longer shows the permission on the blueprint")
    meaning = gettext_lazy("No agent made from it can get anything new with it")


class TakeBlueprintRole(DeleteAssignment):
    name = "take_blueprint_role"
    label = gettext_lazy("Take an app-only permission from the blueprint")
    shown = gettext_lazy("The directory no longer shows the permission on the blueprint")
    meaning = gettext_lazy("No agent made from it can get anything new with it")
