from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.database import dumps


class Command(BaseCommand):
    help = "Write the whole database to FILE, and beside it a signed manifest of how many rows it holds."
    requires_system_checks = []

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args, file: Path, **options) -> None:
        if not settings.DATABASE_BACKUP_URL:
            raise CommandError("DATABASE_BACKUP_URL is not set: the portal's own role sees no tenant's rows.")
        try:
            manifest = dumps.back_up(settings.DATABASE_BACKUP_URL, file)
        except dumps.DumpProblem as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(
            f"{file}: {sum(manifest.rows.values())} rows of {len(manifest.rows)} tables, as of {manifest.at}"
        )
