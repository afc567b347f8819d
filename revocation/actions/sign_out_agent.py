"""End the sessions of an agent's own user account. It is no person: nobody has to sign in again, and nobody counts it.

What was issued to the account until now is refused. Its agent gets it new tokens at once, unless the agent is disabled.

https://learn.microsoft.com/graph/api/user-revokesigninsessions
https://learn.microsoft.com/graph/api/resources/agentuser
"""

from dataclasses import replace

from django.utils.translation import gettext_lazy

from accounts.roles import Capability
from directory.models import Person
from graph.sentences import gettext as _
from revocation.actions import revoke_sessions
from revocation.actions.base import Hit, failed
from revocation.actions.revoke_sessions import RevokeSessions
from revocation.steps import StepDraft


def step(account: Person) -> StepDraft:
    """Sign this agent's account out."""
    draft = revoke_sessions.step(account, action=SignOutAgent.name)
    return replace(draft, target_type=SignOutAgent.target_type)


class SignOutAgent(RevokeSessions):
    name = "sign_out_agent"
    label = gettext_lazy("Sign out the agent's account")
    meaning = gettext_lazy("What was issued to the account earlier is refused; its agent can get it new tokens")
    capability = Capability.CHANGE_APPS
    ends_sessions = False
    ends_access = True
    target_type = "agent_user"

    def hits(self, step):
        return Hit()  # no person

    def missing(self, step, error):
        return failed(error, _("This account no longer exists in the directory, so there was nothing to sign out."))
