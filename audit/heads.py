"""Signed heads: how far each chain had come, written outside the database.

One file per tenant under AUDIT_HEADS_DIR, one JSON line per head, only ever appended to. Someone who cuts
off the newest entries in the database cannot take back the line that says they were there. Ship the folder
to a place that the database's owner cannot write to.
"""

import fcntl
import hmac
import json
import os
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from audit import canonical, keys
from audit.chain import Head
from audit.models import ChainHead


def export(tenant_id: UUID, directory: Path | None = None) -> Path | None:
    """Append the tenant's newest head, unless it is already there. None when nothing was recorded yet."""
    head = ChainHead.objects.filter(tenant_id=tenant_id, sequence__gt=0).first()
    if head is None:
        return None
    path = (directory or settings.AUDIT_HEADS_DIR) / f"{tenant_id}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        last = ""
        for line in file:
            last = line if line.strip() else last
        if last and _sequence(last) >= head.sequence:
            return path
        file.write(json.dumps(sign(Head(str(tenant_id), head.sequence, bytes(head.mac).hex())), sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return path


def sign(head: Head) -> dict:
    """A head with its time, key id and signature, as JSON."""
    body = {
        "tenant_id": head.tenant_id,
        "sequence": head.sequence,
        "mac": head.mac,
        "at": canonical.instant(timezone.now()),
        "key_id": keys.newest(),
    }
    return body | {"signature": _signature(body).hex()}


def check(body: dict) -> Head | None:
    """The head in a signed line, or None where its signature does not hold."""
    try:
        unsigned = {key: value for key, value in body.items() if key != "signature"}
        valid = hmac.compare_digest(_signature(unsigned), bytes.fromhex(body["signature"]))
        return Head(body["tenant_id"], int(body["sequence"]), body["mac"]) if valid else None
    except (keys.UnknownKey, KeyError, TypeError, ValueError):
        return None


def load(directory: Path, tenant_id: UUID | str) -> tuple[list[Head], list[str]]:
    """The tenant's exported heads, and what is wrong with the file."""
    path = directory / f"{tenant_id}.jsonl"
    if not path.exists():
        return [], []
    heads, faults, previous = [], [], 0
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            head = _read(line)
            if head is None or head.tenant_id != str(tenant_id):
                faults.append(f"{path.name}, line {number}: the signature of this head does not hold.")
                continue
            if head.sequence <= previous:
                faults.append(f"{path.name}, line {number}: heads are out of order.")
            previous = head.sequence
            heads.append(head)
    return heads, faults


def _read(line: str) -> Head | None:
    try:
        body = json.loads(line)
    except ValueError:
        return None
    return check(body) if isinstance(body, dict) else None


def _sequence(line: str) -> int:
    head = _read(line)
    return head.sequence if head else -1


def _signature(body: dict) -> bytes:
    key = keys.derive(body["key_id"], "head", str(body["tenant_id"]))
    return hmac.digest(key, canonical.encode(body), "sha256")
