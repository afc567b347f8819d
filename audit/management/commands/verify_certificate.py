from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from audit import certificate
from audit.management.reading import read_json


class Command(BaseCommand):
    help = "Check a certificate of the audit record, and an exported record against it. Needs no database."
    requires_system_checks = []

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path, help="the certificate (JSON)")
        parser.add_argument("--record", type=Path, help="an exported record (JSON Lines), to check it as well")
        parser.add_argument("--public-key", default="", help="hex; without it AUDIT_KEYS of this portal decide")

    def handle(self, *args, file: Path, record: Path | None, public_key: str, **options) -> None:
        envelope = read_json(file)
        faults = certificate.ENVELOPE.faults(envelope, public_key=public_key)
        if not faults and record:
            faults = certificate.record_faults(envelope, record)
        for fault in faults:
            self.stdout.write(f"  - {fault}")
        if faults:
            raise CommandError(f"{file.name} does NOT hold.")
        said = envelope["certificate"]
        self.stdout.write(f"{said['tenant']['name']}, {said['checked_at']}: the signature holds.")
        for part in ("integrity", "completeness"):
            self.stdout.write(f"  {part}: {'holds' if said[part]['holds'] else 'did NOT hold when it was checked'}")
        self.stdout.write(f"  {said['entries']} entries, up to no. {said['head']['sequence']}")
        if record:
            self.stdout.write("  The record contains that entry as it was.")
