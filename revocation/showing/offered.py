"""Who may change a revocation's course, and when that makes sense. The services check again."""

from accounts.access import Actor
from accounts.models import Membership
from accounts.roles import Capability
from revocation import actions, services
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules import two_persons
from revocation.showing.tally import Tally

State = RevocationRequest.State


def may(membership: Membership, request: RevocationRequest, action: str) -> bool:
    """Whether this person's role lets them do `action` to this request, whatever state it is in."""
    if action == "approve":
        return membership.can(Capability.APPROVE)
    if action == "override":
        return membership.can(Capability.MANAGE_TENANT)
    return all(membership.can(needed) for needed in actions.capabilities(request.actions))


def what_may(membership: Membership, request: RevocationRequest, tally: Tally) -> set[str]:
    """The actions that make sense now for this person: what the page offers as buttons."""
    possible = set()
    if request.state == State.RUNNING and tally.waiting:
        possible |= {"pause", "cancel"}
    elif request.state == State.PAUSED:
        possible |= {"resume", "cancel"}
    elif request.state == State.AWAITING_APPROVAL:
        possible |= {"cancel"}
        if Actor.of(membership).id != request.actor_id:
            possible |= {"approve"}
        if two_persons.in_force(request.tenant).override:
            possible |= {"override"}
    elif tally.attention:
        possible |= {"retry"}
    if tally.of(*RevocationStep.WENT_THROUGH) and services.may_be_undone(request):
        possible |= {"undo"}
    return {action for action in possible if may(membership, request, action)}
