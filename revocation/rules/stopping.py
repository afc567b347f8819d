"""Who may stop what is under way: no thief in a session ends the response to the theft.

Whoever asked may. Anybody else needs to be able to do at least what the asker can, and is nobody whose sessions the
request ends. Pages ask for a fresh sign-in as well (`views.requests`).
"""

from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.roles import Capability, capabilities
from revocation.models import RevocationRequest
from revocation.rules import members


def objection(request: RevocationRequest, actor: Actor) -> str:
    """Why this actor may not pause, cancel or reject the request; empty where they may."""
    if actor.user_id is None or actor.id == request.actor_id:  # the operator's shell, and whoever asked
        return ""
    if request.steps.filter(tenant_id=request.tenant_id, target_type="user", target_id=actor.id).exists():
        return _("This ends your own sessions, so somebody else has to stop it.")
    if not _asker_can(request) <= capabilities(actor.roles):
        return _("%(who)s may do more than your role lets you, so only they or an administrator can stop this.") % {
            "who": request.actor_label
        }
    return ""


def _asker_can(request: RevocationRequest) -> frozenset[Capability]:
    """What the asker can do in this tenant today; everything where they are no member (any more)."""
    member = members.asker(request)
    return member.capabilities if member else frozenset(Capability)
