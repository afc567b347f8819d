"""Signed heads: how far each chain had come, written outside the database.

A folder, AUDIT_HEADS_DIR, with one file per tenant and one JSON line per head, only ever appended to. A file that has
grown is closed by a line that seals its bytes and put aside under the number of its last entry; the next one begins
with a line that names it. Someone who cuts off the newest entries in the database cannot take back the line that
says they were there. Ship the folder to a place that the database's owner cannot write to.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts import everywhere
from accounts.everywhere import HERE, number_given
from audit import canonical, chain, signing
from audit.chain import Head
from audit.head_files import check, current, load, parsed, sealed_files, sign
from audit.models import AuditEntry, ChainHead, Segment

MAX_BYTES = 1_000_000  # of a file before it is sealed: some 3,000 heads
LATE = timedelta(minutes=10)  # heads are written every minute: by then something is wrong
TAIL = 8192  # bytes read from the end of a file: many lines
ROUND = ".last-round"  # touched whenever every tenant's head was written


class Ahead(Exception):
    """A signed head speaks of an entry that the database does not have: it is older than its own record."""


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
        Ahead: the last head is of another chain than this one. A head of this one would bury that.
    """
    head = _of_chain(tenant_id)
    if head is None:
        return None
    with _locked(directory or settings.AUDIT_HEADS_DIR) as folder:
        if known := ahead(tenant_id, folder):
            raise Ahead(
                f"A signed head is of entry {known.sequence}, which the database does not have: was it restored?"
                " Then see `manage.py after_restore`."
            )
        return _append(folder, head)


def ahead(tenant_id: UUID, directory: Path | None = None) -> Head | None:
    """The newest exported head, where the chain does not contain it: a backup was restored, or rows were cut off.

    Reads the end of a file, then asks one query; in this order, so that writers meanwhile make no false alarm.
    """
    try:
        known = newest(tenant_id, directory)
    except OSError:
        return None
    if known is None or known.sequence == 0:
        return None
    return None if chain.mac_at(tenant_id, known.sequence) == known.mac else known


def in_common(tenant_id: UUID, directory: Path | None = None) -> int:
    """The number of the newest entry that both a signed head and the database know; 0 where there is none."""
    found = load(directory or settings.AUDIT_HEADS_DIR, tenant_id).heads
    numbers = [head.sequence for head in found]
    stored = AuditEntry.objects.filter(tenant_id=tenant_id, sequence__in=numbers).values_list("sequence", "mac")
    archived = Segment.objects.filter(tenant_id=tenant_id, last__in=numbers).values_list("last", "mac")
    macs = {sequence: bytes(mac).hex() for sequence, mac in stored.union(archived)}
    return max((head.sequence for head in found if macs.get(head.sequence) == head.mac), default=0)


def fork(tenant_id: UUID, directory: Path | None = None) -> Head:
    """Say, signed, that the chain goes on from where it stands now, and which heads are given up by that.

    Raises:
        ValueError: no head is ahead of the chain, so that there is nothing to give up.
    """
    head = _of_chain(tenant_id)
    with _locked(directory or settings.AUDIT_HEADS_DIR) as folder:
        lost = ahead(tenant_id, folder)
        if lost is None or head is None:
            raise ValueError("No signed head is ahead of the database.")
        gone = {"restored": in_common(tenant_id, folder), "abandoned": lost.sequence, "abandoned_mac": lost.mac}
        path = current(folder, tenant_id)
        extra = {} if path.exists() else _continued(folder, tenant_id)
        _write(path, _line(head, extra | gone))
    return head


def _of_chain(tenant_id: UUID) -> Head | None:
    stored = ChainHead.objects.filter(tenant_id=tenant_id, sequence__gt=0).first()
    return Head(str(tenant_id), stored.sequence, bytes(stored.mac).hex()) if stored else None


def end(tenant_id: UUID, directory: Path | None = None) -> Path | None:
    """Say, signed, that this tenant leaves the portal and its record with it. None where no head was ever written."""
    with _locked(directory or settings.AUDIT_HEADS_DIR) as folder:
        path = current(folder, tenant_id)
        head = newest(tenant_id, folder)
        if head is None:
            return None
        if not path.exists():
            _write(path, _line(head, _continued(folder, tenant_id)))
        return _seal(path, head, ended=True)


def forget(tenant_id: UUID, before: datetime, directory: Path | None = None) -> int:
    """Delete sealed files whose newest head is older than that, but not the newest of them. Returns how many.

    A later head vouches for every entry before it. Copies that were put elsewhere stay.
    """
    with _locked(directory or settings.AUDIT_HEADS_DIR) as folder:
        gone = 0
        for path in sealed_files(tenant_id, folder)[:-1]:
            last = _last(path)
            if not last or datetime.fromisoformat(last["at"]) >= before:
                break
            path.unlink()
            gone += 1
        return gone


def round_done(directory: Path | None = None) -> None:
    """Every tenant's newest head is written."""
    folder = directory or settings.AUDIT_HEADS_DIR
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ROUND).touch()


@contextmanager
def _locked(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as lock:  # not the files themselves: those are renamed
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _append(folder: Path, head: Head) -> Path:
    path = current(folder, head.tenant_id)
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
    return {"after": before[-1].name, "digest": signing.digest(before[-1])} if before else {}


def _seal(path: Path, head: Head, *, ended: bool = False) -> Path:
    _write(path, b"")  # ends a torn line, so that the digest is of whole lines
    _write(path, _line(head, {"seal": signing.digest(path), "ended": ended}))
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
    """How far the exported heads are behind the chain. One query and the end of a file.

    A file that cannot be read vouches for nothing.
    """
    return lags([tenant_id], directory)[tenant_id]


def lags(tenant_ids: Iterable[UUID], directory: Path | None = None) -> dict[UUID, Lag]:
    """The same of many tenants: one statement, and the end of a file of each."""
    sealed = {tenant_id: _readable(tenant_id, directory) for tenant_id in tenant_ids}
    waiting = AuditEntry.objects.filter(tenant_id=HERE, sequence__gt=number_given("sealed")).order_by("sequence")
    questions = {
        "head": ChainHead.objects.filter(tenant_id=HERE).values("sequence"),
        "oldest": waiting.values("at")[:1],
    }
    given = {tenant_id: {"sealed": head.sequence if head else 0} for tenant_id, head in sealed.items()}
    found = {}
    for tenant_id, answers in everywhere.ask(questions, given).items():
        stored = answers["head"][0]["sequence"] if answers["head"] else 0
        since = datetime.fromisoformat(answers["oldest"][0]["at"]) if answers["oldest"] else None
        found[tenant_id] = Lag(sealed[tenant_id], max(0, stored - given[tenant_id]["sealed"]), since)
    return found


def _readable(tenant_id: UUID, directory: Path | None) -> Head | None:
    try:
        return newest(tenant_id, directory)
    except OSError:
        return None


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
    if last := _last(current(folder, tenant_id)):
        return check(last)  # without looking through the folder: every tenant is asked every minute
    ends = (_last(path) for path in reversed(sealed_files(tenant_id, folder)))
    return next((check(last) for last in ends if last), None)


def _last(path: Path) -> dict | None:
    """The last line whose signature holds."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            lines = file.readlines()
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        body = parsed(line)
        if body and check(body):
            return body
    return None
