"""Take someone's assignment to an app away, or an application permission from an app.

https://learn.microsoft.com/graph/api/serviceprincipal-delete-approleassignedto
"""

from django.utils.translation import gettext_lazy

from directory import sync
from directory.models import AppRoleAssignment
from graph.client import GRAPH_APP_ID
from graph.requesting import segment
from graph.types import Call
from revocation.actions import create_assignment, kinds
from revocation.actions.base import Action, Hit, gone, gone_already
from revocation.steps import StepDraft


def image(assignment: AppRoleAssignment) -> dict:
    return {
        "resource_id": str(assignment.resource_id),
        "principal_id": str(assignment.principal_id),
        "principal_type": assignment.principal_type,
        "principal_name": assignment.principal_name,
        "app_role_id": str(assignment.app_role_id),
    }


def step(assignment: AppRoleAssignment, *, label: str = "", urgency: int = 50) -> StepDraft:
    """Take this assignment away."""
    return StepDraft(
        action=DeleteAssignment.name,
        target_type=DeleteAssignment.target_type,
        target_id=assignment.graph_id,
        target_label=label or assignment.principal_name,
        params={"resource_id": str(assignment.resource_id)} | kinds.of_resource(assignment.resource.app_id),
        before=image(assignment),
        urgency=urgency,
    )


class DeleteAssignment(Action):
    name = "delete_assignment"
    label = gettext_lazy("Take an assignment away")
    shown = gettext_lazy("The directory no longer shows the assignment")
    meaning = gettext_lazy("Whoever was assigned gets no new access to the app")
    ends_access = True
    target_type = "assignment"
    needs = kinds.ASSIGN

    def needs_of(self, step):
        return kinds.to_assign(step)

    def hits(self, step):
        """Who is in a group is not asked: it may be anybody. An app's own permission is no person's."""
        before = step.before or {}
        if before.get("principal_type") == "User":
            return Hit(before["principal_id"])
        return Hit(everyone=before.get("principal_type") != "ServicePrincipal")

    def _path(self, step) -> str:
        # By way of the resource: the form Microsoft recommends, and the only one that serves every kind of principal.
        resource = segment(step.params["resource_id"])
        return f"/servicePrincipals/{resource}/appRoleAssignedTo/{segment(step.target_id)}"

    def call(self, step):
        return Call("DELETE", self._path(step))

    def missing(self, step, error):
        return gone_already(error)

    def proof(self, step):
        return Call("GET", self._path(step))

    def proved(self, step, answer):
        return gone(answer)

    def undo(self, step):
        if not step.before or step.outcome_code == "gone_already":
            return None
        graph = GRAPH_APP_ID if step.params.get("of_graph") else None
        return create_assignment.step(step.before, label=step.target_label, resource_app_id=graph)

    def applied(self, steps):
        for step in steps:
            sync.forget_assignment(step.tenant, step.target_id)
