"""A worker process that dies by SIGKILL at a chosen edge of a step's life, or works until nothing is left.

Imported by the process that makes them (`processes.py`): Django is set up once there, and each worker is a fork of it.
Nothing is tidied up on the way out: the operating system takes the process away in mid-instruction, as it would when a
machine is lost.
"""

import os
import signal
import time
import traceback
from pathlib import Path
from uuid import UUID

import django
from django.apps import apps

EDGES = [
    "claimed, looking",
    "intent committed, not sent",
    "done, answer not read",
    "answer read, outcome not committed",
    "accepted, not proved",
    "proof asked for, not read",
    "proof read, not committed",
    "proved, request not closed",
]


def die(*args, **kwargs) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def arm(edge: str) -> None:
    """Put the death in place."""
    from audit import services as audit
    from audit.models import AuditEvent
    from revocation.spine import answers, batches, settling

    send, record_many = batches._exchange, audit.record_many

    def dying_send(tenant_id, priority, calls, deadline):
        writes = any(call.method != "GET" for call in calls)
        looks = not writes and edge == "claimed, looking"
        if looks or (writes and edge == "intent committed, not sent"):
            die()
        answer = send(tenant_id, priority, calls, deadline)
        if (writes and edge == "done, answer not read") or (not writes and edge == "proof asked for, not read"):
            die()
        return answer

    def dying_record(drafts):
        entries = record_many(drafts)
        events = {draft.event for draft in drafts}
        wanted = {
            "answer read, outcome not committed": AuditEvent.STEP_ACCEPTED,
            "proof read, not committed": AuditEvent.STEP_VERIFIED,
        }
        if wanted.get(edge) in events:
            die()
        return entries

    batches._exchange = dying_send
    audit.record_many = dying_record
    if edge == "accepted, not proved":
        answers.update_copy = die
    if edge == "proved, request not closed":
        settling.finish_if_done = die


def run(tenant_id: UUID, edge: str, errors: Path) -> None:
    """What a worker process does. What goes wrong is told in a file: nobody reads what it prints."""
    try:
        work(tenant_id, edge)
    except BaseException:
        errors.write_text(traceback.format_exc())
        raise


def work(tenant_id: UUID, edge: str) -> None:
    from django.conf import settings

    from revocation.spine import executor, sweeper

    settings.REVOCATION_LEASE_SECONDS = 3
    settings.REVOCATION_READ_BACK_SECONDS = 6
    if edge:
        arm(edge)
        executor.turn(tenant_id, seconds=30, linger=10)
        return
    from accounts.tenancy import tenant_context
    from revocation.models import RevocationRequest

    for _round in range(120):
        sweeper.sweep(seconds=2)
        with tenant_context(tenant_id):
            if not RevocationRequest.objects.filter(state=RevocationRequest.State.RUNNING).exists():
                return
        time.sleep(0.25)  # the sweeper's beat
    raise RuntimeError("not finished")


if not apps.ready:  # in the process that makes the workers; the tests have set it up themselves
    django.setup()
    import revocation.spine.sweeper  # noqa: F401 - and with it all that a worker needs
