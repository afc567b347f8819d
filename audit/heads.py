"""Signed heads: how far each chain had come, written outside the database.

A folder, AUDIT_HEADS_DIR, with one file per tenant and one JSON line per head, only ever appended to. A file that has
grown is closed by a line that seals its bytes and put aside under the number of its last entry; the next one begins
with a line that names it. Someone who cuts off the newest entries in the database cannot take back the line that
says they were there. Ship the folder to a place that the database's owner cannot write to.
"""

import errno
import fcntl
import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from audit import canonical, keys
from audit.chain import Head
from audit.models import AuditEntry, ChainHead

MAX_BYTES = 1_000_000  # of a file before it is sealed: some 3,000 heads
LATE = timedelta(minutes=10)  # heads are written every minute: by then something is wrong
TAIL = 8192  # bytes read from the end of a file: many lines
ROUND = ".last-round"  # touched whenever every tenant's head was written


@dataclass
class Found:
    """A tenant's exported heads, in order; of a sealed file its last one, which vouches for those before it.

    Attributes:
        faults: lines or files that are not what was written.
        unread: files that cannot be read.
        notes: what explains itself: a write that did not finish, files put elsewhere.
        ended: when the tenant was taken out of the portal, as a signed line says; empty otherwise.
    """

    heads: list[Head] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ended: str = ""


@dataclass(frozen=True)
class Lag:
    """What no exported head vouches for yet: so many entries, the oldest of them written `since`."""

    sealed: Head | None
    entries: int
    since: datetime | None

    @property
    def seconds(self) -> float:
        return max(0.0, (timezone.now() - self.since).total_seconds()) if self.since else 0.0

    @property
    def is_late(self) -> bool:
        return self.seconds > LATE.total_seconds()


# --- Writing -----------------------------------------------------------------------------------------------


def export(tenant_id: UUID, directory: Path | None = None) -> Path | None:
    """Append the tenant's newest head, unless it is already there. None when nothing was recorded yet.

    Raises:
        OSError: it could not be written whole. What was there still counts, and the next try goes on from it.
    """
    stored = ChainHead.objects.filter(tenant_id=tenant_id, sequence__gt=0).first()
    if stored is None:
        return None
    head = Head(str(tenant_id), stored.sequence, bytes(stored.mac).hex())
    with _locked(directory or settings.AUDIT_HEADS_DIR) as folder:
        return _append(folder, head)


def end(tenant_id: UUID, directory: Path | None = None) -> Path | None:
    """Say, signed, that this tenant leaves the portal and its record with it. None where no head was ever written."""
    with _locked(directory or settings.AUDIT_HEADS_DIR) as folder:
        path = _current(folder, tenant_id)
        head = newest(tenant_id, folder)
        if head is None:
            return None
        if not path.exists():
            _write(path, _line(head, _continued(folder, tenant_id)))
        return _seal(path, head, ended=True)


def round_done(directory: Path | None = None) -> None:
    """Every tenant's newest head is written."""
    folder = directory or settings.AUDIT_HEADS_DIR
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ROUND).touch()


def sign(head: Head, **extra: object) -> dict:
    """A head with its time (now, where it has none), key id and signature, as JSON."""
    body = {
        "tenant_id": head.tenant_id,
        "sequence": head.sequence,
        "mac": head.mac,
        "at": head.at or canonical.instant(timezone.now()),
        "key_id": keys.newest(),
        **extra,
    }
    return body | {"signature": _signature(body).hex()}


