"""Calls on their way: a batch of up to 20 goes out in a thread, and nothing in that thread touches the database."""

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from django.conf import settings
from django.utils import timezone

from accounts.models import Tenant
from graph.batch import LIMIT
from graph.client import GraphClient
from graph.errors import GraphError, Unavailable
from graph.types import Answer, Call
from revocation.models import RevocationStep

logger = logging.getLogger(__name__)

WIDTH = 8  # batches one process has on their way at once

_pools: dict[int, ThreadPoolExecutor] = {}
_lock = threading.Lock()


class Kind(StrEnum):
    LOOK = "look"  # what is there just before a call
    CALL = "call"
    READ_BACK = "read_back"  # what became of a call whose answer was lost
    PROOF = "proof"


@dataclass
class Flight:
    """Some steps and the batch that is on its way for them."""

    kind: Kind
    steps: list[RevocationStep]
    future: Future


def launch(tenant: Tenant, kind: Kind, steps: Sequence[RevocationStep], call_of) -> Iterator[Flight]:
    """Send one call for each step, in batches; a click's in batches of their own, which Microsoft drops last."""
    for interactive, group in groupby(sorted(steps, key=lambda step: not step.interactive), lambda s: s.interactive):
        members = list(group)
        for start in range(0, len(members), LIMIT):
            part = members[start : start + LIMIT]
            priority = "high" if interactive else "normal"
            deadline = min(step.lease_until for step in part) - _margin() if kind == Kind.CALL else None
            calls = [call_of(step) for step in part]
            future = _pool().submit(_send, str(tenant.pk), priority, calls, deadline)
            yield Flight(kind, part, future)


def _margin() -> timedelta:
    """A write is not sent when less than this is left of its lease: its answer could come when it is another's."""
    return timedelta(seconds=settings.REVOCATION_LEASE_SECONDS * 0.4)


def _send(tenant_id: str, priority: str, calls: list[Call], deadline: datetime | None) -> list[Answer] | GraphError:
    try:
        client = GraphClient(tenant_id, priority=priority)
        if deadline and timezone.now() > deadline:
            return Unavailable("This process was held up for too long to send it.", sent=False)
        return client.batch(calls)
    except GraphError as error:
        return error
    except Exception:
        logger.exception("A batch failed in a way nobody foresaw.")
        return Unavailable("The portal failed while talking to Microsoft.", sent=True)


def _pool() -> ThreadPoolExecutor:
    """This process's threads: a worker that was forked starts with none."""
    with _lock:
        pool = _pools.get(os.getpid())
        if pool is None:
            _pools.clear()
            pool = _pools[os.getpid()] = ThreadPoolExecutor(max_workers=2 * WIDTH, thread_name_prefix="graph")
        return pool
