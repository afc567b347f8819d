"""Carries steps out, a turn at a time: claim, commit the intent, ask Microsoft in batches, write down what came back.

    send what is due      claim it and send it in batches    one short transaction for each kind of step
    settle                write down what came back          one short transaction for all that is there

No transaction is open while a batch is on its way, and no thread but the caller's touches the database. A process
that dies anywhere in between leaves a claim whose lease lapses; with `called_at` set its fate is read back before
anything is repeated. See docs/architecture.md, "The life of a step".
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import Error as DatabaseFault, connection, transaction
from django.db.models import Min
from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy import in_tenant, tenant_context
from audit import heads, services as audit
from directory.models import Person
from graph.batch import LIMIT
from revocation import actions
from revocation.actions.base import observe
from revocation.models import RevocationRequest, RevocationStep
from revocation.nudges import nudge
from revocation.rules.reach import Reach
from revocation.spine import budget, claims, entries, proofs, settling
from revocation.spine.batches import WIDTH, Batch, Kind, send
from revocation.spine.finishing import finish_if_done
from revocation.steps import Sealer

logger = logging.getLogger(__name__)

State = RevocationStep.State
TURN = 5.0  # seconds a worker stays with one tenant before others have their turn
LINGER = 2.0  # seconds it waits for something that is about to be due
QUOTA_LINGER = 12.0  # seconds it waits for a new quota window: more than the sweeper leaves between its rounds
REST = 1.0  # seconds in which it looks for clicks alone, once it found the quota used up
LOOK_BACK = 0.5  # seconds between two looks for claims that lapsed


@dataclass(frozen=True)
class TurnResult:
    """What a turn came to.

    Attributes:
        done: answers written down, of calls and of proofs.
        next_due: when there is something to do again, which may be now; None when there is nothing left.
    """

    done: int
    next_due: datetime | None

    def is_due_within(self, seconds: float) -> bool:
        return self.next_due is not None and self.next_due <= timezone.now() + timedelta(seconds=seconds)


def turn(tenant_id: UUID, *, seconds: float = TURN, linger: float = LINGER) -> TurnResult:
    """Work on a tenant for a while: lost calls, due calls and due proofs, several batches at a time.

    Args:
        seconds: for how long; 0 is one round: what is due now, as far as it fits, and what comes of it.
        linger: how long to wait for something that is about to be due.
    """
    with in_tenant(tenant_id):
        if _stands_still(tenant_id):
            return TurnResult(0, None)
        work = _Work(Tenant.objects.get(pk=tenant_id))
        work.go_on(seconds, linger)
        work.settle_all()
        return TurnResult(work.done, work.next_due())


def run_request(request: RevocationRequest, *, seconds: float) -> TurnResult:
    """Work on one request, for the person who waits for it. What is on its way after that is written down later."""
    with in_tenant(request.tenant_id):
        if _stands_still(request.tenant_id):
            return TurnResult(0, None)
        work = _Work(Tenant.objects.get(pk=request.tenant_id), request_id=request.pk)
        work.go_on(seconds, linger=seconds)
        if work.on_their_way:
            work.settle_elsewhere()
        return TurnResult(work.done, work.next_due())


def _stands_still(tenant_id: UUID) -> bool:
    """A database older than its own record was restored: what it calls waiting may be done. A person has to say so."""
    if known := heads.ahead(tenant_id):
        logger.error(
            "Nothing is carried out in tenant %s: a signed head is of entry %d, which the database does not have."
            " After a restore run `manage.py after_restore`.",
            tenant_id,
            known.sequence,
        )
    return known is not None


class _Work:
    """One turn: what this process claimed, what is on its way, and what the quota said.

    Args:
        request_id: work on this request alone.
    """

    def __init__(self, tenant: Tenant, request_id: UUID | None = None) -> None:
        self.tenant, self.request_id = tenant, request_id
        self.on_their_way: list[Batch] = []
        self.done = 0
        self._sealer = Sealer(tenant.pk)
        self._reach = Reach(tenant)
        self._quota_again_at: datetime | None = None  # while the quota holds something up
        self._rests_until = self._looks_back_at = 0.0  # on the monotonic clock
        self._woke_another = False

    # --- Rounds -------------------------------------------------------------------------------------

    def go_on(self, seconds: float, linger: float) -> None:
        """Until nothing is due, nothing is on its way and nothing comes due within `linger`, or time is up."""
        end = time.monotonic() + seconds
        while True:
            self.send_what_is_due()
            if self.on_their_way:
                self.settle(timeout=max(0.0, end - time.monotonic()))
            elif pause := self._pause(linger, end):
                time.sleep(pause)
                if pause > linger:  # for a new window of the quota: whoever waited for it makes use of it
                    end = time.monotonic() + seconds
            else:
                return
            if time.monotonic() >= end:
                return

    def _pause(self, linger: float, end: float) -> float | None:
        """Seconds until something is due; None where nothing is that is worth waiting for."""
        due = self.next_due()
        if due is None:
            return None
        pause = max(0.005, (due - timezone.now()).total_seconds())
        if pause <= linger:
            return pause if time.monotonic() + pause <= end else None
        # Nobody else would be there in the moment in which the next window opens.
        for_the_quota = due == self._quota_again_at and linger and not self.request_id
        return pause if for_the_quota and pause <= QUOTA_LINGER else None

    def next_due(self) -> datetime | None:
        """When the next call, read-back or proof is due, of the tenant or of the one request."""
        steps = RevocationStep.objects.filter(tenant=self.tenant)
        if self.request_id:
            steps = steps.filter(request_id=self.request_id)
        now = timezone.now()
        if claims.running_with_due_steps(self.tenant.pk, request_id=self.request_id).exists():
            # Only Microsoft's quota can hold a due step up.
            calls = max(now, self._quota_again_at or now)
        else:
            waiting = steps.filter(state=State.WAITING, request__state=RevocationRequest.State.RUNNING)
            calls = waiting.aggregate(at=Min("not_before"))["at"]
        # Each is the first entry of a small index, however long the tenant's history is.
        proof = steps.filter(state=State.ACCEPTED).aggregate(at=Min("not_before"))["at"]
        lapse = steps.filter(state=State.CLAIMED).aggregate(at=Min("lease_until"))["at"]
        return min((at for at in (calls, proof, lapse) if at), default=None)

    @property
    def room(self) -> int:
        """Batches that may still be sent."""
        return max(0, WIDTH - len(self.on_their_way))

    # --- Sending ------------------------------------------------------------------------------------

    def send_what_is_due(self) -> None:
        if time.monotonic() >= self._looks_back_at:
            self.read_back()
            self._looks_back_at = time.monotonic() + LOOK_BACK
        # Proofs may take half of the room, so that neither waits for all of the other.
        self.prove(limit=LIMIT * max(1, self.room // 2))
        self.ask()

    def read_back(self) -> None:
        """Look after claims that lapsed: back to waiting where nothing was sent, else read back."""
        steps = claims.take_for_reading_back(self.tenant, LIMIT * self.room, request_id=self.request_id)
        unsent = [step for step in steps if step.called_at is None]
        local = [step for step in steps if step.called_at and actions.get(step.action).local]
        lost = [step for step in steps if step.called_at and not actions.get(step.action).local]
        self._send(Kind.READ_BACK, lost)
        if unsent:
            for step in unsent:
                proofs.put_off(step, timezone.now())
            self._written(settling.write(self.tenant, settling.Fates([(step, None) for step in unsent])))
        if local:
            self._written(settling.write(self.tenant, settling.perform(local)))

    def prove(self, limit: int) -> None:
        """Read accepted steps back whose proof is due."""
        limit = min(limit, LIMIT * self.room)
        self._send(Kind.PROOF, claims.take_for_proof(self.tenant, limit, request_id=self.request_id))

    def ask(self) -> None:
        """Claim due steps, as many as the quota lets out: clicks first, then what is urgent, then the rest."""
        if not self.room:
            return
        before = len(self.on_their_way)
        resting = time.monotonic() < self._rests_until
        if not resting:
            self._quota_again_at = None
        requests = claims.open_requests(self.tenant.pk, request_id=self.request_id, interactive_only=resting)
        classes: dict[tuple[bool, bool], list[RevocationRequest]] = defaultdict(list)
        for request in requests:
            classes[request.interactive, request.interactive or request.high_priority].append(request)
        for (interactive, high_priority), group in classes.items():
            if self.room:
                self._ask(group, interactive, high_priority)
        if self._quota_again_at and len(self.on_their_way) == before:
            again_in = (self._quota_again_at - timezone.now()).total_seconds()
            self._rests_until = time.monotonic() + min(REST, again_in)

    def _ask(self, requests: list[RevocationRequest], interactive: bool, high_priority: bool) -> None:
        """Claim, and commit the intent; then send."""
        self._reach.read_roles(requests)
        with transaction.atomic():
            picked = claims.pick(self.tenant.pk, requests, LIMIT * self.room)
            kept = self._within_quota(picked, interactive, high_priority)
            for step in kept:
                step.tenant = self.tenant
            spoilt = [step for step in kept if not self._sealer.holds(step)]
            protected = self._reach.objections(step for step in kept if step not in spoilt)
            mine = [step for step in kept if step not in spoilt and step.pk not in protected]
            self._remember_sessions(mine)
            looking, calling, local = self._claim(mine)
            claimed = entries.started([*calling, *local])
            broken = [entries.about(step, settling.break_off(step)) for step in spoilt]
            broken += [
                entries.about(step, settling.refuse(step, protected[step.pk])) for step in kept if step.pk in protected
            ]
            claims.write(self.tenant.pk, kept)
            if broken or claimed:
                audit.record_many([*broken, *claimed])
        claims.fenced(kept)
        self._send(Kind.LOOK, looking)
        self._send(Kind.CALL, calling)
        if len(kept) == LIMIT * WIDTH and not self._woke_another:
            # More than one process's load: the next wakes the one after it, until every place is taken.
            self._woke_another = True
            nudge(self.tenant.pk)
        if local:
            self._written(settling.write(self.tenant, settling.perform(local)))
        if spoilt:
            settling.void(self.tenant, spoilt)
        if protected:
            finish_if_done(self.tenant.pk, {step.request_id for step in kept if step.pk in protected})

    def _claim(self, steps: list[RevocationStep]) -> tuple[list[RevocationStep], ...]:
        """Take steps: those to be looked at first, those to be called at once, those done in our own database."""
        until = claims.lease()
        looking, calling, local = [], [], []
        for step in steps:
            step.state, step.lease_until = State.CLAIMED, until
            action = actions.get(step.action)
            if not action.local and action.look(step) is not None:
                looking.append(step)
                continue
            step.called_at = timezone.now()
            (local if action.local else calling).append(step)
        return looking, calling, local

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

    def _send(self, kind: Kind, steps: Sequence[RevocationStep]) -> None:
        self.on_their_way += send(self.tenant, kind, steps)

    # --- Settling -----------------------------------------------------------------------------------

    def settle_all(self) -> None:
        while self.on_their_way:
            self.settle()

    def settle(self, timeout: float | None = None) -> None:
        """Wait for something to come back, write down all that has, and send what was only looked at so far."""
        wait([batch.answers for batch in self.on_their_way], timeout=timeout, return_when=FIRST_COMPLETED)
        back = [batch for batch in self.on_their_way if batch.answers.done()]
        self.on_their_way = [batch for batch in self.on_their_way if batch not in back]
        if back:
            self._written(settling.write(self.tenant, settling.read(back, self._sealer)))

    def _written(self, settled: settling.Settled) -> None:
        self.done += settled.results
        self._send(Kind.CALL, settled.calling)

    def settle_elsewhere(self) -> None:
        """Let a thread write down what is still on its way, so that nobody waits for a slow answer."""

        def finish() -> None:
            try:
                with tenant_context(self.tenant.pk):
                    self.settle_all()
            except DatabaseFault:
                logger.warning("What came back late could not be written down; it will be read back.")
            finally:
                connection.close()

        threading.Thread(target=copy_context().run, args=(finish,), daemon=True, name="late-answers").start()
