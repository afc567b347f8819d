"""Disable a service principal, so that nobody can sign in to the app and it gets no new tokens, or enable it again.

Reversible at once. What an app was granted stays, and works again when it is enabled.

https://learn.microsoft.com/graph/api/serviceprincipal-update
"""

from django.utils.translation import gettext_lazy

from directory import sync
from directory.models import ServicePrincipal
from graph.errors import NotFound
from graph.requesting import segment
from graph.sentences import gettext as _
from graph.types import Call
from revocation.actions import kinds
from revocation.actions.base import NOT_YET, Action, Hit, Outcome, Verdict, failed, observe, unreadable
from revocation.steps import StepDraft


def disable(app: ServicePrincipal, *, urgency: int = 40) -> StepDraft:
    """Disable this app."""
    return StepDraft(
        action=DisableApp.name,
        target_type=DisableApp.target_type,
        target_id=str(app.id),
        target_label=app.display_name,
        params=kinds.of(app),
        before={"account_enabled": app.account_enabled, "app_id": str(app.app_id)},
        urgency=urgency,
    )


def enable(app: ServicePrincipal, *, urgency: int = 50) -> StepDraft:
    """Enable this app."""
    return StepDraft(
        EnableApp.name, EnableApp.target_type, str(app.id), app.display_name, params=kinds.of(app), urgency=urgency
    )


class SetEnabled(Action):
    """What disabling and enabling have in common."""

    target_type = "app"
    needs = ("Application.ReadWrite.All",)
    wanted: bool

    def look(self, step):
        return self.proof(step)

    def looked(self, step, answer):
        if answer.error is None:
            enabled = answer.body.get("accountEnabled") is not False
            observe(step, account_enabled=enabled)
            if enabled is self.wanted:
                return Outcome(Verdict.VERIFIED, self.already(), "there_already", answer.request_id)
        return None

    def already(self) -> str:
        raise NotImplementedError

    def needs_of(self, step):
        return kinds.to_enable(step, self.needs)

    def forbidden(self, step):
        return kinds.spoilt(step) or super().forbidden(step)

    def call(self, step):
        return Call("PATCH", kinds.path(step), {"accountEnabled": self.wanted})

    def missing(self, step, error):
        return failed(error, _("This app no longer exists in the tenant. Nothing was changed."))

    def proof(self, step):
        return Call("GET", f"/servicePrincipals/{segment(step.target_id)}?$select=id,accountEnabled")

    def proved(self, step, answer):
        if isinstance(answer.error, NotFound):
            return self.missing(step, answer.error)
        if answer.error is not None:
            return unreadable(answer.error)
        if (answer.body.get("accountEnabled") is not False) is not self.wanted:
            return NOT_YET
        return Outcome(Verdict.VERIFIED, request_id=answer.request_id)


class DisableApp(SetEnabled):
    name = "disable_app"
    label = gettext_lazy("Disable the app")
    shown = gettext_lazy("The directory shows the app as disabled")
    meaning = gettext_lazy("Nobody can sign in to it, and it gets nothing new")
    ends_access = True
    wanted = False

    def hits(self, step):
        return Hit(app=step.target_id)

    def already(self):
        return _("It was disabled already.")

    def undo(self, step):
        if step.outcome_code == "there_already":
            return None
        return StepDraft(EnableApp.name, self.target_type, step.target_id, step.target_label, params=step.params)

    def applied(self, steps):
        for step in steps:
            sync.mark_disabled(step.tenant, step.target_id)


class EnableApp(SetEnabled):
    name = "enable_app"
    label = gettext_lazy("Enable the app")
    shown = gettext_lazy("The directory shows the app as enabled")
    wanted = True

    def already(self):
        return _("It was enabled already.")

    def undo(self, step):
        if step.outcome_code == "there_already":
            return None
        return StepDraft(DisableApp.name, self.target_type, step.target_id, step.target_label, params=step.params)

    def applied(self, steps):
        for step in steps:
            sync.mark_enabled(step.tenant, step.target_id)
