"""Carries steps out: claim, commit the intent, ask Microsoft in batches, commit the outcome, prove it.

    fill     claim due steps and send their batches     one short transaction per kind
    settle   write down what came back                  one short transaction for all that is there

No transaction is open while a batch is on its way, and no thread but the caller's touches the database. A process
that dies anywhere in between leaves a claim whose lease lapses; with `called_at` set its fate is read back before
anything is repeated. See docs/architecture.md, "The life of a step".
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, wait
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import Error as DatabaseFault, connection, transaction
from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Tenant
from accounts.tenancy import in_tenant, tenant_context
from audit import services as audit
from audit.models import AuditEvent
from directory.models import Person
from graph.batch import LIMIT
from graph.errors import GraphError
from revocation import actions
from revocation.actions.base import Outcome, Verdict, observe
from revocation.models import RevocationRequest, RevocationStep
from revocation.nudges import nudge
from revocation.rules import approval
from revocation.spine import answers, budget, claims, entries, proofs
from revocation.spine.batches import WIDTH, Flight, Kind, launch
from revocation.spine.finishing import finish_if_done
from revocation.steps import Sealer

logger = logging.getLogger(__name__)

State = RevocationStep.State
CLOSED = {RevocationRequest.State.CANCELLED, RevocationRequest.State.REJECTED, RevocationRequest.State.EXPIRED}
ROUND = 5.0  # seconds a worker stays with one tenant before others have their turn
LINGER = 2.0  # seconds it waits for something that is about to be due
QUOTA_LINGER = 12.0  # seconds it waits for a new quota window: more than the sweeper leaves between its rounds
SOON = timedelta(seconds=QUOTA_LINGER)
REST = 1.0  # seconds in which it looks for clicks alone, once it found the quota used up


@dataclass
class BatchResult:
    """What a run came to.

    Attributes:
        done: answers written down, of calls and of proofs.
        more_due: something is due now.
        next_due: when the next thing is; None when there is nothing left.
    """

    done: int = 0
    more_due: bool = False
    next_due: datetime | None = None


def run_batch(tenant_id: UUID, *, interactive_only: bool = False) -> BatchResult:
    """Claim and carry out at most 20 due steps of a tenant, and prove nothing yet."""
    with in_tenant(tenant_id):
        runner = _Runner(tenant_id, interactive_only=interactive_only, width=1)
        runner.read_back()
        runner.ask()
        runner.land_all()
        return runner.result()


def prove_due(tenant_id: UUID, limit: int = 20 * WIDTH) -> BatchResult:
    """Read back accepted steps whose proof is due."""
    with in_tenant(tenant_id):
        runner = _Runner(tenant_id)
        runner.prove(limit)
        runner.land_all()
        return runner.result()


def run(tenant_id: UUID, *, seconds: float = ROUND, linger: float = LINGER) -> BatchResult:
    """Work on a tenant for a while: lost calls, due calls and due proofs, several batches at a time."""
    with in_tenant(tenant_id):
        runner = _Runner(tenant_id)
        runner.go_on(seconds, linger)
        runner.land_all()
        return runner.result()


def run_request(request: RevocationRequest, *, seconds: float) -> BatchResult:
    """Work on one request, for the person who waits for it. What is on its way after that lands by itself."""
    with in_tenant(request.tenant_id):
        runner = _Runner(request.tenant_id, request_id=request.pk)
        runner.go_on(seconds, linger=seconds)
        if runner.flights:
            runner.land_elsewhere()
        return runner.result()


class _Runner:
    """One process's work on one tenant: what it claimed and what is on its way."""

    def __init__(
        self, tenant_id: UUID, *, request_id: UUID | None = None, interactive_only: bool = False, width: int = WIDTH
    ) -> None:
        self.tenant = Tenant.objects.get(pk=tenant_id)
        self.narrowed = {"request_id": request_id, "interactive_only": interactive_only}
        self.width = width
        self.flights: list[Flight] = []
        self.done = 0
        self._sealer = Sealer(self.tenant.pk)
        self._quota_again_at: datetime | None = None
        self._rests_until = 0.0
        self._woke_another = False
        self._next_look_back = 0.0

    # --- Rounds -------------------------------------------------------------------------------------

    def go_on(self, seconds: float, linger: float) -> None:
        """Until nothing is due, nothing is on its way and nothing comes due within `linger`, or time is up."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.fill()
            if self.flights:
                self.land(timeout=max(0.0, end - time.monotonic()))
                continue
            due = self.next_due()
            if due is None:
                return
            pause = max(0.005, (due - timezone.now()).total_seconds())
            if due == self._quota_again_at and linger and not self.narrowed["request_id"]:
                # Nobody else would be there in the moment in which the next window opens.
                linger, end = QUOTA_LINGER, max(end, time.monotonic() + min(pause, QUOTA_LINGER) + seconds)
            if pause > linger or time.monotonic() + pause > end:
                return
            time.sleep(pause)

    def fill(self) -> None:
        if time.monotonic() >= self._next_look_back:
            self.read_back()
            self._next_look_back = time.monotonic() + 0.5
        # Proofs may take half of the room, so that neither waits for all of the other.
        self.prove(limit=LIMIT * max(1, self.room // 2))
        self.ask()

    @property
    def room(self) -> int:
        return max(0, self.width - len(self.flights))

    def land_all(self) -> None:
        while self.flights:
            self.land()

    def land(self, timeout: float | None = None) -> None:
        """Wait for something to come back, and write down all that has."""
        wait([flight.future for flight in self.flights], timeout=timeout, return_when=FIRST_COMPLETED)
        landed = [flight for flight in self.flights if flight.future.done()]
        self.flights = [flight for flight in self.flights if not flight.future.done()]
        if landed:
            self.settle(landed)

    def land_elsewhere(self) -> None:
        """Let a thread write down what is still on its way, so that nobody waits for a slow answer."""

        def finish() -> None:
            try:
                with tenant_context(self.tenant.pk):
                    self.land_all()
            except DatabaseFault:
                logger.warning("What came back late could not be written down; it will be read back.")
            finally:
                connection.close()

        threading.Thread(target=copy_context().run, args=(finish,), daemon=True, name="late-answers").start()

    def result(self) -> BatchResult:
        due = self.next_due()
        return BatchResult(self.done, bool(due and due <= timezone.now()), due)

    def next_due(self) -> datetime | None:
        """When the next call, read-back or proof of what this runner looks after is due."""
        steps = RevocationStep.objects.filter(tenant=self.tenant)
        if self.narrowed["request_id"]:
            steps = steps.filter(request_id=self.narrowed["request_id"])
        if self.narrowed["interactive_only"]:
            steps = steps.filter(interactive=True)
        now = timezone.now()
        if claims.running_with_due_steps(self.tenant.pk, **self.narrowed).exists():
            # Only Microsoft's quota can hold a due step up.
            calls = max(now, self._quota_again_at or now)
        else:
            waiting = steps.filter(state=State.WAITING, request__state=RevocationRequest.State.RUNNING)
            calls = waiting.aggregate(at=Min("not_before"))["at"]
        # Each is the first entry of a small index, however long the tenant's history is.
        proof = steps.filter(state=State.ACCEPTED).aggregate(at=Min("not_before"))["at"]
        lapse = steps.filter(state=State.CLAIMED).aggregate(at=Min("lease_until"))["at"]
        return min((at for at in (calls, proof, lapse) if at), default=None)

    # --- Sending ------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Claim due steps, commit the intent, send."""
        if not self.room:
            return
        if time.monotonic() < self._rests_until:
            requests = claims.open_requests(self.tenant.pk, **self.narrowed | {"interactive_only": True})
        else:
            requests, self._quota_again_at = claims.open_requests(self.tenant.pk, **self.narrowed), None
        on_their_way = len(self.flights)
        classes: dict[tuple[bool, bool], list[RevocationRequest]] = defaultdict(list)
        for request in requests:
            classes[request.interactive, request.interactive or request.high_priority].append(request)
        for (interactive, high_priority), group in classes.items():
            if self.room:
                self._ask(group, interactive, high_priority)
        if self._quota_again_at and len(self.flights) == on_their_way:
            opens_in = (self._quota_again_at - timezone.now()).total_seconds()
            self._rests_until = time.monotonic() + min(REST, opens_in)

    def _ask(self, requests: list[RevocationRequest], interactive: bool, high_priority: bool) -> None:
        with transaction.atomic():
            picked = claims.pick(self.tenant.pk, requests, LIMIT * self.room)
            kept, spoilt = self._within_quota(picked, interactive, high_priority), []
            for step in kept:
                step.tenant = self.tenant
                if not self._sealer.holds(step):
                    spoilt.append(step)
            mine = [step for step in kept if step not in spoilt] if spoilt else kept
            self._remember_sessions(mine)
            until = claims.lease()
            direct, local, looking = [], [], []
            for step in mine:
                step.state, step.lease_until = State.CLAIMED, until
                action = actions.get(step.action)
                if not action.local and action.look(step) is not None:
                    looking.append(step)
                    continue
                step.called_at = timezone.now()
                (local if action.local else direct).append(step)
            drafts = [entries.about(step, self._break(step)) for step in spoilt]
            claims.write(self.tenant.pk, kept)
            drafts += entries.started([*direct, *local])
            if drafts:
                audit.record_many(drafts)
        claims.fenced(kept)
        self.flights += launch(self.tenant, Kind.LOOK, looking, lambda step: actions.get(step.action).look(step))
        self.flights += launch(self.tenant, Kind.CALL, direct, lambda step: actions.get(step.action).call(step))
        if len(kept) == LIMIT * WIDTH and not self._woke_another:
            # More than one process's load: the next wakes the one after it, until every place is taken.
            self._woke_another = True
            nudge(self.tenant.pk)
        if local:
            self._perform(local)
        if spoilt:
            self._void({step.request_id: step.request for step in spoilt}.values())

    def _within_quota(self, picked: list[RevocationStep], interactive: bool, high: bool) -> list[RevocationStep]:
        """The steps that may go out now; those without a call to Microsoft always may."""
        calls = [step for step in picked if not actions.get(step.action).local]
        if not calls:
            return picked
        allowed = budget.take(self.tenant, len(calls), interactive=interactive, high_priority=high)
        if allowed.granted == len(calls):
            return picked
        if allowed.again_at:
            self._quota_again_at = min(self._quota_again_at or allowed.again_at, allowed.again_at)
        granted = {step.pk for step in calls[: allowed.granted]}
        return [step for step in picked if step.pk in granted or actions.get(step.action).local]

    def _remember_sessions(self, steps: list[RevocationStep]) -> None:
        """The before-image of a list's sign-outs: until when sessions were ended so far, by our copy, in one query."""
        bare = [
            step
            for step in steps
            if not step.interactive and step.target_type == "user" and not step.before and not step.observed
        ]
        bare = [step for step in bare if not actions.get(step.action).local]
        if not bare:
            return
        people = Person.objects.filter(tenant=self.tenant, pk__in=[step.target_id for step in bare])
        known = {str(pk): at for pk, at in people.values_list("pk", "sessions_valid_from")}
        for step in bare:
            at = known.get(step.target_id)
            observe(step, valid_from_before=at.isoformat() if at else None)

    def _break(self, step: RevocationStep) -> AuditEvent:
        """The stored step is not the one that was asked for."""
        step.outcome = _("This step was changed after it was asked for. It was not carried out.")
        step.outcome_code = "seal_broken"
        return proofs.finish(step, State.FAILED)

    def _void(self, requests: Iterable[RevocationRequest]) -> None:
        for request in requests:
            if request.needs_approval:
                approval.void(request, _("The steps are not the ones that were approved."))
        finish_if_done(self.tenant.pk, [request.pk for request in requests])

    def _perform(self, steps: list[RevocationStep]) -> None:
        """Do what is done in the portal's own database."""
        settled: list[tuple[RevocationStep, Outcome]] = []
        for step in steps:
            try:
                with transaction.atomic():
                    settled.append((step, actions.get(step.action).perform(step)))
            except Exception as error:
                logger.exception("A local step failed.")
                text = _("The portal failed to do this (%(error)s).") % {"error": type(error).__name__}
                settled.append((step, Outcome(Verdict.RETRY, text, "internal")))
        self._write_down([(step, proofs.called(step, outcome)) for step, outcome in settled])

    def prove(self, limit: int) -> None:
        """Read accepted steps back whose proof is due."""
        if self.room:
            steps = claims.take_for_proof(self.tenant, min(limit, LIMIT * self.room), **self.narrowed)
            self.flights += launch(self.tenant, Kind.PROOF, steps, answers.proof_of)

    def read_back(self) -> None:
        """Look after claims that lapsed: back to waiting where nothing was sent, else read back."""
        if not self.room:
            return
        steps = claims.take_for_reading_back(self.tenant, LIMIT * self.room, **self.narrowed)
        unsent = [step for step in steps if step.called_at is None]
        local = [step for step in steps if step.called_at and actions.get(step.action).local]
        lost = [step for step in steps if step.called_at and not actions.get(step.action).local]
        self.flights += launch(self.tenant, Kind.READ_BACK, lost, answers.proof_of)
        for step in unsent:
            proofs.put_off(step, timezone.now())
        if unsent:
            self._write_down([(step, None) for step in unsent])
        if local:
            self._perform(local)

    # --- Landing ------------------------------------------------------------------------------------

    def settle(self, landed: list[Flight]) -> None:
        """Write down what came back, and send what was only looked at so far."""
        results: list[tuple[RevocationStep, AuditEvent | None]] = []
        calling: list[RevocationStep] = []
        throttled: list[tuple[RevocationStep, Outcome]] = []
        for flight in landed:
            answer = flight.future.result()
            for place, step in enumerate(flight.steps):
                item = answer if isinstance(answer, GraphError) else answer[place]
                outcome = answers.outcome(flight.kind, step, item)
                if flight.kind == Kind.LOOK:
                    self._sealer.vouch(step)
                if outcome is None:
                    calling.append(step)
                elif flight.kind == Kind.PROOF:
                    results.append((step, proofs.proved(step, outcome)))
                elif flight.kind == Kind.READ_BACK:
                    results.append((step, proofs.read_back(step, actions.get(step.action), outcome)))
                elif outcome.verdict == Verdict.THROTTLED:
                    throttled.append((step, outcome))
                else:
                    results.append((step, proofs.called(step, outcome)))
        self._write_down(results, calling, throttled)

    def _write_down(
        self,
        results: list[tuple[RevocationStep, AuditEvent | None]],
        calling: list[RevocationStep] = (),
        throttled: list[tuple[RevocationStep, Outcome]] = (),
    ) -> None:
        now = timezone.now()
        everything = [step for step, _event in results] + list(calling) + [step for step, _outcome in throttled]
        with transaction.atomic():
            states = self._request_states({step.request_id for step in everything})
            if throttled:
                longest = max((outcome.retry_after or 0.0) for _step, outcome in throttled) or None
                blocked = budget.throttled(self.tenant, longest)
                results = [*results, *((step, proofs.called(step, out, blocked)) for step, out in throttled)]
            going = []
            for step in calling:
                if states[step.request_id] == RevocationRequest.State.RUNNING:
                    step.called_at, step.lease_until = now, claims.lease()
                    going.append(step)
                else:
                    proofs.put_off(step, now)
                    results.append((step, None))
            for step, _event in results:
                if step.state == State.WAITING and states[step.request_id] in CLOSED:
                    step.state, step.finished_at, step.not_before = State.CANCELLED, now, None
            written = claims.write(self.tenant.pk, everything)
            going = [step for step in going if step.pk in written]
            results = [(step, event) for step, event in results if step.pk in written]
            drafts = [entries.about(step, event) for step, event in results if event]
            drafts += entries.started(going)
            if drafts:
                audit.record_many(drafts)
        claims.fenced(everything)
        self.done += len(results)
        self.flights += launch(self.tenant, Kind.CALL, going, lambda step: actions.get(step.action).call(step))
        answers.tell_the_copy([step for step, _event in results if step.state == State.VERIFIED])
        ended = {step.request_id for step, _event in results if step.state in RevocationStep.FINAL}
        if ended:
            finish_if_done(self.tenant.pk, ended)

    def _request_states(self, request_ids: set[UUID]) -> dict[UUID, str]:
        """The requests' states, held still until the transaction ends, so that a cancellation misses no step."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, state FROM revocation_revocationrequest WHERE id = ANY(%s) ORDER BY id FOR SHARE",
                [list(request_ids)],
            )
            return dict(cursor.fetchall())
