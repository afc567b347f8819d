"""What an action is: how to ask Graph, how to read one item's answer, how to prove it, how to undo it.

    look ─► looked      (optional) read what is there just before the call
    call ─► read        the write, and what its answer means
    proof ─► proved     read it back: does the directory show it?

An action holds no state and touches no database but in `applied`, which tells our copy what was proved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy

from accounts import permissions
from accounts.roles import Capability
from graph.errors import (
    Forbidden,
    GraphError,
    NotFound,
    Retryable,
    Throttled,
    ThrottleScope,
    TokenError,
    Unauthorized,
    Unavailable,
)
from graph.explain import words
from graph.sentences import gettext as _
from graph.types import Answer, Call
from revocation.models import RevocationStep
from revocation.steps import StepDraft


class Verdict(StrEnum):
    ACCEPTED = "accepted"  # Microsoft took it; a proof follows
    VERIFIED = "verified"  # the directory shows it
    NO_EFFECT = "no_effect"
    FAILED = "failed"
    RETRY = "retry"  # it was not done; asking again may help
    THROTTLED = "throttled"  # it was not done; Microsoft asks us to wait
    UNKNOWN = "unknown"  # it may have been done: read back before asking again
    NOT_YET = "not_yet"  # of a proof: the directory does not show it (yet)
    UNREADABLE = "unreadable"  # of a proof: the directory could not be read


@dataclass(frozen=True)
class Outcome:
    """What an answer means for its step. `text` is one sentence for people."""

    verdict: Verdict
    text: str = ""
    code: str = ""
    request_id: str = ""
    retry_after: float | None = None  # seconds
    scope: ThrottleScope = ThrottleScope.UNKNOWN  # of a THROTTLED one: whose limit was met


NOT_YET = Outcome(Verdict.NOT_YET)


@dataclass(frozen=True, slots=True)
class Hit:
    """Whom a step takes something from: a person by object id, whoever uses an app, or everybody in the tenant."""

    person: str = ""
    app: str = ""
    everyone: bool = False


class Action:
    """One kind of change. Subclasses in this package are found by themselves.

    Attributes:
        name: as stored in `RevocationStep.action`.
        label: what it is called in lists.
        taken: what has happened once it is accepted.
        shown: what the directory was seen to show once it is proved.
        meaning: what follows from that, for whoever asked.
        ends_sessions: the person it is about has to sign in again.
        ends_access: an app loses something it may do; what it holds already works until it ends.
        deletes: the tenant's rule of a second person for deletions is about it.
        capability: who may ask for it and steer it.
        needs: application permissions, the least powerful first; one of them is enough.
        local: done in the portal's own database, without Graph; then only `perform` is asked.
        repeatable: a second call changes nothing. Where False, a call whose fate is unknown is only repeated after
            the directory had ample time to show it.
        blind: the call means the same whatever is there. Where False, it is not made without having looked.
    """

    name = ""
    label: str = ""
    taken: str = gettext_lazy("Microsoft accepted it")
    shown: str = gettext_lazy("The directory shows it")
    meaning: str = ""
    target_type = ""
    needs: tuple[str, ...] = ()
    capability = Capability.CHANGE_APPS
    ends_sessions = False
    ends_access = False
    deletes = False
    local = False
    repeatable = True
    blind = True
    beta = False

    def means(self, step: RevocationStep) -> str:
        """What follows from this very step, once it is proved."""
        return str(self.meaning)

    def hits(self, step: StepDraft | RevocationStep) -> Hit:
        """Whom it takes something from, as the tenant's rule of two persons counts. By default whom the step names."""
        return Hit(step.target_id if step.target_type == "user" else "")

    def look(self, step: RevocationStep) -> Call | None:
        """What to read just before the call; None where nothing needs to be."""
        return None

    def looked(self, step: RevocationStep, answer: Answer) -> Outcome | None:
        """Take note of what is there, in `step.observed`. An outcome here means the call is not made."""
        return None

    def unseen(self, error: GraphError | None) -> Outcome | None:
        """What it means that nothing could be read before the call, or nothing that makes sense (None)."""
        if self.blind:
            return None
        if isinstance(error, Throttled):
            return general(error)
        text = _("The directory could not be read before the change. Nothing was changed.")
        if error is None:
            return Outcome(Verdict.RETRY, text, "unreadable")
        wait = getattr(error, "retry_after", None)
        return Outcome(Verdict.RETRY, text, error.code or str(error.status or ""), error.request_id, wait)

    def call(self, step: RevocationStep) -> Call:
        raise NotImplementedError

    def read(self, step: RevocationStep, answer: Answer) -> Outcome:
        """What the answer to the call means."""
        if answer.error is None:
            self.noted(step, answer)
            return Outcome(Verdict.ACCEPTED, request_id=answer.request_id)
        if isinstance(answer.error, NotFound):
            return self.missing(step, answer.error)
        return self.refused(step, answer.error)

    def noted(self, step: RevocationStep, answer: Answer) -> None:
        """Keep what the proof will need from a successful answer."""

    def missing(self, step: RevocationStep, error: GraphError) -> Outcome:
        """What a 404 means: for a deletion, that there is nothing left to do."""
        return failed(error, _("It no longer exists. Nothing was changed."))

    def refused(self, step: RevocationStep, error: GraphError) -> Outcome:
        """What any other error means."""
        if isinstance(error, Forbidden):
            return failed(error, self.forbidden(step))
        return general(error)

    def needs_of(self, step: StepDraft | RevocationStep) -> tuple[str, ...]:
        """What lets this very step through: something else than `needs` where its target is of another kind."""
        return self.needs

    def forbidden(self, step: RevocationStep) -> str:
        """Why a 403 came: the permission is missing, or Microsoft keeps this one target from a portal that holds it.

        https://learn.microsoft.com/entra/identity/role-based-access-control/admin-units-restricted-management
        """
        needs = self.needs_of(step)
        if permissions.standing(step.tenant, needs) == permissions.Standing.GRANTED:
            return _(
                "Microsoft refused this one, although the portal has the permission %(permission)s: it is in a"
                " restricted administrative unit, or a privileged role protects it. Nothing was changed. An"
                " administrator of that unit can do it in Entra."
            ) % {"permission": next(one for one in needs if one in step.tenant.granted_permissions)}
        return _(
            "Microsoft refused: the portal does not have the permission %(permission)s in this tenant. Nothing was"
            " changed. An administrator can grant it; the connection page shows how."
        ) % {"permission": needs[0]}

    def proof(self, step: RevocationStep) -> Call:
        raise NotImplementedError

    def proved(self, step: RevocationStep, answer: Answer) -> Outcome:
        """Whether the directory shows the change. VERIFIED, NO_EFFECT, FAILED, NOT_YET or UNREADABLE."""
        raise NotImplementedError

    def perform(self, step: RevocationStep) -> Outcome:
        """Do a local action."""
        raise NotImplementedError

    def undo(self, step: RevocationStep) -> StepDraft | None:
        """The step that puts back what this one took; None where that cannot be."""
        return None

    def applied(self, steps: Sequence[RevocationStep]) -> None:
        """Tell our copy of the directory what was proved."""


