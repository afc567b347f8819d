"""Enable a service principal again: people can sign in to it, and what it was granted works again.

https://learn.microsoft.com/graph/api/serviceprincipal-update
"""

from django.utils.translation import gettext as _

from directory import sync
from directory.models import ServicePrincipal
from revocation.actions import disable_app
from revocation.actions.disable_app import SetEnabled
from revocation.spine.steps import StepDraft


def step(app: ServicePrincipal, *, urgency: int = 50) -> StepDraft:
    """Enable this app."""
    return step_for(str(app.id), app.display_name, urgency=urgency)


def step_for(object_id: str, label: str, *, urgency: int = 50) -> StepDraft:
    return StepDraft(EnableApp.name, EnableApp.target_type, object_id, label, urgency=urgency)


class EnableApp(SetEnabled):
    name = "enable_app"
    wanted = True

    def already(self):
        return _("It was enabled already.")

    def undo(self, step):
        if step.outcome_code == "there_already":
            return None
        return StepDraft(disable_app.DisableApp.name, self.target_type, step.target_id, step.target_label)

    def applied(self, steps):
        for step in steps:
            sync.mark_enabled(step.tenant, step.target_id)
