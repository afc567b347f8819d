from pathlib import Path

from django.core.management.base import BaseCommand

from accounts.access import Actor
from accounts.management.naming import find_tenants
from accounts.tenancy import tenant_context
from audit import export, services
from audit.models import AuditEvent


class Command(BaseCommand):
    help = "Write a tenant's audit record as JSON Lines, with a signed head. `verify_audit --file` checks it."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--tenant", required=True, help="slug, domain or id")
        parser.add_argument("--output", type=Path, help="file to write; standard output without it")

    def handle(self, *args, tenant: str, output: Path | None = None, **options) -> None:
        (row,) = find_tenants(tenant)
        with tenant_context(row.id):
            services.record(AuditEvent.AUDIT_EXPORTED, tenant_id=row.id, actor=Actor.command_line())
            if output is None:
                self.stdout.writelines(export.lines(row.id))
                return
            count = export.write(row.id, output)
        self.stdout.write(f"{count} entries written to {output}.")
