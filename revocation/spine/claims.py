"""Taking steps for this process: short transactions that decide who does what, before anything is sent.

A claim is a state with a lease. The lease is also a fence: whoever wants to write a step's fate down must still hold
the very lease it was claimed under, so that a process that slept through its lease changes nothing any more.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Tenant
from audit import canonical, keys
from graph.sentences import english, made
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules import approval

State = RevocationStep.State
OPEN_REQUESTS = 50  # requests looked at in one claim, the oldest of each kind first

_PICK = """
WITH picked AS MATERIALIZED (
    SELECT c.id FROM unnest(%(requests)s::uuid[]) AS r(id) CROSS JOIN LATERAL (
        SELECT id, urgency FROM revocation_revocationstep
        WHERE request_id = r.id AND tenant_id = %(tenant)s AND state = 'waiting'
          AND (not_before IS NULL OR not_before <= %(now)s)
        ORDER BY urgency, position LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ) c ORDER BY c.urgency, c.id LIMIT %(limit)s
)
SELECT s.* FROM revocation_revocationstep s JOIN picked USING (id)
JOIN revocation_revocationrequest q ON q.id = s.request_id AND q.state = 'running'
ORDER BY s.urgency, s.id
"""

_TAKE = """
UPDATE revocation_revocationstep s SET {held}
FROM (
    SELECT id FROM revocation_revocationstep
    WHERE tenant_id = %(tenant)s AND state = '{state}' AND {due} <= %(now)s
      AND (%(request)s::uuid IS NULL OR request_id = %(request)s)
    ORDER BY {due} LIMIT %(limit)s FOR UPDATE SKIP LOCKED
) due WHERE s.id = due.id RETURNING s.*
"""
_TAKE_FOR_PROOF = _TAKE.format(
    state="accepted", due="not_before", held="lease_until = %(until)s, not_before = %(until)s"
)
_TAKE_FOR_READING_BACK = _TAKE.format(state="claimed", due="lease_until", held="lease_until = %(until)s")

# What a step's fate is made of, as the database calls its types.
_FATE = {
    "state": "text",
    "not_before": "timestamptz",
    "lease_until": "timestamptz",
    "called_at": "timestamptz",
    "attempts": "smallint",
    "proofs": "smallint",
    "accepted_at": "timestamptz",
    "finished_at": "timestamptz",
    "graph_request_id": "text",
    "outcome_code": "text",
    "outcome": "text",
    "outcome_made": "jsonb",
    "observed": "jsonb",
}
_WRITE = f"""
UPDATE revocation_revocationstep s SET {", ".join(f"{name} = v.{name}" for name in _FATE)}
FROM json_to_recordset(%s) AS v(id bigint, fence_state text, fence_lease timestamptz,
    {", ".join(f"{name} {kind}" for name, kind in _FATE.items())})
