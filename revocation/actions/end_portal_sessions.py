"""End a person's sessions in this portal and wipe their tokens: Entra cannot do that for us."""

from uuid import UUID

from django.utils.translation import gettext_lazy

from accounts import services
from accounts.access import Actor
from accounts.roles import Capability
from directory.models import Person
from graph.sentences import gettext as _, ngettext
from graph.types import User
from revocation.actions.base import Action, Outcome, Verdict
from revocation.steps import StepDraft


def step(person: Person | User, *, urgency: int = 50) -> StepDraft:
    """End this person's portal sessions."""
    label = person.display_name or person.upn
    return StepDraft(EndPortalSessions.name, EndPortalSessions.target_type, str(person.id), label, urgency=urgency)


class EndPortalSessions(Action):
    name = "end_portal_sessions"
    label = gettext_lazy("End sessions in this portal")
    shown = gettext_lazy("No session in this portal is left")
    capability = Capability.SIGN_OUT_PEOPLE
    target_type = "user"
    local = True

    def perform(self, step):
        request, person = step.request, (step.tenant_id, UUID(step.target_id))
        asked_by = Actor(request.actor_id, request.actor_label)
        ended = services.end_portal_sessions([person], reason=request.title, actor=asked_by)
        if not ended:
            return Outcome(Verdict.VERIFIED, _("No session in this portal was open."))
        text = ngettext("%(count)d session in this portal was ended.", "%(count)d sessions were ended.", ended)
        return Outcome(Verdict.VERIFIED, text % {"count": ended})
