"""Delete a service principal. It goes to the recycle bin, from where it can be restored for 30 days.

https://learn.microsoft.com/graph/api/serviceprincipal-delete
"""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy

from directory import sync
from directory.models import AppRoleAssignment, PermissionGrant, ServicePrincipal
from graph.requesting import segment
from graph.types import Call
from revocation.actions import delete_assignment, delete_grant, kinds, restore_app
from revocation.actions.base import Action, Hit, gone, gone_already
from revocation.steps import StepDraft


def step(
    app: ServicePrincipal,
    *,
    grants: Iterable[PermissionGrant] = (),
    assignments: Iterable[AppRoleAssignment] = (),
    urgency: int = 40,
) -> StepDraft:
    """Delete this app. `grants` and `assignments` are kept, so that a restore can be compared with them."""
    return StepDraft(
        action=DeleteApp.name,
        target_type=DeleteApp.target_type,
        target_id=str(app.id),
        target_label=app.display_name,
        params=kinds.of(app),
        before={
            "app_id": str(app.app_id),
            "account_enabled": app.account_enabled,
            "grants": [delete_grant.image(grant) for grant in grants],
            "assignments": [delete_assignment.image(assignment) for assignment in assignments],
        },
        urgency=urgency,
    )


class DeleteApp(Action):
    name = "delete_app"
    label = gettext_lazy("Delete the app")
    shown = gettext_lazy("The directory no longer shows the app, only its recycle bin does")
    meaning = gettext_lazy("Nobody can sign in to it, and it gets nothing new")
    ends_access = True
    deletes = True
    target_type = "app"
    needs = ("Application.ReadWrite.All",)

    def hits(self, step):
        return Hit(app=step.target_id)

    def needs_of(self, step):
        return kinds.to_delete(step, self.needs)

    def forbidden(self, step):
        return kinds.spoilt(step) or super().forbidden(step)

    def call(self, step):
        return Call("DELETE", kinds.path(step))

    def missing(self, step, error):
        return gone_already(error)

    def proof(self, step):
        return Call("GET", f"/servicePrincipals/{segment(step.target_id)}?$select=id")

    def proved(self, step, answer):
        return gone(answer)

    def undo(self, step):
        if step.outcome_code == "gone_already":
            return None
        return restore_app.step_for(step.target_id, step.target_label, params=step.params)

    def applied(self, steps):
        for step in steps:
            sync.mark_deleted(step.tenant, step.target_id)
