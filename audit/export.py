"""The record as a file: JSON Lines with a header, every entry with its MAC, and the signed head at the end.

The file can be checked offline, with the keys and without the database: `manage.py verify_audit --file`.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit import canonical, chain, head_files, heads
from audit.chain import Head, Report
from audit.models import AuditEntry, ChainHead

FORMAT = "consentry-audit/2"


def lines(tenant_id: UUID) -> Iterator[str]:
    """The whole record of a tenant, line by line, in constant memory, up to the head as it stands now."""
    stored = ChainHead.objects.filter(tenant_id=tenant_id).first()
    newest, mac = (stored.sequence, bytes(stored.mac).hex()) if stored else (0, chain.GENESIS.hex())
    head = Head(str(tenant_id), newest, mac, canonical.instant(timezone.now()))
    yield _line(_header(head))
    entries = AuditEntry.objects.filter(tenant_id=tenant_id, sequence__lte=newest).order_by("sequence")
    for entry in entries.iterator(chunk_size=1000):
        yield _line({"type": "entry", **chain.fields_of(entry), "mac": bytes(entry.mac).hex()})
    yield _line({"type": "head", **heads.sign(head)})


def _header(head: Head) -> dict[str, Any]:
    """Nothing but what the head at the end says and signs: so that no word of the first line can be changed."""
    said = {"tenant_id": head.tenant_id, "entries": head.sequence, "at": head.at}
    return {"type": "header", "format": FORMAT, **said}


def verify_file(path: Path, heads_dir: Path | None = None) -> Report:
    """Check an exported file, in constant memory. Heads exported before it was written must be contained in it."""
    reader = _Reader(path)
    found = heads.load(heads_dir, reader.tenant_id) if heads_dir else head_files.Found()
    # The header's time is the signed head's, or a fault below.
    before = [head for head in found.heads if head.at <= reader.at or head.sequence <= reader.announced]
    report = chain.verify_rows(reader.tenant_id, reader.entries(), before)
    report.integrity[:0] = reader.faults + found.faults
    report.unproven += found.unread
    report.notes += found.notes
    if reader.head is None:
        report.completeness.append("The file has no valid signed head: its end is missing.")
        return report
    report.notes.append(f"the record as it stood at {reader.head.at}")
    if reader.head.sequence != report.head.sequence:
        report.completeness.append(
            f"The file's head says {reader.head.sequence} entries; the newest found is {report.head.sequence}."
        )
    elif reader.head != report.head and reader.head.sequence:
        report.integrity.append("The file's signed head does not match its newest entry.")
    if not heads_dir:
        report.notes.append("not compared with the signed heads kept outside the database: --heads names their folder")
    elif not found.heads and report.entries:
        report.unproven.append(f"{heads_dir} holds no signed head of this tenant to compare the file with.")
    return report


class _Reader:
    """Yields the entries of a file, and collects what is wrong with its frame."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: list[str] = []
        self.head: Head | None = None
        self._header, _exact = next(self._rows(), ({}, True))
        if self._header.get("type") != "header" or self._header.get("format") != FORMAT:
            self.faults.append(f"The file does not begin with a {FORMAT} header.")
        self.tenant_id = str(self._header.get("tenant_id", ""))
        self.at = str(self._header.get("at", ""))
        announced = self._header.get("entries")
        self.announced = announced if isinstance(announced, int) else 0

    def entries(self) -> Iterator[tuple[dict[str, Any], str]]:
        count = 0
        for number, (row, exact) in enumerate(self._rows(), 1):
            if not exact:
                self.faults.append(f"Line {number} is not spelled as it was written: readers may differ about it.")
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
        if count != self.announced:
            self.faults.append(f"The header announces {self.announced} entries; the file holds {count}.")
        if self.head is not None and self._header != _header(self.head):
            self.faults.append("The file's header says something else than its signed head.")

    def _rows(self) -> Iterator[tuple[dict[str, Any], bool]]:
        """Each line as JSON, and whether it is the one spelling of what it says: a field named twice is not."""
        with self.path.open("rb") as file:
            for line in file:
                try:
                    row = json.loads(line)
                    exact = _line(row).encode() == line
                except (ValueError, RecursionError):
                    row, exact = {}, False
                yield (row, exact) if isinstance(row, dict) else ({}, False)


def write(tenant_id: UUID, path: Path) -> int:
    """Write a tenant's record to a file. Returns how many entries it holds."""
    rows: Iterable[str] = lines(tenant_id)
    with path.open("w", encoding="utf-8") as file:
        return sum(1 for line in rows if file.write(line)) - 2


def _line(row: dict[str, Any]) -> str:
    return canonical.encode(row).decode() + "\n"
