"""Who may stop what is under way: no thief in a session ends the response to the theft.

Whoever asked may. Anybody else needs to be able to do at least what the asker can, and is nobody whose sessions the
request ends. Pages ask for a fresh sign-in as well (`views.requests`).
"""

from uuid import UUID

from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.models import Membership, User
from accounts.roles import Capability, capabilities
from accounts.tenancy import user_context
from revocation.models import RevocationRequest


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
    members = Membership.objects.filter(tenant_id=request.tenant_id)
    own = members.filter(user__tenant_id=request.tenant_id, user__object_id=_uuid(request.actor_id)).first()
    if own:
        return own.capabilities
    for member in members.filter(source=Membership.Source.GRANTED):
        with user_context(member.user_id):  # the account belongs to another tenant
            if User.objects.filter(pk=member.user_id, object_id=_uuid(request.actor_id)).exists():
                return member.capabilities
    return frozenset(Capability)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:  # the command line, or the portal itself
        return None
