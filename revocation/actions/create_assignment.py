"""Put an assignment back: the undo of delete_assignment. Graph gives it a new id.

https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto
"""

from uuid import UUID

from django.utils.translation import gettext_lazy

from directory import sync
from graph.errors import GraphError, NotFound
from graph.requesting import segment
from graph.sentences import gettext as _
from graph.types import Answer, Call
from revocation.actions import kinds
from revocation.actions.base import NOT_YET, Action, Outcome, Verdict, not_there_yet, observe, unreadable
from revocation.steps import StepDraft


def step(image: dict, *, label: str = "", urgency: int = 60, resource_app_id: UUID | None = None) -> StepDraft:
    """Make sure this assignment exists. `image` is what `delete_assignment.image` keeps."""
    return StepDraft(
        action=CreateAssignment.name,
        target_type=CreateAssignment.target_type,
        target_id=f"{image['principal_id']}:{image['app_role_id']}",
        target_label=label or image.get("principal_name", ""),
        params=dict(image) | kinds.of_resource(resource_app_id),
        urgency=urgency,
    )


class CreateAssignment(Action):
    name = "create_assignment"
    label = gettext_lazy("Put an assignment back")
    shown = gettext_lazy("The directory shows the assignment again")
    target_type = "assignment"
    needs = kinds.ASSIGN
    repeatable = False

    def needs_of(self, step):
        return kinds.to_assign(step)

    def look(self, step):
        return Call("GET", f"{self._list(step)}?$top=999")

    def looked(self, step, answer):
        if self._found(step, answer):
            return Outcome(Verdict.VERIFIED, _("It was there already."), "there_already", answer.request_id)
        return None

    def _list(self, step) -> str:
        return f"/servicePrincipals/{segment(step.params['resource_id'])}/appRoleAssignedTo"

    def call(self, step):
        return Call(
            "POST",
            self._list(step),
            {
                "principalId": step.params["principal_id"],
                "resourceId": step.params["resource_id"],
                "appRoleId": step.params["app_role_id"],
            },
        )

    def noted(self, step, answer):
        if answer.body and answer.body.get("id"):
            observe(step, id=answer.body["id"])

    def missing(self, step, error):
        return not_there_yet(error)

    def refused(self, step, error: GraphError):
        if "already exists" in error.message:
            return Outcome(Verdict.ACCEPTED, request_id=error.request_id)
        return super().refused(step, error)

    def proof(self, step):
        """By the id that the answer named; where that was lost, among all assignments to the app."""
        assignment_id = (step.observed or {}).get("id")
        return Call("GET", f"{self._list(step)}/{segment(assignment_id)}") if assignment_id else self.look(step)

    def proved(self, step, answer):
        if isinstance(answer.error, NotFound):
            return NOT_YET
        if answer.error is not None:
            return unreadable(answer.error)
        if not self._found(step, answer):
            return NOT_YET
        return Outcome(Verdict.VERIFIED, request_id=answer.request_id)

    def _found(self, step, answer: Answer) -> bool:
        if answer.error is not None:
            return False
        for item in answer.body.get("value", [answer.body]):
            if (item.get("principalId"), item.get("appRoleId")) == (
                step.params["principal_id"],
                step.params["app_role_id"],
            ):
                observe(step, id=item["id"])
                return True
        return False

    def applied(self, steps):
        for step in steps:
            sync.put_assignment(
                step.tenant,
                (step.observed or {}).get("id") or step.target_id,
                resource_id=step.params["resource_id"],
                principal_id=step.params["principal_id"],
                principal_type=step.params.get("principal_type") or "User",
                principal_name=step.params.get("principal_name") or "",
                app_role_id=step.params["app_role_id"],
            )
