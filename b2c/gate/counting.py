"""The sampled counter: what this process answered is kept in memory and written down every ten seconds or so.

The only thing the gate writes. A process that dies loses some ten seconds of figures and nothing else; a figure that
cannot be written is never in the way of an answer.
"""

import logging
import threading
from collections import Counter
from datetime import datetime
from time import monotonic
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from b2c.gate.known import Away, asking

logger = logging.getLogger(__name__)

EVERY = 10.0  # seconds
MOST = 1000  # different figures between two writings: a caller that makes policies up fills no memory

_lock = threading.Lock()
_counts: Counter[tuple[UUID, str, str, str]] = Counter()
_used: set[tuple[UUID, str]] = set()
_written_at = float("-inf")

_ADD = """
INSERT INTO b2c_gatecount (tenant_id, hour, door, policy_id, answer, count, last_at) VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (tenant_id, hour, door, policy_id, answer)
DO UPDATE SET count = b2c_gatecount.count + excluded.count, last_at = excluded.last_at
"""
_USED = "UPDATE b2c_gatecredential SET used_at = %s WHERE tenant_id = %s AND digest = %s"


def count(tenant_id: UUID, door: str, policy_id: str, answer: str, digest: str = "") -> None:
    """Note one answer. One in many of these writes down what has come together."""
    global _written_at
    with _lock:
        if len(_counts) < MOST:
            _counts[tenant_id, door, policy_id, answer] += 1
        if digest and len(_used) < MOST:
            _used.add((tenant_id, digest))
        if monotonic() - _written_at < EVERY:
            return
        _written_at = monotonic()
    write()


def write() -> None:
    """Write down what has come together. What cannot be written is kept for the next time."""
    with _lock:
        counts, used = Counter(_counts), set(_used)
        _counts.clear()
        _used.clear()
    now = timezone.now()
    for tenant_id in {key[0] for key in counts}:
        mine = {key: n for key, n in counts.items() if key[0] == tenant_id}
        try:
            with asking(tenant_id), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit TO off")  # nobody waits for a disk because of a figure
                cursor.executemany(_ADD, [_row(key, n, now) for key, n in mine.items()])
                digests = [digest for tenant, digest in used if tenant == tenant_id]
                cursor.executemany(_USED, [[now, tenant_id, digest] for digest in digests])
        except Away:
            with _lock:
                _counts.update(mine)


def forget() -> None:
    """Start as a new process would."""
    global _written_at
    with _lock:
        _counts.clear()
        _used.clear()
        _written_at = float("-inf")


def _row(key: tuple[UUID, str, str, str], n: int, now: datetime) -> list:
    tenant_id, door, policy_id, answer = key
    return [tenant_id, now.replace(minute=0, second=0, microsecond=0), door, policy_id[:128], answer, n, now]
