"""Waking the workers up. A nudge may be lost, late or doubled: the rows say what is due, and the sweeper finds it."""

import logging
import threading
import time
from uuid import UUID

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

PATIENCE = 0.3  # seconds a caller may wait for the broker
PAUSE = 30.0  # seconds in which a broker that failed is left alone

_silent_until = 0.0


def nudge(tenant_id: UUID) -> None:
    """Ask a worker to look at this tenant, once the present transaction is committed. Never raises."""
    transaction.on_commit(lambda: _send("revocation.tasks.run", tenant_id), robust=True)


def read(tenant_id: UUID, upload_id: UUID) -> None:
    """Ask a worker to read a long list, once the present transaction is committed. Never raises."""
    transaction.on_commit(lambda: _send("revocation.tasks.read_list", tenant_id, upload_id), robust=True)


def _send(task: str, *ids: UUID) -> None:
    if time.monotonic() < _silent_until:
        return
    # In a thread, because a broker that does not answer must not hold up a click.
    sender = threading.Thread(target=_publish, args=(task, list(map(str, ids))), daemon=True)
    sender.start()
    sender.join(PATIENCE)


def _publish(task: str, ids: list[str]) -> None:
    global _silent_until
    try:
        current_app.send_task(task, args=ids, retry=False, ignore_result=True)
    except Exception as error:  # the broker's libraries raise what they like
        _silent_until = time.monotonic() + PAUSE
        logger.warning("The broker could not be reached (%s); the sweeper will find the work.", type(error).__name__)
