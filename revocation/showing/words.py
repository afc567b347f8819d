"""Words for what revocations are made of. What an action is called and means stands on its class."""

from django.utils.translation import gettext_lazy as _

from revocation import actions
from revocation.models import RevocationRequest, RevocationStep

Kind, State = RevocationRequest.Kind, RevocationStep.State

MEANING = {
    State.WAITING: _("Not asked yet"),
    State.CLAIMED: _("Microsoft is being asked"),
    State.ACCEPTED: _("Microsoft accepted it; it is being read back"),
    State.VERIFIED: _("The directory shows it"),
    State.NO_EFFECT: _("Microsoft accepted it, and it changed nothing"),
    State.UNCONFIRMED: _("Accepted, but not confirmed by reading back in time"),
    State.FAILED: _("Microsoft refused"),
    State.CANCELLED: _("Cancelled before it was asked; nothing was changed"),
}


def action_words(action: str) -> str:
    """What an action is called; one that this release does not know, by its name."""
    known = actions.all_actions().get(action)
    return str(known.label) if known else action


def kind_words(kind: str) -> str:
    """What a kind of request is called; one that has no name of its own, by the action it is named after."""
    return str(Kind(kind).label) if kind in Kind.values else action_words(kind)


def what_happened(step: RevocationStep) -> str:
    """One sentence about a step: what its outcome says, else what its state means for its action."""
    if step.outcome:
        return step.outcome
    known = actions.all_actions().get(step.action)
    return str(known.shown if known and step.state == State.VERIFIED else MEANING[State(step.state)])


def state_words(state: str) -> str:
    """A step's state as a word for people."""
    return str(State(state).label) if state in State.values else state


def state_means(state: str) -> str:
    """What a step's state means, in a sentence."""
    return str(MEANING.get(state, ""))
