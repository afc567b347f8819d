"""The life of a step as a state machine: whatever answers come, in whatever order, only true things are said."""

from datetime import timedelta
from unittest import mock

import hypothesis.strategies as st
from django.utils import timezone
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from audit.models import AuditEvent
from revocation.actions import get
from revocation.actions.base import Outcome, Verdict
from revocation.models import RevocationStep
from revocation.spine import proofs

State = RevocationStep.State
CALL_VERDICTS = [
    Verdict.ACCEPTED,
    Verdict.VERIFIED,
    Verdict.NO_EFFECT,
    Verdict.FAILED,
    Verdict.RETRY,
    Verdict.THROTTLED,
    Verdict.UNKNOWN,
]
PROOF_VERDICTS = [Verdict.VERIFIED, Verdict.NO_EFFECT, Verdict.FAILED, Verdict.NOT_YET, Verdict.UNREADABLE]


class LifeOfAStep(RuleBasedStateMachine):
    """A directory that does or does not do what it is asked, answers that get lost, and a clock that moves."""

    @initialize(action=st.sampled_from(["revoke_sessions", "delete_grant"]), interactive=st.booleans())
    def begin(self, action, interactive):
        self.now = timezone.now()
        self.step = RevocationStep(action=action, interactive=interactive, state=State.WAITING)
        self.calls = 0  # how often Microsoft was asked
        self.done = 0  # how often Microsoft did it
        self.events: list[AuditEvent] = []

    def _later(self, function, *arguments):
        with mock.patch.object(timezone, "now", return_value=self.now):
            event = function(*arguments)
        if event:
            self.events.append(event)

    @rule(seconds=st.floats(0, 2000))
    def time_passes(self, seconds):
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.step.state == State.WAITING and (self.step.not_before or self.now) <= self.now)
    @rule(
        verdict=st.sampled_from(CALL_VERDICTS),
        was_done=st.booleans(),
        wait=st.one_of(st.none(), st.floats(0, 300)),
    )
    def it_is_called(self, verdict, was_done, wait):
        self.step.state, self.step.called_at = State.CLAIMED, self.now
        self.step.lease_until = self.now + timedelta(seconds=60)
        self.calls += 1
        if verdict == Verdict.ACCEPTED or (verdict == Verdict.UNKNOWN and was_done):
            self.done += 1
        self._later(proofs.called, self.step, Outcome(verdict, "text", "code", "id", wait), self.now)

    @precondition(lambda self: self.step.state == State.CLAIMED and self.step.lease_until <= self.now)
    @rule(lag=st.booleans(), readable=st.booleans())
    def it_is_read_back(self, lag, readable):
        """The directory shows what was done, unless it lags, which it does for less than the time we allow."""
        young = self.now - self.step.called_at < proofs.read_back_time()
        shown = self.done and not (lag and young)
        verdict = Verdict.VERIFIED if shown else Verdict.NOT_YET
        if not readable:
            verdict = Verdict.UNREADABLE
        self._later(proofs.read_back, self.step, get(self.step.action), Outcome(verdict))

    @precondition(lambda self: self.step.state == State.ACCEPTED and self.step.not_before <= self.now)
    @rule(verdict=st.sampled_from(PROOF_VERDICTS))
    def it_is_proved(self, verdict):
        self.step.lease_until = self.now + timedelta(seconds=45)
        self._later(proofs.proved, self.step, Outcome(verdict))

    @invariant()
    def nobody_is_signed_out_twice(self):
        if hasattr(self, "step") and self.step.action == "revoke_sessions":
            assert self.done <= 1

    @invariant()
    def every_open_step_has_a_time_at_which_somebody_looks_again(self):
        if not hasattr(self, "step"):
            return
        match self.step.state:
            case State.CLAIMED:
                assert self.step.lease_until is not None
                assert self.step.called_at is not None
            case State.ACCEPTED:
                assert self.step.not_before is not None
                assert self.step.accepted_at is not None
            case State.WAITING:
                assert self.step.called_at is None

    @invariant()
    def a_final_step_says_when_it_ended_and_waits_for_nothing(self):
        if hasattr(self, "step") and self.step.state in RevocationStep.FINAL:
            assert self.step.finished_at is not None
            assert (self.step.not_before, self.step.lease_until) == (None, None)

    @invariant()
    def it_gives_up_in_the_end(self):
        if hasattr(self, "step"):
            assert self.step.attempts <= 6

    @invariant()
    def it_ends_at_most_once(self):
        ends = {
            AuditEvent.STEP_VERIFIED,
            AuditEvent.STEP_NO_EFFECT,
            AuditEvent.STEP_FAILED,
            AuditEvent.STEP_UNCONFIRMED,
        }
        if hasattr(self, "step"):
            ended = [event for event in self.events if event in ends]
            assert len(ended) == (1 if self.step.state in RevocationStep.FINAL else 0)


TestLifeOfAStep = LifeOfAStep.TestCase
TestLifeOfAStep.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@given(attempts=st.integers(1, 50))
def test_a_pause_is_never_longer_than_it_may_be(attempts):
    assert proofs.backoff(attempts) <= timedelta(seconds=1.25 * proofs.LONGEST_PAUSE)
    assert proofs.pause(attempts) <= timedelta(seconds=proofs.LONGEST_PAUSE)


def test_every_final_state_has_its_event():
    assert set(proofs._FINAL_EVENTS) == set(RevocationStep.FINAL) - {State.CANCELLED}
