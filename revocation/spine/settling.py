"""Writes down what became of steps: one short transaction for all that is there at the moment."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.utils import timezone

from accounts import durations
from accounts.models import Tenant
from audit import services as audit
from audit.models import AuditEvent
from graph.errors import GraphError, ThrottleScope
from graph.sentences import gettext as _
from revocation import actions
from revocation.actions.base import Outcome, Verdict
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules import approval
from revocation.spine import answers, budget, claims, entries, proofs
from revocation.spine.batches import Batch, Kind
from revocation.spine.finishing import finish_if_done
from revocation.steps import Sealer

logger = logging.getLogger(__name__)

State = RevocationStep.State
CLOSED = {RevocationRequest.State.CANCELLED, RevocationRequest.State.REJECTED, RevocationRequest.State.EXPIRED}


@dataclass
class Fates:
    """What became of claimed steps, in memory so far.

    Attributes:
        results: with the event to record, where there is one.
        looked_at: what is there was read; now they may be called.
        throttled: Microsoft asked us to wait.
        done: of the results, those that Microsoft has just done.
    """

    results: list[tuple[RevocationStep, AuditEvent | None]] = field(default_factory=list)
    looked_at: list[RevocationStep] = field(default_factory=list)
    throttled: list[tuple[RevocationStep, Outcome]] = field(default_factory=list)
    done: list[RevocationStep] = field(default_factory=list)


@dataclass
class Settled:
    """What was written: how many results, and the steps whose call may leave now that its intent is committed."""

    results: int
    calling: list[RevocationStep]


def read(batches: Sequence[Batch], sealer: Sealer) -> Fates:
    """What the answers of these batches mean."""
    fates = Fates()
    for batch in batches:
        answered = batch.answers.result()
        for place, step in enumerate(batch.steps):
            answer = answered if isinstance(answered, GraphError) else answered[place]
            outcome = answers.outcome(batch.kind, step, answer)
            if batch.kind == Kind.LOOK:
                sealer.vouch(step)
            if outcome is None:
                fates.looked_at.append(step)
            elif batch.kind == Kind.PROOF:
                fates.results.append((step, proofs.proved(step, outcome)))
            elif batch.kind == Kind.READ_BACK:
                fates.results.append((step, proofs.read_back(step, actions.get(step.action), outcome)))
            elif outcome.verdict == Verdict.THROTTLED:
                fates.throttled.append((step, outcome))
            else:
                fates.results.append((step, proofs.called(step, outcome)))
                if batch.kind == Kind.CALL and outcome.verdict == Verdict.ACCEPTED:
                    fates.done.append(step)
    return fates


def perform(steps: Sequence[RevocationStep]) -> Fates:
    """Do what is done in the portal's own database."""
    fates = Fates()
    for step in steps:
        try:
            with transaction.atomic():
                outcome = actions.get(step.action).perform(step)
        except Exception as error:
            logger.exception("A local step failed.")
            text = _("The portal failed to do this (%(error)s).") % {"error": type(error).__name__}
            outcome = Outcome(Verdict.RETRY, text, "internal")
        fates.results.append((step, proofs.called(step, outcome)))
    return fates


def write(tenant: Tenant, fates: Fates) -> Settled:
    """Commit fates with their entries, each only if its step is still ours, and tell the copy and the requests."""
    everything = [step for step, _event in [*fates.results, *fates.throttled]] + fates.looked_at
    with transaction.atomic():
        states, asked = _requests({step.request_id for step in everything})
        results = [*fates.results, *_told_to_wait(tenant, fates.throttled)]
        budget.accepted(tenant, [step.called_at for step in fates.done])
        calling, stopped = _may_be_called(fates.looked_at, states)
        results += [(step, None) for step in stopped]
        _cancel_with_their_requests([step for step, _event in results], states)
        written = claims.write(tenant.pk, everything)
        calling = [step for step in calling if step.pk in written]
        results = [(step, event) for step, event in results if step.pk in written]
        told = [entries.about(step, event) for step, event in results if event] + entries.started(calling)
        if told:
            audit.record_many(told)
    claims.fenced(everything)
    verified = [step for step, _event in results if step.state == State.VERIFIED]
    _tell_how_long(verified, asked)
    answers.update_copy(verified)
    ended = {step.request_id for step, _event in results if step.state in RevocationStep.FINAL}
    if ended:
        finish_if_done(tenant.pk, ended)
    return Settled(len(results), calling)


