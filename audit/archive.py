"""Older entries leave the database for signed files, and the chain goes on from the last of them.

A folder, AUDIT_ARCHIVE_DIR, with one folder per tenant; in it, for each segment, a file of entries as JSON Lines and a
manifest: first and last entry, the MACs before and at its end, the digest of the file, signed under the audit key. The
database keeps the same as a row (`Segment`), and its trigger lets go of no entry that none of them covers. A segment
is written, read back and verified before the rows go. The role that the portal runs under may do none of this.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.access import Actor
from audit import canonical, chain, heads, keys, services, signing
from audit.chain import Head, Passed, Row
from audit.models import AuditEntry, AuditEvent, ChainHead, Label, Redaction, Segment

FORMAT = "consentry-audit-segment/1"
PURPOSE = "segment"  # of the key that signs
SIZE = 50_000  # entries of a segment: about 50 MB


class ArchiveProblem(Exception):
    """Nothing more was archived, and nothing deleted that is not in a file that was read back. It says why."""


# --- Writing -----------------------------------------------------------------------------------------------


def archive(tenant_id: UUID, before: datetime | None, actor: Actor, directory: Path | None = None) -> Iterator[Segment]:
    """Move entries written before a time into segments, oldest first, each in a transaction of its own.

    Only what a signed head outside vouches for, and never the newest entry: others compare themselves with it.

    Args:
        before: None moves everything, the newest entry too: of a tenant that leaves.

    Raises:
        ArchiveProblem: a file could not be written, or does not read back as the chain says.
    """
    folder = directory or settings.AUDIT_ARCHIVE_DIR
    if heads.ahead(tenant_id):
        raise ArchiveProblem("A signed head is ahead of the database. See `manage.py after_restore` first.")
    while span := _due(tenant_id, before):
        segment = _written(tenant_id, *span, folder)
        with transaction.atomic():
            segment.save(force_insert=True)
            rows = AuditEntry.objects.filter(tenant_id=tenant_id, sequence__range=(segment.first, segment.last))
            if rows.delete()[0] != segment.last - segment.first + 1:
                raise ArchiveProblem("The entries changed while they were archived.")
            if before is not None:
                _record(segment, actor)
        yield segment


def _due(tenant_id: UUID, before: datetime | None) -> tuple[Head, int] | None:
    """The entry that the next segment follows, and its last one."""
    start = chain.start(tenant_id)
    rows = AuditEntry.objects.filter(tenant_id=tenant_id)
    if before is not None:
        sealed = heads.newest(tenant_id)
        rows = rows.filter(at__lt=before, sequence__lt=sealed.sequence if sealed else 0)
    last = rows.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    return (start, min(last, start.sequence + SIZE)) if last > start.sequence else None


def _written(tenant_id: UUID, start: Head, last: int, directory: Path) -> Segment:
    """The entries after `start` in a file that was read back, and the row that stands for them, not saved yet."""
    counted = _Counted(tenant_id, start, last)
    path = path_of(tenant_id, start.sequence + 1, last, directory)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = _write(path, counted)
        report = chain.verify_rows(str(tenant_id), chain_after(start, entries_in(path)))
    except OSError as error:
        raise ArchiveProblem(f"{path} cannot be written: {error.strerror}.") from error
    if report.integrity or report.head != counted.head:
        raise ArchiveProblem(f"{path} does not read back as it should: {'; '.join(report.integrity[:3])}")
    segment = Segment(
        tenant_id=tenant_id,
        first=start.sequence + 1,
        last=last,
        previous_mac=bytes.fromhex(start.mac),
        mac=bytes.fromhex(counted.head.mac),
        digest=digest,
        until=counted.until,
        counts={"events": dict(counted.events), "codes": dict(counted.codes)},
        at=timezone.now(),
        key_id=keys.newest(),
    )
    segment.signature = signing.sign(body_of(segment), PURPOSE, str(tenant_id))["signature"]
    try:
        _write(manifest_of(path), [signed(segment)])
    except OSError as error:
        raise ArchiveProblem(f"The manifest of {path} cannot be written: {error.strerror}.") from error
    return segment


class _Counted:
    """Entries on their way to a file, as lines; remembers what they come to."""

    def __init__(self, tenant_id: UUID, start: Head, last: int) -> None:
        self.head = start
        self.events: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.until = timezone.now()
        self._rows = chain.live(tenant_id, after=start.sequence, upto=last)

    def __iter__(self) -> Iterator[dict]:
        for fields, mac in self._rows:
            self.head = Head(str(fields["tenant_id"]), fields["sequence"], mac)
            self.until = datetime.fromisoformat(fields["at"])
            self.events[fields["event"]] += 1
            if fields["event"] == AuditEvent.STEP_RETRIED and (code := (fields["after"] or {}).get("code")):
                self.codes[code] += 1
            yield {"type": "entry", **fields, "mac": mac}


def _write(path: Path, rows: Iterable[dict]) -> str:
    """Write lines to a file that is there whole or not at all, also after a power failure. Returns its digest."""
    part, digest = path.with_name(path.name + ".part"), hashlib.sha256()
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    with os.fdopen(fd, "wb") as file:
        for row in rows:
            line = canonical.encode(row) + b"\n"
            digest.update(line)
            file.write(line)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return digest.hexdigest()


def _record(segment: Segment, actor: Actor) -> None:
    after = {"first": segment.first, "last": segment.last, "digest": segment.digest}
    services.record_on_tenant(AuditEvent.AUDIT_ARCHIVED, segment.tenant_id, actor=actor, after=after)


def let_go(tenant_id: UUID) -> None:
    """Take the rest of a record out of the database, whose every entry is archived: of a tenant that leaves.

    Raises:
        DatabaseError: not every entry is, or this role may not.
    """
    with transaction.atomic():
        for model in (ChainHead, Label, Redaction, Segment):
            model.objects.filter(tenant_id=tenant_id).delete()


# --- Reading -----------------------------------------------------------------------------------------------


def path_of(tenant_id: UUID, first: int, last: int, directory: Path) -> Path:
    return directory / str(tenant_id) / f"{first:012d}-{last:012d}.jsonl"


def manifest_of(path: Path) -> Path:
    return path.with_suffix(".manifest.json")


def body_of(segment: Segment) -> dict[str, Any]:
    """What is signed of a segment, as plain JSON."""
    return {
        "format": FORMAT,
        "tenant_id": str(segment.tenant_id),
        "first": segment.first,
        "last": segment.last,
        "previous_mac": bytes(segment.previous_mac).hex(),
        "mac": bytes(segment.mac).hex(),
        "digest": segment.digest,
        "until": canonical.instant(segment.until),
        "counts": segment.counts,
        "at": canonical.instant(segment.at),
        "key_id": segment.key_id,
    }


def signed(segment: Segment) -> dict[str, Any]:
    return body_of(segment) | {"signature": segment.signature}


def holds(body: dict[str, Any]) -> bool:
    """Whether a manifest is what was signed."""
    try:
        return signing.holds(body, PURPOSE, str(body["tenant_id"]))
    except (keys.UnknownKey, KeyError):
        return False


def passed(body: dict[str, Any]) -> Passed:
    """What a manifest stands for."""
    return Passed(int(body["first"]), Head(str(body["tenant_id"]), int(body["last"]), str(body["mac"])))


def entries_in(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """The entries of a segment. What cannot be read comes as an entry that holds nothing."""
    with path.open("rb") as file:
        for line in file:
            try:
                row = json.loads(line)
                if row.pop("type") != "entry" or canonical.encode({"type": "entry", **row}) + b"\n" != line:
                    raise ValueError
                yield row, str(row.pop("mac"))
            except (ValueError, KeyError, AttributeError, RecursionError):
                yield {}, ""


def chain_after(start: Head, rows: Iterable[Row]) -> Iterator[Row]:
    if start.sequence:
        yield Passed(1, start)
    yield from rows


@dataclass
class Reader:
    """A tenant's archive, read along with its manifests, which are the database's or lie beside the files.

    Attributes:
        faults: what is not what was archived.
        missing: files that should be there.
        unread: the archive is not on this machine, so that nothing is known of its files.
    """

    directory: Path
    manifests: list[dict[str, Any]]

    def __post_init__(self) -> None:
        self.faults: list[str] = []
        self.missing: list[str] = []
        self.unread: list[str] = []

    @classmethod
    def of(cls, tenant_id: UUID, directory: Path | None = None) -> "Reader":
        """The archive that the database knows of. Needs the tenant's context."""
        rows = Segment.objects.filter(tenant_id=tenant_id).order_by("last")
        return cls(directory or settings.AUDIT_ARCHIVE_DIR, [signed(row) for row in rows])

    @classmethod
    def of_folder(cls, folder: Path) -> "Reader":
        """The archive in one tenant's folder, without a database."""
        bodies = []
        for path in sorted(folder.glob("*.manifest.json")):
            try:
                bodies.append(json.loads(path.read_bytes()))
            except ValueError:
                bodies.append({"tenant_id": folder.name, "signature": ""})
        return cls(folder.parent, bodies)

    def rows(self) -> Iterator[Row]:
        """Every archived entry; in the place of those that are not there, what the manifest says."""
        for body in self.manifests:
            if not holds(body):
                self.faults.append(f"The manifest of a segment is not what was signed: up to {body.get('last')}.")
                if not isinstance(body.get("last"), int):
                    continue
            name = f"entries {body['first']} to {body['last']}"
            path = path_of(body["tenant_id"], body["first"], body["last"], self.directory)
            if not self.directory.is_dir():
                self.unread.append(f"{self.directory} is not here, so that archived {name} cannot be checked.")
                yield passed(body)
            elif not path.exists():
                self.missing.append(f"The archived {name} are missing: {path} is not there.")
                yield passed(body)
            else:
                if signing.digest(path) != body["digest"]:
                    self.faults.append(f"{path} is not the file that was archived.")
                yield from entries_in(path)
