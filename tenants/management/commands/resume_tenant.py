from django.core.management.base import BaseCommand, CommandError

from accounts.access import Actor
from accounts.management.naming import find_tenants
from tenants import standing


class Command(BaseCommand):
    help = "Let the people of a suspended tenant in again, and go on with what was under way; on its record."

    def add_arguments(self, parser) -> None:
        parser.add_argument("tenant", help="slug, domain or id")
        parser.add_argument("--reason", default="", help="for the tenant's record")

    def handle(self, *args, tenant, reason, **options) -> None:
        (row,) = find_tenants(tenant)
        try:
            standing.resume(row, Actor.command_line(row.pk), reason)
        except standing.NotNow as why:
            raise CommandError(f"Nothing was changed: {why}") from why
        self.stdout.write(f"{row.name} is active.")
