"""Turning what a person asked for into rows: one transaction with request, steps and audit entry, whatever the size."""

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts import locks
from accounts.access import Actor
from accounts.models import Tenant
from audit import canonical, services as audit
from audit.models import AuditEvent
from graph.sentences import made
from revocation import actions
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules import granting
from revocation.rules.hits import Hits
from revocation.rules.refusals import NothingToRevoke
from revocation.steps import INTERACTIVE_LIMIT, Digest, Sealer, StepDraft, line

# The same steps asked for again by the same person within this time are one double click.
DOUBLE_CLICK = timedelta(seconds=10)
CHUNK = 1000

State = RevocationRequest.State


class _Again(Exception):
    """The request exists already: roll back and use that one."""

    def __init__(self, request: RevocationRequest) -> None:
        self.request = request


def create(
    *,
    tenant: Tenant,
    actor: Actor,
    kind: str,
    title: str,
    steps: Iterable[StepDraft],
    reason: str,
    ticket: str,
    interactive: bool,
    high_priority: bool,
    follows: RevocationRequest | None,
    needs_approval: bool | None,
    first_only: bool = False,
) -> RevocationRequest:
    """Store a request with its steps and its audit entry, or nothing at all; of a double click, the first one's.

    `steps` is read once, as a stream: memory does not grow with it.

    Raises:
        NothingToRevoke: `steps` is empty.
        NotGranted: the tenant did not grant what a step needs; with `first_only`, what the first one needs.
    """
    request = RevocationRequest(
        tenant=tenant,
        kind=kind,
        title=title if len(title) <= 256 else title[:256],
        title_made=canonical.plain(made(title)),
        actor_id=actor.id,
        actor_label=canonical.text(actor.label)[:256],
        reason=canonical.text(reason),
        ticket=canonical.text(ticket)[:64],
        interactive=interactive,
        high_priority=high_priority,
        follows=follows,
        digest="",
        step_count=0,
    )
    try:
        with transaction.atomic():
            _queue_behind_double_click(tenant, actor)
            _store(request, tenant, actor, _granted(tenant, steps, first_only), needs_approval)
    except _Again as again:
        return again.request
    return request


def _granted(tenant: Tenant, steps: Iterable[StepDraft], first_only: bool) -> Iterator[StepDraft]:
    gate = granting.Gate(tenant, first_only=first_only)
    for step in steps:
        gate.admit(step)
        yield step


def _store(request, tenant, actor, steps, needs_approval) -> None:
    request.save()
    counted = _insert_steps(request, steps)
    if not counted.steps:
        raise NothingToRevoke
    request.digest, request.step_count = counted.digest, counted.steps
    request.actions, request.people_count = counted.by_action, counted.hits.people()
    if earlier := _asked_just_now(request):
        raise _Again(earlier)
    if request.interactive and counted.steps > INTERACTIVE_LIMIT:
        request.interactive = False
        RevocationStep.objects.filter(request=request).update(interactive=False)
    if needs_approval is None:
        needs_approval = counted.hits.need_second_person(actor, besides=request)
    request.needs_approval = needs_approval
    if needs_approval:
        request.state = State.AWAITING_APPROVAL
        request.approval_expires_at = timezone.now() + timedelta(minutes=settings.REVOCATION_APPROVAL_MINUTES)
    request.seal = Sealer(tenant.pk).seal_request(request)
    request.save()
    single = counted.first if counted.steps == 1 else None
    audit.record(
        AuditEvent.REVOCATION_REQUESTED,
        tenant_id=tenant.pk,
        actor=actor,
        about=counted.person(),
        action=request.kind,
        target_type=single.target_type if single else "request",
        target_id=single.target_id if single else str(request.pk),
        target_label=single.target_label if single else request.title,
        reason=request.reason,
        ticket=request.ticket,
        request_id=request.pk,
        before=single.before if single else None,
        after={
            "title": request.title,
            "digest": request.digest,
            "steps": request.step_count,
            "actions": counted.by_action,
            "needs_approval": request.needs_approval,
            **({"follows": str(request.follows_id)} if request.follows_id else {}),
        },
    )


