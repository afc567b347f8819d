from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from audit.management.reading import read_json
from revocation.showing import signed_report


class Command(BaseCommand):
    help = "Check a signed revocation report, and the results it was written about. Needs no database."
    requires_system_checks = []

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path, help="the signed report (JSON)")
        parser.add_argument("--results", type=Path, help="the downloaded results (JSON), to check them as well")
        parser.add_argument("--public-key", default="", help="hex; without it AUDIT_KEYS of this portal decide")

    def handle(self, *args, file: Path, results: Path | None, public_key: str, **options) -> None:
        envelope = read_json(file)
        faults = signed_report.faults(envelope, public_key=public_key)
        if not faults and results:
            faults = signed_report.results_faults(envelope, read_json(results))
        for fault in faults:
            self.stdout.write(f"  - {fault}")
        if faults:
            raise CommandError(f"{file.name} is NOT what was written.")
        report = envelope["report"]
        self.stdout.write(f"{report['title']} ({report['request_id']}): the signature holds.")
        if results:
            self.stdout.write(f"The results are the ones reported: {report['results']['rows']} rows.")
