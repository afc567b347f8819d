from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.management.naming import find_tenants
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from audit import chain, export, heads
from audit.chain import Report


class Command(BaseCommand):
    help = "Check the audit record: a tenant's, every tenant's, or an exported file (needs no database)."
    requires_system_checks = []

    def add_arguments(self, parser) -> None:
        parser.add_argument("--tenant", help="slug, domain or id; every tenant without it")
        parser.add_argument("--file", type=Path, help="an exported record, checked without the database")
        parser.add_argument("--heads", type=Path, help="folder of exported signed heads (default: AUDIT_HEADS_DIR)")

    def handle(self, *args, tenant=None, file=None, heads=None, **options) -> None:
        if file:
            if not file.exists():
                raise CommandError(f"{file} does not exist.")
            reports = [(str(file), export.verify_file(file, heads))]
        else:
            reports = [(row.name, _verify_live(row, heads or settings.AUDIT_HEADS_DIR)) for row in find_tenants(tenant)]
        for name, report in reports:
            self._print(name, report)
        if not all(report.ok for _, report in reports):
            raise CommandError("The record is NOT what was written. Keep a copy of the database and of the heads.")

    def _print(self, name: str, report: Report) -> None:
        self.stdout.write(f"{name}: {report.entries} entries")
        for kind, faults in (("integrity", report.integrity), ("completeness", report.completeness)):
            self.stdout.write(f"  {kind}: {'FAULT' if faults else 'ok'}")
            for fault in faults:
                self.stdout.write(f"    - {fault}")
        for note in report.notes:
            self.stdout.write(f"  note: {note}")


def _verify_live(tenant: Tenant, heads_dir: Path) -> Report:
    exported, faults = heads.load(heads_dir, tenant.id)
    with tenant_context(tenant.id):
        report = chain.verify(tenant.id, exported)
    report.integrity.extend(faults)
    if report.entries and not exported:
        report.notes.append("no signed head was exported yet: entries cut off the end would not be noticed")
    return report
