"""A whole portal for one measurement: database, sandbox, workers, each a process of its own, all gone afterwards."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from portal import keys
from portal.local.demo import PORTAL_CLIENT
from portal.local.postgres import Server
from tests.sandbox_client import CONTOSO, Sandbox

PROJECT = Path(__file__).resolve().parent.parent
QUOTA = {"writes": 3000, "seconds": 150.0}  # Microsoft's, per app and tenant


class Bed:
    """Started by `with`. `people` come on top of the sandbox's own cast.

    Args:
        scale: how much faster everything with a duration runs: quota windows, latency, delays.
        quota: whether the sandbox and the portal know of write quotas at all.
        reading: how the sandbox lets writes through: "window" or "bucket". The portal is not told.
        broker: a Celery broker; files in the bed's folder by default.
        apps, grants: so many beside the cast's.
        read: whether the directory is read before the measurement begins.
    """

    def __init__(
        self,
        *,
        people: int,
        latency_ms: float = 75,
        scale: float = 1,
        quota: bool = True,
        reading: str = "window",
        broker: str = "",
        apps: int = 0,
        grants: int = 0,
        read: bool = True,
    ) -> None:
        self.people, self.latency_ms, self.scale = people, latency_ms, scale
        self.apps, self.grants, self.read = apps, grants, read
        self.quota, self.reading = quota, reading
        self.folder = Path(tempfile.mkdtemp(prefix="consentry-bench-"))
        self.folder.chmod(0o711)
        self.server = Server(self.folder)
        self.sandbox = Sandbox(
            f"http://127.0.0.1:{free_port()}", *self._sandbox_options(), log=self.folder / "sandbox.log"
        )
        self.broker = broker
        self.workers: list[subprocess.Popen] = []
        self.others: list[subprocess.Popen] = []

    def _sandbox_options(self) -> list[str]:
        options = ["--users", self.people, "--latency-ms", self.latency_ms, "--time-scale", self.scale]
        if self.apps or self.grants:
            options += ["--apps", self.apps, "--grants", self.grants]
        return [str(option) for option in options]

    def __enter__(self) -> "Bed":
        try:
            self.database_url = self.server.start()
            self.sandbox.start(timeout=120)
            self.sandbox.control("POST", "quota", json={"enabled": self.quota, "reading": self.reading})
            self.environment = os.environ | self._settings()
            self.inside("prepare" if self.read else "connect")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error) -> None:
        for process in [*self.workers, *self.others]:
            stop(process)
        self.sandbox.stop()
        with suppress(Exception):
            self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _settings(self) -> dict[str, str]:
        found = keys.fresh() | PORTAL_CLIENT
        found |= {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "VAR_DIR": str(self.folder),
            "DATABASE_URL": self.database_url,
            "DATABASE_OWNER_URL": getattr(self.server, "owner_url", ""),
            "SANDBOX_URL": self.sandbox.url,
            "LOG_LEVEL": "WARNING",
            "IDENTITY_MAX_AGE": "86400",  # who is signed in here has no tokens to be checked by
            "PYTHONPATH": str(PROJECT),
            "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
            "GRAPH_TENANT_WRITES": str(QUOTA["writes"] if self.quota else 0),
            "GRAPH_TENANT_WRITE_SECONDS": str(QUOTA["seconds"] / self.scale),
            "GRAPH_APP_WRITES": str(35000 if self.quota else 0),
            "GRAPH_APP_WRITE_SECONDS": str(300 / self.scale),
        }
        return found | ({"CELERY_BROKER_URL": self.broker} if self.broker else {})

    # --- processes -----------------------------------------------------------------------------------

    def start_workers(self, count: int) -> None:
        for _ in range(count):
            name = f"worker{len(self.workers)}"
            self.workers.append(
                self._process("celery", "-A", "portal", "worker", "--concurrency", "1", "-n", f"{name}@bench", log=name)
            )

    def start_beat(self) -> None:
        self.others.append(self._process("celery", "-A", "portal", "beat", log="beat"))

    def start_web(self) -> str:
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        self.others.append(
            self._process(
                *("gunicorn", "-c", "python:portal.serving", "portal.wsgi", "--bind", f"127.0.0.1:{port}"),
                *("--workers", "2", "--threads", "2"),
                log="web",
            )
        )
        wait_until(lambda: self._answers(address + "/healthz"), 60)
        return address

    def _answers(self, url: str) -> bool:
        try:
            return self.sandbox.http.get(url, timeout=5).ok
        except OSError:
            return False

    def _process(self, module: str, *arguments: str, log: str) -> subprocess.Popen:
        with (self.folder / f"{log}.log").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def inside(self, *arguments: object) -> Any:
        """Run one of `benchmarks.inside`'s commands in a process with this bed's settings; its answer."""
        return self._run("benchmarks.inside", *arguments)

    def inside_directory(self, *arguments: object) -> Any:
        """The same of `benchmarks.inside_directory`; None where that process was made to end before its end."""
        return self._run("benchmarks.inside_directory", *arguments, may_end=9)

    def inside_pages(self, *arguments: object) -> Any:
        """The same of `benchmarks.inside_pages`."""
        return self._run("benchmarks.inside_pages", *arguments)

    def _run(self, module: str, *arguments: object, may_end: int = 0) -> Any:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        result = subprocess.run(command, cwd=PROJECT, env=self.environment, capture_output=True, text=True, timeout=900)
        if may_end and result.returncode == may_end:
            return None
        if result.returncode:
            raise RuntimeError(f"{arguments[0]} failed:\n{result.stderr[-3000:]}")
        return json.loads(result.stdout.splitlines()[-1])

    # --- looking -------------------------------------------------------------------------------------

    def ask(self, statement: str, *parameters: Any) -> list[tuple]:
        with self.watching() as ask:
            return ask(statement, *parameters)

    @contextmanager
    def watching(self) -> Iterator[Callable[..., list[tuple]]]:
        """`ask` over one connection, for who asks again and again."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute("SELECT set_config('consentry.tenant', %s, false)", [CONTOSO])
            yield lambda statement, *parameters: connection.execute(statement, parameters).fetchall()

    def states(self, request_id: str) -> dict[str, int]:
        """How many writes to Microsoft are in which state; our own sessions, which end at once, are not counted."""
        return dict(
            self.ask(
                "SELECT state, count(*) FROM revocation_revocationstep WHERE request_id = %s"
                " AND action <> 'end_portal_sessions' GROUP BY state",
                request_id,
            )
        )

    def is_finished(self, request_id: str) -> bool:
        return self.ask("SELECT state FROM revocation_revocationrequest WHERE id = %s", request_id) == [("finished",)]

    def called_span(self, request_id: str) -> float:
        """Seconds from the first call to Microsoft to the last acceptance."""
        ((seconds,),) = self.ask(
            "SELECT extract(epoch FROM max(accepted_at) - min(called_at)) FROM revocation_revocationstep"
            " WHERE request_id = %s AND action <> 'end_portal_sessions'",
            request_id,
        )
        return float(seconds)

    def writing_seconds(self, request_id: str) -> set[int]:
        """The seconds, by the clock, in which Microsoft accepted writes of this request."""
        accepted = self.ask(
            "SELECT DISTINCT floor(extract(epoch FROM accepted_at)) FROM revocation_revocationstep"
            " WHERE request_id = %s AND accepted_at IS NOT NULL AND action <> 'end_portal_sessions'",
            request_id,
        )
        return {int(second) for (second,) in accepted}

    def worker_memory(self) -> int:
        """The largest worker process right now, in bytes."""
        sizes = [0]
        for worker in self.workers:
            with suppress(psutil.Error):
                for process in psutil.Process(worker.pid).children(recursive=True):
                    sizes.append(process.memory_info().rss)
        return max(sizes)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stop(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()


def wait_until(ready, seconds: float, pause: float = 0.1) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not ready within {seconds:.0f} s")
        time.sleep(pause)
