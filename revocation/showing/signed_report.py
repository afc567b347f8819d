"""The one-page report for the incident file: what was asked, what became of it, signed so that it can be checked.

The signature is Ed25519 (RFC 8032) over the canonical JSON of the report. Its private key is derived from AUDIT_KEYS
for this tenant and this purpose; the public key stands in the file, so that others can check it without any secret.
"""

import base64
import hashlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

from audit import canonical, keys
from audit.models import ChainHead
from revocation import selectors
from revocation.models import RevocationRequest, RevocationStep
from revocation.showing import figures

FORMAT = "consentry-report/1"
PURPOSE = "report"
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


def sign(report: dict[str, Any]) -> dict[str, Any]:
    """The report in an envelope with key id, public key and signature."""
    key_id = keys.newest()
    private = _private_key(key_id, report["tenant"]["id"])
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        "format": FORMAT,
        "report": report,
        "algorithm": "Ed25519",
        "key_id": key_id,
        "public_key": public.hex(),
        "signature": base64.b64encode(private.sign(canonical.encode(report))).decode(),
    }


def faults(envelope: Any, *, public_key: str = "") -> list[str]:
    """What is wrong with a signed report; nothing when it is as this portal wrote it.

    Args:
        public_key: hex, told to the reader by another way; without it the portal's own AUDIT_KEYS decide.
    """
    if not isinstance(envelope, dict) or envelope.get("format") != FORMAT:
        return [f"This is not a {FORMAT} file."]
    try:
        report, stated = envelope["report"], str(envelope["public_key"])
        expected = public_key.lower() or _public_key(envelope["key_id"], report["tenant"]["id"])
        signature = base64.b64decode(envelope["signature"], validate=True)
        content = canonical.encode(report)
    except keys.UnknownKey as unknown:
        return [f"The report is signed with the key {unknown}, which is not among AUDIT_KEYS."]
    except (KeyError, TypeError, ValueError):
        return ["The file cannot be read: a part is missing or malformed."]
    found = [] if stated == expected else ["The file names a public key that is not the portal's."]
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(expected)).verify(signature, content)
    except (InvalidSignature, ValueError):
        found.append("The signature does not hold: the report was changed, or is not from this portal.")
    return found


def results_faults(envelope: dict, rows: list[dict]) -> list[str]:
    """Whether downloaded results are the ones the report was written about."""
    count, digest = digest_of_results(rows)
    stated = envelope["report"]["results"]
    if (count, digest) != (stated["rows"], stated["sha256"]):
        return [f"The results are not the ones reported: {count} rows here, {stated['rows']} in the report."]
    return []


def _private_key(key_id: str, tenant_id: str | UUID) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keys.derive(key_id, PURPOSE, str(tenant_id)))


def _public_key(key_id: str, tenant_id: str) -> str:
    public = _private_key(key_id, tenant_id).public_key()
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def _instant(moment) -> str | None:
    return canonical.instant(moment) if moment else None