def failed(error: GraphError, text: str) -> Outcome:
    return Outcome(Verdict.FAILED, text, error.code or str(error.status or ""), error.request_id)


def general(error: GraphError) -> Outcome:
    """What an error means whatever was asked."""
    known = {"code": error.code or str(error.status or ""), "request_id": error.request_id}
    wait = getattr(error, "retry_after", None)
    if isinstance(error, Throttled):
        text = _("Microsoft asked us to wait.")
        return Outcome(Verdict.THROTTLED, text, retry_after=wait, scope=error.scope, **known)
    if isinstance(error, Unavailable) and error.sent:
        text = _("Microsoft's answer did not reach us; we are reading back whether it was done.")
        return Outcome(Verdict.UNKNOWN, text, retry_after=wait, **known)
    if isinstance(error, Unauthorized):
        text = _("Microsoft did not accept the portal's token. Nothing was changed.")
        return Outcome(Verdict.RETRY, text, retry_after=wait, **known)
    if isinstance(error, TokenError):
        text = _("The portal may not act in this tenant: %(why)s") % {"why": words(error).what}
        return Outcome(Verdict.FAILED, text, **known)
    if isinstance(error, Retryable):
        text = _("Microsoft could not be reached. Nothing was changed.")
        return Outcome(Verdict.RETRY, text, retry_after=wait, **known)
    return Outcome(Verdict.FAILED, _("%(why)s Nothing was changed.") % {"why": words(error).what}, **known)


def unreadable(error: GraphError) -> Outcome:
    """A proof that could not be read."""
    text = _("The directory could not be read to prove it.")
    wait = getattr(error, "retry_after", None)
    return Outcome(Verdict.UNREADABLE, text, error.code or str(error.status or ""), error.request_id, wait)


def gone(answer: Answer, text: str = "") -> Outcome:
    """The proof of a deletion: the object answers 404."""
    if answer.error is None:
        return NOT_YET
    if isinstance(answer.error, NotFound):
        return Outcome(Verdict.VERIFIED, text, request_id=answer.request_id)
    return unreadable(answer.error)


def gone_already(error: GraphError) -> Outcome:
    """What a deletion was to take away is not there: nothing is left to do, and nothing of ours can be put back."""
    return Outcome(Verdict.VERIFIED, _("It was gone already."), "gone_already", error.request_id)


def not_there_yet(error: GraphError) -> Outcome:
    """A service principal that was restored a moment ago answers 404 until the directory has replicated it."""
    text = _("The app or the person is not in the directory (yet).")
    return Outcome(Verdict.RETRY, text, error.code, error.request_id)


def observe(step: RevocationStep, **facts) -> None:
    """Add to what the directory showed us about this step's target."""
    step.observed = {**(step.observed or {}), **facts}
