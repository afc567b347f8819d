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
from revocation import actions
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


@dataclass(eq=False)
class Batch:
    """Some steps, and what will be answered: a list with an answer for each, or the error of the whole batch."""

    kind: Kind
    steps: list[RevocationStep]
    answers: Future


def send(tenant: Tenant, kind: Kind, steps: Sequence[RevocationStep]) -> Iterator[Batch]:
    """Ask Microsoft about each step, in batches; a click's in batches of their own, which Microsoft drops last."""
    for interactive, group in groupby(sorted(steps, key=lambda step: not step.interactive), lambda s: s.interactive):
        members = list(group)
        for start in range(0, len(members), LIMIT):
            part = members[start : start + LIMIT]
            priority = "high" if interactive else "normal"
            deadline = min(step.lease_until for step in part) - _margin() if kind == Kind.CALL else None
            calls = [_call_for(kind, step) for step in part]
            yield Batch(kind, part, _pool().submit(_exchange, str(tenant.pk), priority, calls, deadline))


def _call_for(kind: Kind, step: RevocationStep) -> Call:
    action = actions.get(step.action)
    match kind:
        case Kind.LOOK:
            return action.look(step)
        case Kind.CALL:
            return action.call(step)
        case _:
            return action.proof(step)


def _margin() -> timedelta:
    """A write is not sent when less than this is left of its lease: its answer could come when it is another's."""
    return timedelta(seconds=settings.REVOCATION_LEASE_SECONDS * 0.4)


def _exchange(tenant_id: str, priority: str, calls: list[Call], deadline: datetime | None) -> list[Answer] | GraphError:
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
