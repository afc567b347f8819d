"""What becomes of a step once an answer is in: after the call, after reading back a lost call, after a proof.

Pure decisions about one step: nothing here talks to anybody or writes anything. Each function changes the step in
memory and returns the audit event to record, or None.
"""

import random
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from audit.models import AuditEvent
from graph.sentences import gettext as _
from revocation.actions.base import Action, Outcome, Verdict
from revocation.models import RevocationStep

State = RevocationStep.State
LONGEST_PAUSE = 60.0  # seconds
FIRST_PROOF, FIRST_PROOF_OF_A_LIST = timedelta(seconds=0.05), timedelta(seconds=2)  # after Microsoft accepted

_FINAL_EVENTS = {
    State.VERIFIED: AuditEvent.STEP_VERIFIED,
    State.NO_EFFECT: AuditEvent.STEP_NO_EFFECT,
    State.FAILED: AuditEvent.STEP_FAILED,
    State.UNCONFIRMED: AuditEvent.STEP_UNCONFIRMED,
}
_FINAL = {
    Verdict.VERIFIED: State.VERIFIED,
    Verdict.NO_EFFECT: State.NO_EFFECT,
    Verdict.FAILED: State.FAILED,
}


def called(step: RevocationStep, outcome: Outcome, blocked_until: datetime | None = None) -> AuditEvent | None:
    """The call was answered, or failed to be.

    Args:
        blocked_until: for a throttled step, until when Microsoft told the tenant to wait.
    """
    now = timezone.now()
    _note(step, outcome)
    match outcome.verdict:
        case Verdict.ACCEPTED:
            step.state, step.accepted_at, step.lease_until = State.ACCEPTED, now, None
            step.proofs, step.not_before = 0, now + first_proof(step)
            return AuditEvent.STEP_ACCEPTED
        case Verdict.VERIFIED | Verdict.NO_EFFECT | Verdict.FAILED:
            return finish(step, _FINAL[outcome.verdict])
        case Verdict.UNKNOWN:
            # Still claimed, with a lease that lapses at once: whoever comes next reads back first.
            step.proofs, step.lease_until = 0, now + pause(0)
            return AuditEvent.STEP_RETRIED
        case Verdict.THROTTLED:
            return put_off(step, max(blocked_until or now, now + timedelta(seconds=outcome.retry_after or 0)))
        case _:
            return again(step, outcome)


def read_back(step: RevocationStep, action: Action, outcome: Outcome) -> AuditEvent | None:
    """A call whose fate was unknown was looked for in the directory."""
    now = timezone.now()
    if outcome.verdict in _FINAL:
        _note(step, outcome)
        if outcome.verdict == Verdict.VERIFIED:
            step.accepted_at = step.called_at
            step.outcome = outcome.text or _("Its answer was lost; the directory shows that it was done.")
        return finish(step, _FINAL[outcome.verdict])
    age = now - step.called_at
    if outcome.verdict == Verdict.UNREADABLE and age > proof_time():
        step.outcome = _("The answer was lost, and the directory could not be read: whether it was done is not known.")
        step.outcome_code = outcome.code
        return finish(step, State.UNCONFIRMED)
    not_shown = outcome.verdict == Verdict.NOT_YET
    if not_shown and (action.repeatable or age >= read_back_time()):
        text = _("The answer was lost, and the directory shows that it was not done.")
        return again(step, Outcome(Verdict.RETRY, text, "not_done"))
    wait = max(pause(step.proofs), timedelta(seconds=outcome.retry_after or 0))
    if not_shown and age < read_back_time():
        wait = min(wait, max(read_back_time() - age, timedelta(seconds=0.1)))
    step.proofs, step.lease_until = min(step.proofs + 1, 1000), now + wait
    return None


def proved(step: RevocationStep, outcome: Outcome) -> AuditEvent | None:
    """An accepted change was looked for in the directory."""
    now = timezone.now()
    if outcome.verdict in _FINAL:
        step.outcome = outcome.text or step.outcome
        step.outcome_code = outcome.code or step.outcome_code
        return finish(step, _FINAL[outcome.verdict])
    if now - (step.accepted_at or now) >= proof_time():
        step.outcome = _("Microsoft accepted it, but %(minutes)d minutes of reading back did not confirm it.") % {
            "minutes": settings.REVOCATION_PROOF_MINUTES
        }
        return finish(step, State.UNCONFIRMED)
    step.proofs = min(step.proofs + 1, 1000)
    step.lease_until = None
    step.not_before = now + max(pause(step.proofs), timedelta(seconds=outcome.retry_after or 0))
    return None


def again(step: RevocationStep, outcome: Outcome) -> AuditEvent:
    """It was not done: once more later, or give up with the reason."""
    step.attempts += 1
    if step.attempts >= settings.REVOCATION_MAX_ATTEMPTS:
        step.outcome = _("Given up after %(count)d attempts. %(why)s") % {"count": step.attempts, "why": outcome.text}
        step.outcome_code = outcome.code
        return finish(step, State.FAILED)
    wait = max(backoff(step.attempts), timedelta(seconds=outcome.retry_after or 0))
    step.outcome, step.outcome_code = outcome.text, outcome.code
    return put_off(step, timezone.now() + wait)


def put_off(step: RevocationStep, until: datetime) -> AuditEvent:
    step.state, step.lease_until, step.called_at, step.not_before = State.WAITING, None, None, until
    return AuditEvent.STEP_RETRIED


def finish(step: RevocationStep, state: str) -> AuditEvent:
    now = timezone.now()
    if state in (State.VERIFIED, State.NO_EFFECT) and step.accepted_at is None:
        step.accepted_at = now
    step.state, step.lease_until, step.not_before, step.finished_at = state, None, None, now
    return _FINAL_EVENTS[state]


def backoff(attempts: int) -> timedelta:
    """1, 2, 4, … seconds with jitter, so that what failed together does not come back together."""
    seconds = min(LONGEST_PAUSE, 2.0 ** (attempts - 1))
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 - spreads retries, guards nothing


def pause(count: int) -> timedelta:
    """Between one proof and the next: half a second, doubled each time, up to a minute."""
    return timedelta(seconds=min(LONGEST_PAUSE, 0.5 * 2.0 ** min(count, 10)))


def first_proof(step: RevocationStep) -> timedelta:
    """A person who waits sees a proof at once where there is one; a list can wait for the replication."""
    return FIRST_PROOF if step.interactive else FIRST_PROOF_OF_A_LIST


def proof_time() -> timedelta:
    return timedelta(minutes=settings.REVOCATION_PROOF_MINUTES)


def read_back_time() -> timedelta:
    """How long the directory may take to show a call whose answer was lost.

    Only then is one that must not be repeated (a second sign-out) taken as not done. Microsoft names seconds as usual.
    """
    return timedelta(seconds=settings.REVOCATION_READ_BACK_SECONDS)


def _note(step: RevocationStep, outcome: Outcome) -> None:
    step.outcome, step.outcome_code = outcome.text, outcome.code
    step.graph_request_id = outcome.request_id or step.graph_request_id
