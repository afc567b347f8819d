from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.ids import OPERATOR
from accounts.management.naming import find_tenants
from audit import export, verification
from audit.chain import Report


class Command(BaseCommand):
    help = "Check the audit record: a tenant's, every tenant's, or an exported file (needs no database)."
    requires_system_checks = []

    def add_arguments(self, parser) -> None:
        parser.add_argument("--tenant", help="slug, domain or id; every tenant without it, and those that are gone")
        parser.add_argument(
            "--file", type=Path, help="an exported record, or a tenant's folder of segments; without the database"
        )
        parser.add_argument("--heads", type=Path, help="folder of exported signed heads (default: AUDIT_HEADS_DIR)")
        parser.add_argument("--archives", type=Path, help="folder of archived segments (default: AUDIT_ARCHIVE_DIR)")

    def handle(self, *args, tenant=None, file=None, heads=None, archives=None, **options) -> None:
        if file:
            if not file.exists():
                raise CommandError(f"{file} does not exist.")
            is_folder = file.is_dir()
            report = verification.verify_folder(file, heads) if is_folder else export.verify_file(file, heads, archives)
            reports = [(str(file), report)]
        else:
            folder = heads or settings.AUDIT_HEADS_DIR
            reports = [(row.name, verification.verify(row.id, folder, archives)) for row in find_tenants(tenant)]
            if tenant is None:
                reports.append(("the operator's sign-ins", verification.verify(OPERATOR, folder, archives)))
                reports += [(str(gone), report) for gone, report in verification.vanished(folder)]
        for name, report in reports:
            self._print(name, report)
        if not all(report.untouched for _, report in reports):
            raise CommandError("The record is NOT what was written. Keep a copy of the database and of the heads.")
        if not all(report.ok for _, report in reports):
            raise CommandError("Nothing contradicts the record, but it cannot be shown that nothing was cut off it.")

    def _print(self, name: str, report: Report) -> None:
        self.stdout.write(f"{name}: {report.entries} entries")
        whole = "FAULT" if report.completeness else "NOT PROVEN" if report.unproven else "ok"
        self._list("integrity", "FAULT" if report.integrity else "ok", report.integrity)
        self._list("completeness", whole, report.completeness + report.unproven)
        for note in report.notes:
            self.stdout.write(f"  note: {note}")

    def _list(self, kind: str, verdict: str, faults: list[str]) -> None:
        self.stdout.write(f"  {kind}: {verdict}")
        for fault in faults:
            self.stdout.write(f"    - {fault}")
