"""Files of signed heads, line by line: how a line is signed and checked, and what a whole file says."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from django.utils import timezone

from audit import canonical, keys, signing
from audit.chain import Head

PURPOSE = "head"  # of the key that signs


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

    def fork(self, body: dict) -> None:
        """Heads that a signed line gave up vouch for nothing: the database they spoke of was replaced by a backup."""
        common = int(body["restored"])
        self.heads = [head for head in self.heads if head.sequence <= common]
        self.notes.append(
            f"restored from a backup at {body['at']}, as a signed line says: what followed entry {common}, up to entry"
            f" {body['abandoned']}, was lost, and entries written since bear the same numbers"
        )


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
    return signing.sign(body, PURPOSE, body["tenant_id"])


def check(body: dict) -> Head | None:
    """The head in a signed line, or None where its signature does not hold."""
    try:
        valid = signing.holds(body, PURPOSE, str(body["tenant_id"]))
        return Head(body["tenant_id"], int(body["sequence"]), body["mac"], body["at"]) if valid else None
    except (keys.UnknownKey, KeyError, TypeError, ValueError):
        return None


def parsed(line: bytes) -> dict | None:
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


def current(folder: Path, tenant_id: UUID | str) -> Path:
    return folder / f"{tenant_id}.jsonl"


def sealed_files(tenant_id: UUID | str, directory: Path) -> list[Path]:
    """The tenant's files that were put aside, oldest first."""
    return sorted(directory.glob(f"{tenant_id}.*.jsonl"))


def load(directory: Path, tenant_id: UUID | str) -> Found:
    """The tenant's exported heads, and what is wrong with them."""
    found, order, before = Found(), keys.Order(), None
    newest = current(directory, tenant_id)
    for path in [*sealed_files(tenant_id, directory), *([newest] if newest.exists() else [])]:
        reader = _Reader(path, found, order, before, found.heads[-1].sequence if found.heads else 0)
        try:
            heads = reader.heads(str(tenant_id))
        except OSError as error:
            found.unread.append(f"{path.name} cannot be read: {error.strerror}.")
            continue
        found.heads += heads if path == newest else heads[-1:]
        if path != newest and not reader.closed:
            found.faults.append(f"{path.name}: the line that sealed this file is missing.")
        before = reader
    return found


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
                body = parsed(line)
                head = check(body) if body else None
                if head and head.tenant_id == tenant_id:
                    if "restored" in body:
                        self.found.fork(body)
                        heads = [one for one in heads if one.sequence <= int(body["restored"])]
                        self.sequence = min(self.sequence, head.sequence)
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
        repeats = "after" in body or "seal" in body or "restored" in body
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
