"""Worker processes of their own, on the test's database and sandbox."""

import multiprocessing
import os
import signal
import tempfile
from pathlib import Path
from unittest import mock
from uuid import UUID

from django.conf import settings
from django.db import connection

from tests.revocation import crash_worker

PROJECT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    database = connection.settings_dict
    socket_folder = database["OPTIONS"].get("host", "")  # where the embedded server listens
    url = f"postgres://{database['USER']}@{database['HOST'] or ''}/{database['NAME']}"
    if database["PORT"]:
        url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    if (folder := socket_folder or database["HOST"] or "").startswith("/"):
        url = f"postgres://{database['USER']}@/{database['NAME']}?host={folder}"
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": url,
        "SANDBOX_URL": settings.SANDBOX_URL,
        "AUDIT_KEYS": ",".join(settings.AUDIT_KEYS),
        "CELERY_BROKER_URL": "memory://localhost//",
        "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ["PYTHONPATH"]]),  # of which tests/wire hears
    }


_makes = multiprocessing.get_context("forkserver")


class Worker:
    """A worker process, started at once. It is a fork of one in which Django is set up already."""

    def __init__(self, tenant_id: UUID, edge: str = "") -> None:
        handle, name = tempfile.mkstemp()
        os.close(handle)
        self._errors = Path(name)
        self._process = _makes.Process(target=crash_worker.run, args=(tenant_id, edge, self._errors))
        with mock.patch.dict(os.environ, environment()):  # of the process that forks, which the first start begins
            _makes.set_forkserver_preload([crash_worker.__name__])
            self._process.start()

    def end(self, timeout: float) -> int:
        """Wait for its end: 0, or the signal that killed it as a negative number."""
        self._process.join(timeout)
        assert self._process.exitcode is not None, "it did not end in time"
        return self._process.exitcode

    @property
    def errors(self) -> str:
        return self._errors.read_text()


def dies_at(tenant_id: UUID, edge: str) -> bool:
    """Run a worker that is killed at this edge. Whether it came that far."""
    return Worker(tenant_id, edge).end(60) == -signal.SIGKILL


def work_until_done(tenant_id: UUID) -> None:
    """What the next worker and the sweeper do after a crash."""
    process = Worker(tenant_id)
    assert process.end(120) == 0, process.errors
