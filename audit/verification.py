"""Judging a tenant's live record by what stands inside the database and outside of it."""

from pathlib import Path
from uuid import UUID

from accounts.ids import OPERATOR
from accounts.models import Tenant
from accounts.tenancy import in_tenant
from audit import chain, heads
from audit.chain import Report


def verify(tenant_id: UUID, directory: Path) -> Report:
    """Check the whole chain, and that the signed heads in `directory` are of it, without gaps and up to date."""
    found = heads.load(directory, tenant_id)
    with in_tenant(tenant_id):
        report = chain.verify(tenant_id, found.heads)
        lag = heads.lag(tenant_id, directory)
    report.integrity += found.faults
    report.unproven += found.unread
    report.notes += found.notes
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
