"""Judging a tenant's live record by what stands inside the database and outside of it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

from accounts.ids import OPERATOR
from accounts.models import Tenant
from accounts.tenancy import in_tenant
from audit import archive, chain, heads, personal
from audit.chain import Passed, Report, Row
from audit.models import AuditEntry, AuditEvent


def verify(tenant_id: UUID, directory: Path, archives: Path | None = None) -> Report:
    """Check the whole chain, archived segments and names included, and that the signed heads in `directory` are of it.

    Args:
        archives: where the segments are; AUDIT_ARCHIVE_DIR without it.
    """
    found = heads.load(directory, tenant_id)
    with in_tenant(tenant_id):
        archived, said = archive.Reader.of(tenant_id, archives), _Erased()
        report = chain.verify(tenant_id, found.heads, said.heard(archived.rows()))
        lag = heads.lag(tenant_id, directory)
        erased = None if archived.missing or archived.unread else said.people | _erased_lately(tenant_id)
        report.integrity += personal.faults(tenant_id, erased)
    report.integrity += found.faults + archived.faults
    report.completeness += archived.missing
    report.unproven += found.unread + archived.unread
    report.notes += found.notes
    if archived.manifests:
        report.notes.append(f"entries up to {archived.manifests[-1].get('last')} are in the archive")
    if not report.entries or not lag.entries:
        return report
    since = f"{lag.since:%Y-%m-%d %H:%M} UTC"
    if lag.sealed is None and lag.is_late:
        report.unproven.append(
            f"{directory} holds no signed head, and entries are there since {since}:"
            " were some cut off the end, nothing would show it."
        )
    elif lag.sealed is None:
        report.notes.append("no signed head was exported yet: entries cut off the end would not be noticed")
    elif lag.is_late:
        report.notes.append(
            f"the newest signed head is of entry {lag.sealed.sequence}: no head vouches for the"
            f" {lag.entries} since {since}; heads are not being written"
        )
    return report


def verify_folder(folder: Path, directory: Path | None = None) -> Report:
    """Check a tenant's folder of segments by itself: what `offboard` leaves, or a copy. Needs no database.

    Args:
        directory: signed heads; those of entries in the folder must agree with it.
    """
    archived = archive.Reader.of_folder(folder)
    tenant_id = str(archived.manifests[0].get("tenant_id", "")) if archived.manifests else folder.name
    last = max((body["last"] for body in archived.manifests if isinstance(body.get("last"), int)), default=0)
    found = heads.load(directory, tenant_id) if directory else None
    known = [head for head in found.heads if head.sequence <= last] if found else []
    report = chain.verify_rows(tenant_id, archived.rows(), known)
    report.integrity += archived.faults + (found.faults if found else [])
    report.completeness += archived.missing if archived.manifests else ["No manifest is in this folder."]
    return report


class _Erased:
    """Whose names the record says were erased, heard while entries pass by."""

    def __init__(self) -> None:
        self.people: set[str] = set()

    def heard(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            if not isinstance(row, Passed) and row[0].get("event") == AuditEvent.PERSON_ERASED:
                self.people |= set((row[0].get("after") or {}).get("people", ()))
            yield row


def _erased_lately(tenant_id: UUID) -> set[str]:
    told = AuditEntry.objects.filter(tenant_id=tenant_id, event=AuditEvent.PERSON_ERASED)
    return {person for after in told.values_list("after", flat=True) for person in (after or {}).get("people", ())}


def vanished(directory: Path) -> list[tuple[UUID, Report]]:
    """Tenants that signed heads speak of and the database does not. Those who left are on record as having left."""
    reports = []
    for tenant_id in sorted(heads.tenants(directory) - {OPERATOR, *Tenant.objects.values_list("id", flat=True)}):
        found = heads.load(directory, tenant_id)
        if found.ended and not found.faults:
            report = Report(str(tenant_id), notes=[f"left the portal at {found.ended}, as a signed line says"])
        else:
            report = verify(tenant_id, directory)
            report.completeness.append("Signed heads speak of this tenant, and the database knows it no more.")
        reports.append((tenant_id, report))
    return reports
