"""The record as a file: JSON Lines with a header, names, every entry with its MAC, and the signed head at the end.

Entries that left the database are there as the signed manifest of their segment; one that names an erased person in
clear is withheld, and its MAC stands for it. The file can be checked offline, with the keys and without the database:
`manage.py verify_audit --file`.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit import archive, canonical, chain, head_files, heads, personal
from audit.chain import Head, Passed, Report, Row
from audit.models import AuditEvent, ChainHead, Label, Redaction

FORMAT = "consentry-audit/3"


def lines(tenant_id: UUID) -> Iterator[str]:
    """The whole record of a tenant, line by line, in constant memory, up to the head as it stands now."""
    stored = ChainHead.objects.filter(tenant_id=tenant_id).first()
    newest, mac = (stored.sequence, bytes(stored.mac).hex()) if stored else (0, chain.GENESIS.hex())
    head = Head(str(tenant_id), newest, mac, canonical.instant(timezone.now()))
    yield _line(_header(head))
    for label in Label.objects.filter(tenant_id=tenant_id, erased_at=None).order_by("pk").iterator(chunk_size=1000):
        said = {"person_id": label.person_id, "text": label.text, "key": bytes(label.key).hex(), "ref": label.ref}
        yield _line({"type": "name", **said})
    for manifest in archive.Reader.of(tenant_id).manifests:
        yield _line({"type": "archived", "manifest": manifest})
    withheld = set(Redaction.objects.filter(tenant_id=tenant_id).values_list("sequence", flat=True))
    for fields, mac in chain.live(tenant_id, upto=newest):
        if fields["sequence"] in withheld:
            yield _line({"type": "withheld", "sequence": fields["sequence"], "mac": mac})
        else:
            yield _line({"type": "entry", **fields, "mac": mac})
    yield _line({"type": "head", **heads.sign(head)})


def _header(head: Head) -> dict[str, Any]:
    """Nothing but what the head at the end says and signs: so that no word of the first line can be changed."""
    said = {"tenant_id": head.tenant_id, "entries": head.sequence, "at": head.at}
    return {"type": "header", "format": FORMAT, **said}


def verify_file(
    path: Path, heads_dir: Path | None = None, archive_dir: Path | None = None, *, also: Iterable[Head] = ()
) -> Report:
    """Check an exported file, in constant memory. Heads exported before it was written must be contained in it.

    Args:
        archive_dir: where the segments are that it refers to; they are passed over without it.
        also: more heads that it must contain, which somebody else vouches for.
    """
    reader = _Reader(path, archive_dir)
    found = heads.load(heads_dir, reader.tenant_id) if heads_dir else head_files.Found()
    # The header's time is the signed head's, or a fault below.
    before = [head for head in found.heads if head.at <= reader.at or head.sequence <= reader.announced]
    report = chain.verify_rows(reader.tenant_id, reader.entries(), [*before, *also])
    report.integrity[:0] = reader.faults + found.faults
    report.completeness += reader.missing
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

    def __init__(self, path: Path, archive_dir: Path | None = None) -> None:
        self.path, self.archive_dir = path, archive_dir
        self.missing: list[str] = []
        self.withheld: set[int] = set()
        self.erased: set[int] = set()  # what the record says may be withheld
        self.faults: list[str] = []
        self.head: Head | None = None
        self._header, _exact = next(self._rows(), ({}, True))
        if self._header.get("type") != "header" or self._header.get("format") not in (FORMAT, "consentry-audit/2"):
            self.faults.append(f"The file does not begin with a {FORMAT} header.")
        self.tenant_id = str(self._header.get("tenant_id", ""))
        self.at = str(self._header.get("at", ""))
        announced = self._header.get("entries")
        self.announced = announced if isinstance(announced, int) else 0

    def entries(self) -> Iterator[Row]:
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
                if row.get("event") == AuditEvent.PERSON_ERASED:
                    self.erased |= set((row.get("after") or {}).get("entries", ()))
                yield row, mac if isinstance(mac, str) else ""
            elif kind in ("withheld", "archived", "name"):
                for passed in self._other(number, kind, row):
                    count += passed.head.sequence - passed.first + 1 if isinstance(passed, Passed) else 1
                    yield passed
            elif kind == "head":
                self.head = heads.check(row)
                if self.head is None or self.head.tenant_id != self.tenant_id:
                    self.faults.append("The signature of the file's head does not hold.")
            elif kind != "header" or number != 1:
                self.faults.append(f"Line {number} cannot be read.")
        if unsaid := self.withheld - self.erased:
            self.faults.append(f"{len(unsaid)} entries are withheld, and the record does not say why.")
        if count != self.announced:
            self.faults.append(f"The header announces {self.announced} entries; the file holds {count}.")
        if self.head is not None and self._header != _header(self.head) | {"format": self._header.get("format")}:
            self.faults.append("The file's header says something else than its signed head.")

    def _other(self, number: int, kind: str, row: dict[str, Any]) -> Iterator[Row]:
        """What a line that is no entry stands for in the chain: nothing, one entry, or a segment of the archive."""
        try:
            if kind == "name":
                if personal.reference(bytes.fromhex(row["key"]), row["person_id"], row["text"]) != row["ref"]:
                    raise ValueError
            elif kind == "withheld":
                self.withheld.add(int(row["sequence"]))
                mac = bytes.fromhex(row["mac"]).hex()
                yield Passed(int(row["sequence"]), Head(self.tenant_id, int(row["sequence"]), mac))
            elif not archive.holds(row["manifest"]) or row["manifest"]["tenant_id"] != self.tenant_id:
                raise ValueError
            elif self.archive_dir is None:
                yield archive.passed(row["manifest"])
            else:
                segment = archive.Reader(self.archive_dir, [row["manifest"]])
                yield from segment.rows()
                self.faults += segment.faults
                self.missing += segment.missing + segment.unread
        except (KeyError, TypeError, ValueError):
            self.faults.append(f"Line {number} is not what was written.")

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
        return sum(1 for line in rows if file.write(line) and line.startswith(_ENTRY))


_ENTRY = '{"action"'  # how the line of an entry begins: its fields are sorted


def _line(row: dict[str, Any]) -> str:
    return canonical.encode(row).decode() + "\n"