@contextmanager
def _locked(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as lock:  # not the files themselves: those are renamed
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _append(folder: Path, head: Head) -> Path:
    path = _current(folder, head.tenant_id)
    last = _last(path)
    if last and "seal" in last:  # whoever sealed it did not come to putting it aside
        _put_aside(path, check(last))
        last = None
    elif last and path.stat().st_size >= MAX_BYTES:
        _seal(path, check(last))
        last = None
    known = check(last) if last else newest(head.tenant_id, folder)
    if known and known.sequence >= head.sequence:
        return path
    extra = {} if last else _continued(folder, head.tenant_id)
    _write(path, _line(head, extra))
    return path


def _continued(folder: Path, tenant_id: UUID | str) -> dict:
    """What the first line of a file says about the sealed one before it, if there is one."""
    before = sealed_files(tenant_id, folder)
    return {"after": before[-1].name, "digest": _digest(before[-1])} if before else {}


def _seal(path: Path, head: Head, *, ended: bool = False) -> Path:
    _write(path, b"")  # ends a torn line, so that the digest is of whole lines
    _write(path, _line(head, {"seal": _digest(path), "ended": ended}))
    return _put_aside(path, head)


def _put_aside(path: Path, head: Head) -> Path:
    aside = path.with_name(f"{head.tenant_id}.{head.sequence:012d}.jsonl")
    while aside.exists():  # a tenant that ended and came back has said this number twice
        aside = aside.with_name(f"{aside.stem}x.jsonl")
    return path.rename(aside)


def _line(head: Head, extra: dict) -> bytes:
    return canonical.encode(sign(replace(head, at=""), **extra)) + b"\n"


def _write(path: Path, data: bytes) -> None:
    """Append in one call, behind a line end where an earlier write was torn."""
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            data = b"\n" + data
        if os.write(fd, data) != len(data):
            raise OSError(errno.ENOSPC, "only a part of the signed head could be written", str(path))
        os.fsync(fd)
    finally:
        os.close(fd)


# --- Reading -----------------------------------------------------------------------------------------------


def lag(tenant_id: UUID, directory: Path | None = None) -> Lag:
    """How far the exported heads are behind the chain. Two queries and the end of a file.

    A file that cannot be read vouches for nothing.
    """
    try:
        sealed = newest(tenant_id, directory)
    except OSError:
        sealed = None
    done = sealed.sequence if sealed else 0
    stored = ChainHead.objects.filter(tenant_id=tenant_id).values_list("sequence", flat=True).first() or 0
    waiting = AuditEntry.objects.filter(tenant_id=tenant_id, sequence__gt=done)
    since = waiting.order_by("sequence").values_list("at", flat=True).first()
    return Lag(sealed, max(0, stored - done), since)


def round_age(directory: Path | None = None) -> float | None:
    """Seconds since every tenant's head was last written; None when that was never."""
    try:
        return max(0.0, time.time() - ((directory or settings.AUDIT_HEADS_DIR) / ROUND).stat().st_mtime)
    except OSError:
        return None


def tenants(directory: Path) -> set[UUID]:
    """Every tenant that the folder holds heads of."""
    found = set()
    for path in directory.glob("*.jsonl"):
        try:
            found.add(UUID(path.name.split(".")[0]))
        except ValueError:
            continue
    return found


def newest(tenant_id: UUID | str, directory: Path | None = None) -> Head | None:
    """The last head whose signature holds, from the end of the newest file."""
    folder = directory or settings.AUDIT_HEADS_DIR
    if last := _last(_current(folder, tenant_id)):
        return check(last)  # without looking through the folder: every tenant is asked every minute
    ends = (_last(path) for path in reversed(sealed_files(tenant_id, folder)))
    return next((check(last) for last in ends if last), None)


def sealed_files(tenant_id: UUID | str, directory: Path) -> list[Path]:
    """The tenant's files that were put aside, oldest first."""
    return sorted(directory.glob(f"{tenant_id}.*.jsonl"))


def load(directory: Path, tenant_id: UUID | str) -> Found:
    """The tenant's exported heads, and what is wrong with them."""
    found, order, before = Found(), keys.Order(), None
    current = _current(directory, tenant_id)
    for path in [*sealed_files(tenant_id, directory), *([current] if current.exists() else [])]:
        reader = _Reader(path, found, order, before, found.heads[-1].sequence if found.heads else 0)
        try:
            heads = reader.heads(str(tenant_id))
        except OSError as error:
            found.unread.append(f"{path.name} cannot be read: {error.strerror}.")
            continue
        found.heads += heads if path == current else heads[-1:]
        if path != current and not reader.closed:
            found.faults.append(f"{path.name}: the line that sealed this file is missing.")
        before = reader
    return found


def check(body: dict) -> Head | None:
    """The head in a signed line, or None where its signature does not hold."""
    try:
        unsigned = {key: value for key, value in body.items() if key != "signature"}
        valid = hmac.compare_digest(_signature(unsigned), bytes.fromhex(body["signature"]))
        return Head(body["tenant_id"], int(body["sequence"]), body["mac"], body["at"]) if valid else None
    except (keys.UnknownKey, KeyError, TypeError, ValueError):
        return None


class _Reader:
    """One file of heads, first line to last."""

    def __init__(self, path: Path, found: Found, order: keys.Order, before: "_Reader | None", sequence: int) -> None:
        self.path, self.found, self.order, self.before, self.sequence = path, found, order, before, sequence
        self.digest = hashlib.sha256()
        self.closed = False

    def heads(self, tenant_id: str) -> list[Head]:
        heads: list[Head] = []
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                where = f"{self.path.name}, line {number}"
                body = _parsed(line)
                head = check(body) if body else None
                if head and head.tenant_id == tenant_id:
                    self.found.faults += [f"{where}: {fault}" for fault in self._faults(body, head, first=not heads)]
                    self.found.ended = body["at"] if body.get("ended") else ""
                    heads.append(head)
                elif _is_torn(line):
                    self.found.notes.append(
                        f"{where} is torn: a write did not finish, as when the disk is full; the heads after it count"
                    )
                elif line.strip():
                    self.found.faults.append(f"{where}: the signature of this head does not hold.")
                self.digest.update(line)
        return heads

    def _faults(self, body: dict, head: Head, *, first: bool) -> Iterator[str]:
        repeats = "after" in body or "seal" in body
        if head.sequence < self.sequence or (head.sequence == self.sequence and not repeats):
            yield "heads are out of order."
        self.sequence = head.sequence
        if self.order.is_broken_by(body["key_id"], body["at"]):
            yield f"this head is signed with the key {body['key_id']}, which had been replaced by then."
        if self.closed:
            yield "this line follows the one that sealed the file."
        if first:
            yield from self._link_faults(body)
        if "seal" in body:
            self.closed = True
            if body["seal"] != self.digest.hexdigest():
                yield "the file is not what was sealed."

    def _link_faults(self, body: dict) -> Iterator[str]:
        name, digest = body.get("after"), body.get("digest")
        if self.before is None:
            if name:
                self.found.notes.append(f"the heads before {self.path.name} are in {name}, which is not in this folder")
        elif name is None:
            yield f"this file does not go on from {self.before.path.name}, which was sealed before it."
        elif name != self.before.path.name:
            yield f"this file goes on from {name}, which is missing."
        elif digest != self.before.digest.hexdigest():
            yield f"{name} is not the file that this one goes on from."


def _parsed(line: bytes) -> dict | None:
    """A line as JSON. None where it is none, or names a field twice, so that readers may differ about it."""
    try:
        pairs = json.loads(line, object_pairs_hook=list)
        body = dict(pairs)
    except (ValueError, TypeError, RecursionError):
        return None
    return body if len(body) == len(pairs) else None


def _is_torn(line: bytes) -> bool:
    """Whether this is the beginning of a line, or what a file system leaves of one after a power failure."""
    text = line.rstrip(b"\n")
    return (text.startswith(b"{") and not text.endswith(b"}")) or (bool(text) and not text.strip(b"\0"))


def _last(path: Path) -> dict | None:
    """The last line whose signature holds."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            lines = file.readlines()
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        body = _parsed(line)
        if body and check(body):
            return body
    return None


def _current(folder: Path, tenant_id: UUID | str) -> Path:
    return folder / f"{tenant_id}.jsonl"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _signature(body: dict) -> bytes:
    key = keys.derive(body["key_id"], "head", str(body["tenant_id"]))
    return hmac.digest(key, canonical.encode(body), "sha256")
