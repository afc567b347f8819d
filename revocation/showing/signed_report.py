"""The one-page report for the incident file: what was asked, what became of it, signed so that it can be checked."""

import hashlib
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from audit import canonical
from audit.envelopes import Envelope
from audit.models import ChainHead
from revocation import selectors
from revocation.models import RevocationRequest, RevocationStep
from revocation.showing import figures

ENVELOPE = Envelope("consentry-report/1", name="report", purpose="report")
FORMAT, sign, faults = ENVELOPE.format, ENVELOPE.sign, ENVELOPE.faults
NAMED = 12  # of those who need a human, as many are named as fit on a page; all are in the results


def build(request: RevocationRequest) -> dict[str, Any]:
    """Everything the report says, as plain JSON. Reads every step once, for the digest of the results."""
    counted = figures.figures(request)
    head = ChainHead.objects.filter(tenant_id=request.tenant_id).first()
    attention = selectors.steps(request, RevocationStep.FOR_A_HUMAN)[:NAMED]
    rows, results_digest = digest_of_results(figures.results(request))
    return canonical.plain(
        {
            "request_id": request.pk,
            "tenant": {"id": request.tenant_id, "name": request.tenant.name, "domain": request.tenant.domain},
            "kind": request.kind,
            "title": request.title,
            "state": request.state,
            "outcome": counted.outcome,
            "how_far": counted.how_far,
            "reason": request.reason,
            "ticket": request.ticket,
            "asked_by": {"id": request.actor_id, "name": request.actor_label, "at": _instant(request.created_at)},
            "approved_by": {
                "id": request.approver_id,
                "name": request.approver_label,
                "at": _instant(request.approved_at),
                "digest": request.approved_digest,
            }
            if request.approved_at
            else None,
            "digest_of_steps": request.digest,
            "steps": request.step_count,
            "counts": counted.counts,
            "first_accepted_at": _instant(counted.tally.first_accepted_at),
            "last_accepted_at": _instant(counted.tally.last_accepted_at),
            "finished_at": _instant(request.finished_at),
            "access_tokens_end_by": _instant(counted.tokens_end_at),
            "needs_a_human": [
                {
                    "name": step.target_label,
                    "id": step.target_id,
                    "action": step.action,
                    "state": step.state,
                    "why": step.outcome,
                    "graph_request_id": step.graph_request_id,
                }
                for step in attention
            ],
            "results": {"rows": rows, "sha256": results_digest},
            "audit": {"sequence": head.sequence, "mac": bytes(head.mac).hex()} if head else None,
            "written_at": _instant(timezone.now()),
        }
    )


def digest_of_results(rows: Iterable[dict]) -> tuple[int, str]:
    """How many rows there are and their SHA-256: over each row's canonical JSON and a line feed."""
    hashed, count = hashlib.sha256(), 0
    for row in rows:
        hashed.update(canonical.encode(canonical.plain(row)) + b"\n")
        count += 1
    return count, hashed.hexdigest()


def results_faults(envelope: dict, rows: list[dict]) -> list[str]:
    """Whether downloaded results are the ones the report was written about."""
    count, digest = digest_of_results(rows)
    stated = envelope["report"]["results"]
    if (count, digest) != (stated["rows"], stated["sha256"]):
        return [f"The results are not the ones reported: {count} rows here, {stated['rows']} in the report."]
    return []


def _instant(moment) -> str | None:
    return canonical.instant(moment) if moment else None