WHERE s.id = v.id AND s.tenant_id = %s AND s.state = v.fence_state AND s.lease_until IS NOT DISTINCT FROM v.fence_lease
RETURNING s.id
"""  # noqa: S608 - made of our own names

# Approvals whose stored steps this process has compared with the approved digest: (request, when approved).
_compared: set[tuple[UUID, datetime]] = set()


def open_requests(
    tenant_id: UUID, *, request_id: UUID | None = None, interactive_only: bool = False
) -> list[RevocationRequest]:
    """Requests that have due steps and may go on; an approval that no longer holds is voided on the way."""
    found = running_with_due_steps(tenant_id, request_id=request_id, interactive_only=interactive_only)
    found = found.order_by("-interactive", "-high_priority", "created_at")
    requests = list(found[:OPEN_REQUESTS])
    over = approval.ended(requests)
    for request in requests:
        if request.pk in over:
            approval.close_again(request, over[request.pk])
    return [request for request in requests if request.pk not in over and _may_go_on(request)]


def running_with_due_steps(tenant_id: UUID, *, request_id: UUID | None = None, interactive_only: bool = False):
    """Requests under way of which something is due. Cost does not grow with the length of paused or waiting ones.

    What is sealed under a key that this process does not have is left to those that do: see `sealed_elsewhere`.
    """
    found = RevocationRequest.objects.filter(tenant_id=tenant_id, state=RevocationRequest.State.RUNNING)
    found = found.exclude(_sealed_elsewhere())
    if request_id:
        found = found.filter(pk=request_id)
    if interactive_only:
        found = found.filter(interactive=True)
    due = RevocationStep.objects.filter(is_due(timezone.now()), request=OuterRef("pk"), state=State.WAITING)
    return found.filter(Exists(due))


def sealed_elsewhere(tenant_id: UUID) -> list[RevocationRequest]:
    """Requests under way whose seal names a key that is not in AUDIT_KEYS here.

    While a key is brought in, processes that were restarted seal under it before the others know it. Nobody can tell
    yet whether such a request is what was asked for, so that it waits: it is neither carried out nor called changed.
    """
    found = RevocationRequest.objects.filter(tenant_id=tenant_id, state=RevocationRequest.State.RUNNING)
    return list(found.filter(_sealed_elsewhere())[:OPEN_REQUESTS])


def _sealed_elsewhere() -> Q:
    """A seal begins with its key's id. One that is no seal at all is broken, and not somebody else's."""
    known = keys.known()
    if not known:
        return Q(pk__in=[])  # whoever has no key at all comes to grief where something is to be recorded
    foreign = Q()
    for seal in ("seal", "approval_seal"):
        of_ours = Q()
        for key_id in known:
            of_ours |= Q(**{f"{seal}__startswith": key_id})
        foreign |= Q(**{f"{seal}__gt": ""}) & ~of_ours
    return foreign


def is_due(now: datetime) -> Q:
    return Q(not_before__isnull=True) | Q(not_before__lte=now)


def _may_go_on(request: RevocationRequest) -> bool:
    """Whether the request is as it was asked for, and needs no approval or has one that holds at this moment."""
    known = (request.pk, request.approved_at)
    # The whole list is compared once per process and approval; after that each step's own seal is.
    why = approval.objection(request, compare_steps=known not in _compared)
    if why:
        approval.void(request, why)
        return False
    if request.needs_approval:
        _compared.add(known)
    return True


def pick(tenant_id: UUID, requests: Sequence[RevocationRequest], limit: int) -> list[RevocationStep]:
    """Lock up to `limit` due steps of these requests, most urgent first. Must be in a transaction."""
    if not requests or limit <= 0:
        return []
    parameters = {
        "requests": [request.pk for request in requests],
        "tenant": tenant_id,
        "now": timezone.now(),
        "limit": limit,
    }
    found = list(RevocationStep.objects.raw(_PICK, parameters))
    by_id = {request.pk: request for request in requests}
    for step in found:
        step.request = by_id[step.request_id]
    return fenced(found)


def fenced(steps: list[RevocationStep]) -> list[RevocationStep]:
    """Remember under which state and lease each step was read."""
    for step in steps:
        step.fence = (step.state, step.lease_until)
    return steps


def lease() -> datetime:
    return timezone.now() + timedelta(seconds=settings.REVOCATION_LEASE_SECONDS)


def take_for_proof(tenant: Tenant, limit: int, *, request_id: UUID | None = None) -> list[RevocationStep]:
    """Claim accepted steps whose proof is due."""
    return _take(_TAKE_FOR_PROOF, tenant, limit, request_id)


def take_for_reading_back(tenant: Tenant, limit: int, *, request_id: UUID | None = None) -> list[RevocationStep]:
    """Claim steps whose lease lapsed: their call may or may not have been made."""
    return _take(_TAKE_FOR_READING_BACK, tenant, limit, request_id)


def _take(statement: str, tenant: Tenant, limit: int, request_id: UUID | None) -> list[RevocationStep]:
    if limit <= 0:
        return []
    parameters = {"tenant": tenant.pk, "request": request_id, "now": timezone.now(), "until": lease(), "limit": limit}
    steps = list(RevocationStep.objects.raw(statement, parameters))
    if not steps:
        return []
    requests = RevocationRequest.objects.in_bulk({step.request_id for step in steps})
    for step in steps:
        step.request, step.tenant = requests[step.request_id], tenant
    return fenced(steps)


def write(tenant_id: UUID, steps: Iterable[RevocationStep]) -> set[int]:
    """Store what became of steps, each only if it is still ours. Returns the ids of those that were."""
    rows = [_row(step) for step in steps]
    if not rows:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [json.dumps(rows, default=datetime.isoformat), tenant_id])
        return {pk for (pk,) in cursor.fetchall()}


def _row(step: RevocationStep) -> dict:
    fence_state, fence_lease = step.fence
    return {name: getattr(step, name) for name in _FATE} | {
        "id": step.pk,
        "fence_state": fence_state,
        "fence_lease": fence_lease,
        "graph_request_id": step.graph_request_id[:64],
        "outcome_code": step.outcome_code[:128],
        "outcome": canonical.text(english(step.outcome)),
        "outcome_made": canonical.plain(made(step.outcome)),
        "observed": canonical.plain(step.observed),
    }


def pending(tenant_id: UUID) -> bool:
    """Whether anything of this tenant is due now: at most three quick queries, for the sweeper."""
    now = timezone.now()
    steps = RevocationStep.objects.filter(tenant_id=tenant_id)
    return (
        running_with_due_steps(tenant_id).exists()
        or steps.filter(state=State.ACCEPTED, not_before__lte=now).exists()
        or steps.filter(state=State.CLAIMED, lease_until__lte=now).exists()
    )
