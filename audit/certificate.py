"""A certificate of a check of the record: what was checked, when, up to which entry, and what was found; signed.

Whoever keeps it can show later that the record had come this far by then and was whole, and against an exported record
that this is the one: `manage.py verify_certificate FILE --record EXPORT`.
"""

from pathlib import Path
from typing import Any

from django.utils import timezone

from accounts.models import Tenant
from audit import canonical, export, heads
from audit.chain import Head, Report
from audit.envelopes import Envelope

ENVELOPE = Envelope("consentry-certificate/1", name="certificate", purpose="certificate")
CHECKED = [
    "Every entry's MAC covers what it says and the entry before it: none was edited, inserted, swapped or taken out.",
    "The chain reaches the head that the database keeps, and contains every signed head kept outside the database.",
    "Keys only moved forward along the chain.",
]


def certify(tenant: Tenant, report: Report, heads_dir: Path) -> dict[str, Any]:
    """The result of a check that was just made, as a signed file says it."""
    sealed = heads.newest(tenant.pk, heads_dir)
    return ENVELOPE.sign(
        canonical.plain(
            {
                "tenant": {"id": tenant.pk, "name": tenant.name, "domain": tenant.domain},
                "checked_at": canonical.instant(timezone.now()),
                "checked": CHECKED,
                "entries": report.entries,
                "head": {"sequence": report.head.sequence, "mac": report.head.mac},
                "sealed_outside": {"sequence": sealed.sequence, "mac": sealed.mac, "at": sealed.at} if sealed else None,
                "integrity": {"holds": not report.integrity, "faults": report.integrity},
                "completeness": {
                    "holds": not report.completeness and not report.unproven and sealed is not None,
                    "faults": report.completeness,
                    "unproven": report.unproven,
                },
                "notes": report.notes,
            }
        )
    )


def record_faults(envelope: dict[str, Any], record: Path) -> list[str]:
    """What is wrong with an exported record (`audit.export`), and whether it is the one that a certificate is about."""
    said = envelope[ENVELOPE.name]
    head = Head(said["tenant"]["id"], said["head"]["sequence"], said["head"]["mac"])
    report = export.verify_file(record, also=[head] if head.sequence else [])
    other = [] if report.tenant_id == head.tenant_id else ["The record is another tenant's than the certificate."]
    return other + report.integrity + report.completeness
