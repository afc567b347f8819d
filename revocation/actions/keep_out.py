"""Keep an app out that this tenant never saw: its service principal is made in advance, and disabled at once.

Nobody can then consent to it, or even ask for it. Making and disabling are two calls, so this is asked twice: what the
directory shows just before each call says which of them is due.

https://learn.microsoft.com/graph/api/serviceprincipal-post-serviceprincipals
https://learn.microsoft.com/entra/identity/enterprise-apps/review-admin-consent-requests
"""

from uuid import UUID

from django.utils.translation import gettext_lazy

from graph.errors import GraphError, NotFound
from graph.sentences import gettext as _
from graph.types import Call
from revocation.actions.base import NOT_YET, Action, Hit, Outcome, Verdict, failed, general, observe, unreadable
from revocation.actions.set_app_enabled import EnableApp
from revocation.steps import StepDraft


def step(app_id: UUID, *, label: str = "") -> StepDraft:
    """Keep the app with this client id out. `label` is what people call it."""
    return StepDraft(KeepOut.name, KeepOut.target_type, str(app_id), label or str(app_id))


class KeepOut(Action):
    name = "keep_out"
    label = gettext_lazy("Keep an app out that was never here")
    shown = gettext_lazy("The directory shows the app as disabled")
    meaning = gettext_lazy("Nobody can let it in, or sign in to it")
    target_type = "client"
    needs = ("Application.ReadWrite.All",)
    blind = False  # which of the two calls is due, is read just before

    def hits(self, step):
        return Hit()  # it was never here: nobody loses anything

    def look(self, step):
        return Call("GET", f"/servicePrincipals(appId='{UUID(step.target_id)}')?$select=id,accountEnabled")

    def looked(self, step, answer):
        if isinstance(answer.error, NotFound):
            observe(step, id=None)
            return None
        if answer.error is not None:
            return self.unseen(answer.error)
        observe(step, id=answer.body["id"])
        if answer.body.get("accountEnabled") is False:
            return Outcome(Verdict.VERIFIED, "", "" if self._made(step) else "there_already", answer.request_id)
        if not self._made(step):  # whoever uses it would lose it, and no rule was asked about that
            text = _("It is in the tenant already, perhaps in use. Nothing was changed: take it out on its own page.")
            return Outcome(Verdict.FAILED, text, "here_already", answer.request_id)
        return None

    def call(self, step):
        if known := (step.observed or {}).get("id"):
            return Call("PATCH", f"/servicePrincipals/{UUID(known)}", {"accountEnabled": False})
        return Call("POST", "/servicePrincipals", {"appId": step.target_id})

    def read(self, step, answer):
        if answer.error is None and not (step.observed or {}).get("id"):
            observe(step, made=True)
            return Outcome(Verdict.RETRY, _("It is known here now; it is disabled next."), request_id=answer.request_id)
        return super().read(step, answer)

    def missing(self, step, error):
        return Outcome(
            Verdict.RETRY, _("It was made a moment ago and is not to be seen yet."), error.code, error.request_id
        )

    def refused(self, step, error: GraphError):
        if error.status == 400 and not (step.observed or {}).get("id"):
            return failed(
                error,
                _("Microsoft knows no app with this client id that other organisations may use. Nothing was changed."),
            )
        if error.status == 409:
            return Outcome(
                Verdict.RETRY, _("It is known here already; it is disabled next."), error.code, error.request_id
            )
        return super().refused(step, error) if error.status == 403 else general(error)

    def proof(self, step):
        return self.look(step)

    def proved(self, step, answer):
        if isinstance(answer.error, NotFound):
            return NOT_YET
        if answer.error is not None:
            return unreadable(answer.error)
        if answer.body.get("accountEnabled") is not False:
            return NOT_YET
        return Outcome(Verdict.VERIFIED, request_id=answer.request_id)

    def undo(self, step):
        known = (step.observed or {}).get("id")
        if not known or step.outcome_code == "there_already":
            return None
        return StepDraft(EnableApp.name, EnableApp.target_type, known, step.target_label)

    def _made(self, step) -> bool:
        return bool((step.observed or {}).get("made"))
