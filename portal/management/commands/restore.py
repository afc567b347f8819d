from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from portal.database import dumps


class Command(BaseCommand):
    help = "Bring a backup into the empty database that DATABASE_URL names, and pause everything that is open in it."
    requires_system_checks = []

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args, file: Path, **options) -> None:
        if not settings.DATABASE_OWNER_URL:
            raise CommandError("DATABASE_OWNER_URL is not set: it names the role that is to own the tables.")
        try:
            manifest = dumps.restore(settings.DATABASE_OWNER_URL, file)
        except dumps.DumpProblem as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"Restored {sum(manifest.rows.values())} rows, as of {manifest.at}.")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("after_restore", stdout=self.stdout)