def break_off(step: RevocationStep) -> AuditEvent:
    """The stored step is not the one that was asked for."""
    step.outcome = _("This step was changed after it was asked for. It was not carried out.")
    step.outcome_code = "seal_broken"
    return proofs.finish(step, State.FAILED)


def refuse(step: RevocationStep, why: str) -> AuditEvent:
    """A rule protects whom it is about, from whoever asked or agreed, by the roles of today."""
    step.outcome = _("%(why)s Nothing was changed.") % {"why": why}
    step.outcome_code = "protected"
    return proofs.finish(step, State.FAILED)


def void(tenant: Tenant, spoilt: Sequence[RevocationStep]) -> None:
    """An approval does not hold for steps that were changed."""
    theirs = {step.request_id: step.request for step in spoilt}
    for request in theirs.values():
        if request.needs_approval:
            approval.void(request, _("The steps are not the ones that were approved."))
    finish_if_done(tenant.pk, theirs)


def _told_to_wait(
    tenant: Tenant, throttled: Sequence[tuple[RevocationStep, Outcome]]
) -> list[tuple[RevocationStep, AuditEvent | None]]:
    waits: dict[ThrottleScope, float] = {}
    for _step, outcome in throttled:
        waits[outcome.scope] = max(outcome.retry_after or 0.0, waits.get(outcome.scope, 0.0))
    # The app's row first: rows of quotas are locked in the order of their keys by everybody.
    in_order = sorted(waits, key=lambda scope: scope != ThrottleScope.APP)
    until = {scope: budget.throttled(tenant, waits[scope] or None, scope) for scope in in_order}
    return [(step, proofs.called(step, outcome, until[outcome.scope])) for step, outcome in throttled]


def _may_be_called(
    looked_at: Sequence[RevocationStep], states: dict
) -> tuple[list[RevocationStep], list[RevocationStep]]:
    """Steps that are called next, and those whose request was stopped meanwhile."""
    calling, stopped, now = [], [], timezone.now()
    for step in looked_at:
        if states[step.request_id] == RevocationRequest.State.RUNNING:
            step.called_at, step.lease_until = now, claims.lease()
            calling.append(step)
        else:
            proofs.put_off(step, now)
            stopped.append(step)
    return calling, stopped


def _cancel_with_their_requests(steps: Sequence[RevocationStep], states: dict) -> None:
    for step in steps:
        if step.state == State.WAITING and states[step.request_id] in CLOSED:
            step.state, step.finished_at, step.not_before = State.CANCELLED, timezone.now(), None


def _requests(request_ids: set) -> tuple[dict, dict]:
    """The requests' states, and since when each may be carried out.

    They are held still until the transaction ends, so that a cancellation misses no step.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, state, coalesce(approved_at, created_at), high_priority FROM revocation_revocationrequest"
            " WHERE id = ANY(%s) ORDER BY id FOR SHARE",
            [list(request_ids)],
        )
        rows = cursor.fetchall()
    return {pk: state for pk, state, *_ in rows}, {pk: asked for pk, _, *asked in rows}


def _tell_how_long(steps: Sequence[RevocationStep], asked: dict) -> None:
    """For the figures: what Microsoft did, not what the portal did by itself."""
    for step in (step for step in steps if not actions.get(step.action).local):
        since, urgent = asked[step.request_id]
        lane = "click" if step.interactive else "urgent" if urgent else "mass"
        durations.PROVED.add((step.finished_at - since).total_seconds(), lane)
