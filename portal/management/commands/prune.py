import json

from django.core.management.base import BaseCommand

from accounts.access import Actor
from accounts.management.naming import find_tenants
from portal.retention import running


class Command(BaseCommand):
    help = "Delete what was kept long enough (KEEP_..._DAYS), as beat does daily. What went is on each tenant's record."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--tenant", help="slug, domain or id; every tenant, and what belongs to none, without it")
        parser.add_argument("--json", action="store_true", help="one line of JSON for each")

    def handle(self, *args, tenant=None, json=False, **options) -> None:
        for row in find_tenants(tenant):
            gone, _more = running.prune_tenant(row, Actor.command_line(row.pk))
            self._say(row.name, gone, json)
        if tenant is None:
            gone, _more = running.prune_shared(Actor.command_line())
            self._say("of no tenant", gone, json)

    def _say(self, name: str, gone: dict[str, int], as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"name": name, "deleted": dict(gone)}))
            return
        told = ", ".join(f"{count} of {what}" for what, count in gone.items())
        self.stdout.write(f"{name}: {told or 'nothing is due'}.")