class _Counted:
    """What passed by while the steps were stored."""

    def __init__(self, tenant: Tenant) -> None:
        self.steps = 0
        self.by_action: dict[str, int] = {}
        self.first: StepDraft | None = None
        self.digest = ""
        self.hits = Hits(tenant)
        self._named: dict[str, str] = {}  # people by id, as long as there is one at most

    def add(self, draft: StepDraft) -> None:
        self.steps += 1
        self.by_action[draft.action] = self.by_action.get(draft.action, 0) + 1
        self.first = self.first or draft
        self.hits.add(draft)
        if draft.target_type == "user" and len(self._named) <= 1:
            self._named.setdefault(draft.target_id, draft.target_label)

    def person(self) -> Actor | None:
        """The one person that it is all about: whom its title names."""
        return Actor(*next(iter(self._named.items()))) if len(self._named) == 1 else None


_INSERT = """
INSERT INTO revocation_revocationstep (tenant_id, request_id, position, action, target_type, target_id, target_label,
    params, before, urgency, interactive, seal, state, attempts, proofs, graph_request_id, outcome_code, outcome)
SELECT %s, %s, (v->>0)::int, v->>1, v->>2, v->>3, v->>4, v->5, nullif(v->6, 'null'), (v->>7)::smallint, %s, v->>8,
    'waiting', 0, 0, '', '', ''
FROM jsonb_array_elements(%s::jsonb) AS v
"""


def _insert_steps(request: RevocationRequest, drafts: Iterable[StepDraft]) -> _Counted:
    """Store the steps in chunks while the digest runs along."""
    counted, digest, sealer = _Counted(request.tenant), Digest(), Sealer(request.tenant_id)
    known = actions.all_actions()
    numbered: Iterator[tuple[int, StepDraft]] = enumerate(drafts)
    while chunk := list(islice(numbered, CHUNK)):
        rows = []
        for position, draft in chunk:
            if draft.action not in known:
                raise ValueError(f"There is no action {draft.action!r}.")
            step = _clean(draft)
            content = line(step, position)
            digest.add(content)
            counted.add(step)
            what = (step.action, step.target_type, step.target_id, step.target_label, step.params, step.before)
            rows.append((position, *what, step.urgency, sealer.seal(request.pk, content, step.before)))
        with connection.cursor() as cursor:
            parameters = [request.tenant_id, request.pk, request.interactive, json.dumps(rows)]
            cursor.execute(_INSERT, parameters)
    counted.digest = digest.hex()
    return counted


def _clean(draft: StepDraft) -> StepDraft:
    """The draft as the database will give it back, so that digest and seal can be checked against the rows."""
    return StepDraft(
        action=draft.action,
        target_type=draft.target_type,
        target_id=canonical.text(str(draft.target_id)),
        target_label=canonical.text(str(draft.target_label))[:256],
        params=canonical.plain(draft.params),
        before=canonical.plain(draft.before),
        urgency=draft.urgency,
    )


def _queue_behind_double_click(tenant: Tenant, actor: Actor) -> None:
    """Let one person's requests in one tenant be stored one after the other, so that the second sees the first."""
    locks.wait(f"submit:{tenant.pk}:{actor.id}")


def _asked_just_now(request: RevocationRequest) -> RevocationRequest | None:
    same = RevocationRequest.objects.filter(
        tenant_id=request.tenant_id,
        actor_id=request.actor_id,
        kind=request.kind,
        digest=request.digest,
        follows_id=request.follows_id,
        created_at__gt=timezone.now() - DOUBLE_CLICK,
    )
    # What was undone or retried meanwhile may well be asked for again.
    same = same.exclude(state__in=RevocationRequest.STOPPED).exclude(pk=request.pk)
    same = same.filter(followers__isnull=True)
    return same.order_by("-created_at").first()
