"""Worker processes of their own, on the test's database and sandbox."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.db import connection

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


def worker(tenant_id, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.revocation.crash_worker", str(tenant_id), *arguments],
        cwd=PROJECT,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )


def dies_at(tenant_id, edge: str) -> bool:
    """Run a worker that is killed at this edge. Whether it came that far."""
    process = worker(tenant_id, edge)
    process.communicate(timeout=60)
    return process.returncode == -signal.SIGKILL


def work_until_done(tenant_id) -> None:
    """What the next worker and the sweeper do after a crash."""
    process = worker(tenant_id)
    _out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
