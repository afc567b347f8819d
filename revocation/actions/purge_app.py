"""Take a deleted service principal out of the recycle bin for good. Nothing brings it back.

https://learn.microsoft.com/graph/api/directory-deleteditems-delete
"""

from django.utils.translation import gettext_lazy

from directory import sync
from directory.models import ServicePrincipal
from graph.requesting import segment
from graph.sentences import gettext as _
from graph.types import Call
from revocation.actions import kinds
from revocation.actions.base import Action, Outcome, Verdict, gone
from revocation.steps import StepDraft


def step(app: ServicePrincipal, *, urgency: int = 50) -> StepDraft:
    """Delete this app, which is in the recycle bin, for good."""
    return StepDraft(
        PurgeApp.name, PurgeApp.target_type, str(app.id), app.display_name, params=kinds.of(app), urgency=urgency
    )


class PurgeApp(Action):
    name = "purge_app"
    label = gettext_lazy("Delete the app for good")
    shown = gettext_lazy("The recycle bin no longer shows the app")
    meaning = gettext_lazy("It cannot be restored any more")
    deletes = True
    target_type = "app"
    needs = ("Application.ReadWrite.All",)

    def needs_of(self, step):
        return kinds.to_delete(step, self.needs)

    def forbidden(self, step):
        return kinds.spoilt(step) or super().forbidden(step)

    def call(self, step):
        return Call("DELETE", f"/directory/deletedItems/{segment(step.target_id)}")

    def missing(self, step, error):
        text = _("It is not in the recycle bin: either it is gone for good already, or it was restored.")
        return Outcome(Verdict.FAILED, text, error.code, error.request_id)

    def proof(self, step):
        return Call("GET", f"/directory/deletedItems/{segment(step.target_id)}")

    def proved(self, step, answer):
        return gone(answer)

    def applied(self, steps):
        for step in steps:
            sync.forget_app(step.tenant, step.target_id)
