"""The record as a file: JSON Lines with a header, every entry with its MAC, and the signed head at the end.

The file can be checked offline, with the keys and without the database: `manage.py verify_audit --file`.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit import canonical, chain, heads
from audit.chain import Head, Report
from audit.models import AuditEntry, ChainHead

FORMAT = "consentry-audit/1"


def lines(tenant_id: UUID) -> Iterator[str]:
    """The whole record of a tenant, line by line, in constant memory, up to the head as it stands now."""
    head = ChainHead.objects.filter(tenant_id=tenant_id).first()
    newest = head.sequence if head else 0
    at = canonical.instant(timezone.now())
    yield _line({"type": "header", "format": FORMAT, "tenant_id": str(tenant_id), "entries": newest, "at": at})
    entries = AuditEntry.objects.filter(tenant_id=tenant_id, sequence__lte=newest).order_by("sequence")
    for entry in entries.iterator(chunk_size=1000):
        yield _line({"type": "entry", **chain.fields_of(entry), "mac": bytes(entry.mac).hex()})
    mac = bytes(head.mac).hex() if head else chain.GENESIS.hex()
    yield _line({"type": "head", **heads.sign(Head(str(tenant_id), newest, mac))})


def verify_file(path: Path, heads_dir: Path | None = None) -> Report:
    """Check an exported file, in constant memory. Heads exported before it was written must be contained in it."""
    reader = _Reader(path)
    tenant_id = reader.tenant_id
    exported, faults = heads.load(heads_dir, tenant_id) if heads_dir else ([], [])
    report = chain.verify_rows(tenant_id, reader.entries(), exported)
    report.integrity[:0] = reader.faults + faults
    if reader.head is None:
        report.completeness.append("The file has no valid signed head: its end is missing.")
    elif reader.head.sequence != report.head.sequence:
        report.completeness.append(
            f"The file's head says {reader.head.sequence} entries; the newest found is {report.head.sequence}."
        )
    elif reader.head != report.head and reader.head.sequence:
        report.integrity.append("The file's signed head does not match its newest entry.")
    return report


class _Reader:
    """Yields the entries of a file, and collects what is wrong with its frame."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: list[str] = []
        self.head: Head | None = None
        first = next(self._rows(), {})
        if first.get("type") != "header" or first.get("format") != FORMAT:
            self.faults.append(f"The file does not begin with a {FORMAT} header.")
        self.tenant_id = str(first.get("tenant_id", ""))
        self._announced = first.get("entries")

    def entries(self) -> Iterator[tuple[dict[str, Any], str]]:
        count = 0
        for number, row in enumerate(self._rows(), 1):
            kind = row.pop("type", None)
            if self.head is not None:
                self.faults.append(f"Line {number} follows the head.")
            if kind == "entry":
                count += 1
                mac = row.pop("mac", "")
                yield row, mac if isinstance(mac, str) else ""
            elif kind == "head":
                self.head = heads.check(row)
                if self.head is None or self.head.tenant_id != self.tenant_id:
                    self.faults.append("The signature of the file's head does not hold.")
            elif kind != "header" or number != 1:
                self.faults.append(f"Line {number} cannot be read.")
        if count != self._announced:
            self.faults.append(f"The header announces {self._announced} entries; the file holds {count}.")

    def _rows(self) -> Iterator[dict[str, Any]]:
        with self.path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    row = json.loads(line)
                except ValueError:
                    row = {}
                yield row if isinstance(row, dict) else {}


def write(tenant_id: UUID, path: Path) -> int:
    """Write a tenant's record to a file. Returns how many entries it holds."""
    rows: Iterable[str] = lines(tenant_id)
    with path.open("w", encoding="utf-8") as file:
        return sum(1 for line in rows if file.write(line)) - 2


def _line(row: dict[str, Any]) -> str:
    return canonical.encode(row).decode() + "\n"
