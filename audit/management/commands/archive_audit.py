from datetime import timedelta

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.access import Actor
from accounts.ids import OPERATOR
from accounts.management.naming import find_tenants
from accounts.owner import as_owner, may_take_out
from accounts.tenancy import tenant_context
from audit.archive import ArchiveProblem, archive


class Command(BaseCommand):
    help = (
        "Move audit entries older than AUDIT_KEEP_DAYS into signed files under AUDIT_ARCHIVE_DIR. Needs"
        " DATABASE_OWNER_URL: the role that the portal runs under may take nothing out of the record. Run it monthly."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("--tenant", help="slug, domain or id; every tenant, and the operator's, without it")
        parser.add_argument("--older-than", type=int, metavar="DAYS", help="instead of AUDIT_KEEP_DAYS")

    def handle(self, *args, tenant=None, older_than=None, **options) -> None:
        days = settings.AUDIT_KEEP_DAYS if older_than is None else older_than
        if days < settings.KEEP_REQUESTS_DAYS:
            raise CommandError(
                f"Requests are kept for {settings.KEEP_REQUESTS_DAYS} days (KEEP_REQUESTS_DAYS), and the record says of"
                " each whether it is over: entries have to stay as long."
            )
        before = timezone.now() - timedelta(days=days)
        with as_owner():
            if not may_take_out():
                raise CommandError("This role may take nothing out of the record. Set DATABASE_OWNER_URL.")
            names = [(row.pk, row.name) for row in find_tenants(tenant)]
            for tenant_id, name in [*names, *([] if tenant else [(OPERATOR, "the operator's record")])]:
                self._archive(tenant_id, name, before)

    def _archive(self, tenant_id, name, before) -> None:
        count, last = 0, 0
        with tenant_context(tenant_id):
            try:
                for segment in archive(tenant_id, before, Actor.command_line(tenant_id)):
                    count, last = count + segment.last - segment.first + 1, segment.last
            except ArchiveProblem as problem:
                raise CommandError(f"{name}: {problem}") from problem
        self.stdout.write(f"{name}: {count} entries archived" + (f", up to entry {last}." if count else "."))
