"""What comes back, and whom it is told: answers as outcomes, and proved changes into our copy of the directory."""

import logging
from collections import defaultdict

from django.db import transaction

from graph.errors import GraphError
from graph.sentences import gettext as _
from graph.types import Answer
from revocation import actions
from revocation.actions.base import Outcome, Verdict, general, unreadable
from revocation.models import RevocationStep
from revocation.spine.batches import Kind

logger = logging.getLogger(__name__)


def outcome(kind: Kind, step: RevocationStep, answer: Answer | GraphError) -> Outcome | None:
    """What an answer, or the failure of the whole batch, means for a step. None: looked at, and to be called."""
    action = actions.get(step.action)
    try:
        if kind == Kind.LOOK:
            return action.unseen(answer) if isinstance(answer, GraphError) else action.looked(step, answer)
        if kind == Kind.CALL:
            if isinstance(answer, GraphError):
                return action.refused(step, answer) if answer.status == 403 else general(answer)
            return action.read(step, answer)
        return unreadable(answer) if isinstance(answer, GraphError) else action.proved(step, answer)
    except (KeyError, TypeError, ValueError, AttributeError):
        logger.exception("An answer for %s could not be read.", step.action)
        text = _("Microsoft's answer could not be read.")
        if kind == Kind.LOOK:
            return action.unseen(None)
        return Outcome(Verdict.UNKNOWN if kind == Kind.CALL else Verdict.UNREADABLE, text, "unreadable")


def update_copy(steps: list[RevocationStep]) -> None:
    """Let pages agree with the directory at once. The next reading of it would put it right anyway."""
    by_action: dict[str, list[RevocationStep]] = defaultdict(list)
    for step in steps:
        by_action[step.action].append(step)
    for name, group in by_action.items():
        try:
            with transaction.atomic():
                actions.get(name).applied(group)
        except Exception:
            logger.exception("The copy of the directory could not be told about %d proved steps.", len(group))
