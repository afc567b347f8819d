from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from accounts.access import Actor
from accounts.management.naming import find_tenants
from accounts.owner import as_owner, may_take_out
from portal.leaving.offboarding import CannotLeave, check, offboard


class Command(BaseCommand):
    help = (
        "Export a tenant (rows, record, signed manifest) to a folder, read it back, and destroy everything the portal"
        " holds of it. Needs DATABASE_OWNER_URL. With --check, only check such a folder."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("tenant", nargs="?", help="slug, domain or id")
        parser.add_argument("--output", type=Path, help="folder to make; on storage that is yours to hand over")
        parser.add_argument("--yes-destroy", metavar="NAME", help="the tenant's name, instead of being asked for it")
        parser.add_argument("--stop", action="store_true", help="cancel what is open")
        parser.add_argument("--check", type=Path, metavar="FOLDER", help="say whether an exported folder is whole")

    def handle(self, *args, tenant=None, output=None, yes_destroy=None, stop=False, **options) -> None:
        if options["check"]:
            self._check(options["check"])
            return
        if not tenant or not output:
            raise CommandError("Name a tenant, and with --output the folder to export it to.")
        with as_owner():
            if not may_take_out():
                raise CommandError("This role may take nothing out of the record. Set DATABASE_OWNER_URL.")
            (row,) = find_tenants(tenant)
            self._confirm(row.name, yes_destroy)
            try:
                gone = offboard(row, output, Actor.command_line(row.pk), stop=stop)
            except CannotLeave as why:
                raise CommandError(f"Nothing was destroyed. {why}") from why
        self.stdout.write(f"{row.name} is exported to {output} and destroyed: {sum(gone.values())} rows.")
        self.stdout.write("In Entra its administrator removes the portal's app: nobody else can.")

    def _confirm(self, name: str, given: str | None) -> None:
        if given is None:
            self.stdout.write(f"This destroys everything the portal holds of {name}. Type its name to go on:")
            try:
                given = input("> ")
            except EOFError:
                given = ""
        if given.strip() != name:
            raise CommandError(f"That is not {name}: nothing was done.")

    def _check(self, folder: Path) -> None:
        if faults := check(folder):
            for fault in faults:
                self.stdout.write(f"  - {fault}")
            raise CommandError(f"{folder} is NOT what was exported.")
        self.stdout.write(f"{folder} is what was exported, and the record in it holds.")
