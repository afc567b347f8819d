"""Take a service principal out of the recycle bin, under its old object id.

https://learn.microsoft.com/graph/api/directory-deleteditems-restore
"""

from django.utils.translation import gettext_lazy

from directory import sync
from directory.models import ServicePrincipal
from graph.errors import NotFound
from graph.requesting import segment
from graph.sentences import gettext as _
from graph.types import Call
from revocation.actions import kinds
from revocation.actions.base import NOT_YET, Action, Outcome, Verdict, failed, unreadable
from revocation.steps import StepDraft


def step(app: ServicePrincipal, *, urgency: int = 30) -> StepDraft:
    """Restore this app. Steps that put its grants back may stand in the same request: they wait for it."""
    return step_for(str(app.id), app.display_name, params=kinds.of(app), urgency=urgency)


def step_for(object_id: str, label: str, *, params: dict | None = None, urgency: int = 30) -> StepDraft:
    return StepDraft(RestoreApp.name, RestoreApp.target_type, object_id, label, params=params or {}, urgency=urgency)


class RestoreApp(Action):
    name = "restore_app"
    label = gettext_lazy("Restore the app")
    shown = gettext_lazy("The directory shows the app again")
    meaning = gettext_lazy("It works as it did before it was deleted")
    target_type = "app"
    needs = ("Application.ReadWrite.All",)

    def look(self, step):
        return self.proof(step)

    def looked(self, step, answer):
        # Someone may have restored it meanwhile; then the recycle bin no longer knows it.
        if answer.error is None:
            return Outcome(Verdict.VERIFIED, _("It was there already."), "there_already", answer.request_id)
        return None

    def needs_of(self, step):
        return kinds.to_delete(step, self.needs)

    def forbidden(self, step):
        return kinds.spoilt(step) or super().forbidden(step)

    def call(self, step):
        return Call("POST", f"/directory/deletedItems/{segment(step.target_id)}/restore")

    def missing(self, step, error):
        return failed(error, _("It is not in the recycle bin (any more), so it cannot be restored."))

    def proof(self, step):
        return Call("GET", f"/servicePrincipals/{segment(step.target_id)}?$select=id")

    def proved(self, step, answer):
        if isinstance(answer.error, NotFound):
            return NOT_YET
        if answer.error is not None:
            return unreadable(answer.error)
        return Outcome(Verdict.VERIFIED, request_id=answer.request_id)

    def applied(self, steps):
        for step in steps:
            sync.mark_restored(step.tenant, step.target_id)
