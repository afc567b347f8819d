"""`manage.py sync_directory`: read directories now, and say what came of it."""

from django.core.management.base import BaseCommand, CommandError

from accounts.access import Actor
from accounts.management.naming import find_tenants
from accounts.models import Tenant
from accounts.tenancy import no_context
from directory import sync
from directory.models import Collection


class Command(BaseCommand):
    help = "Read the directory of one tenant, or of every connected one, into the copy. Fails when a list is not whole."

    def add_arguments(self, parser):
        parser.add_argument("--tenant", help="slug, domain or tenant id; without it, every connected tenant")
        parser.add_argument(
            "--kind", action="append", choices=Collection.Kind.values, help="only this kind; repeatable"
        )
        parser.add_argument("--full", action="store_true", help="read the lists anew, and not only what changed")

    def handle(self, *args, tenant, kind, full, **options):
        with no_context():
            incomplete = False
            for one in _tenants(tenant):
                report = sync.sync_tenant(one, kind, actor=Actor.command_line(), full=full)
                incomplete |= not report.complete
                self._say(one, report)
        if incomplete:
            raise CommandError("Not every list is complete.")

    def _say(self, tenant: Tenant, report: sync.SyncReport) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(f"{tenant.name} ({tenant.pk})"))
        if report.busy:
            self.stdout.write("  another process is reading this tenant now")
        for kind in report.kinds:
            label = Collection.Kind(kind.kind).label
            of = f" of {kind.graph_count}" if kind.graph_count is not None else ""
            if kind.complete:
                self.stdout.write(f"  {label}: {kind.rows}{of}, {kind.removed} removed{_left_out(kind)}")
            else:
                self.stdout.write(self.style.ERROR(f"  {label}: {kind.rows}{of}; {kind.error}"))


def _left_out(kind: sync.KindReport) -> str:
    return f", {kind.unreadable} could not be read" if kind.unreadable else ""


def _tenants(name: str | None) -> list[Tenant]:
    return find_tenants(name) if name else [one for one in find_tenants(None) if one.is_active]
