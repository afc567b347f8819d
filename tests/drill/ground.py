"""What the drills stand on: a portal of real processes, to be frozen, killed and started anew, and its people."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import requests

from benchmarks.bed import PROJECT, Bed, free_port, stop, wait_until
from tests.attack.ground import Visitor

WEB = ("--workers", "2", "--threads", "4", "--no-control-socket", "--graceful-timeout", "5")


@dataclass(frozen=True)
class Drilled:
    """One thing that had to hold, and what was seen."""

    what: str
    held: bool
    seen: str = ""


@dataclass
class Web:
    """A web server at an address of its own, which keeps it when it is started anew."""

    bed: "Ground"
    port: int = field(default_factory=free_port)
    code: Path = PROJECT
    settings: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ("-c", "python:portal.serving", *WEB)
    process: subprocess.Popen | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Web":
        environment = self.bed.environment | {"PYTHONPATH": str(self.code), "PORTAL_URL": self.address} | self.settings
        with (self.bed.folder / f"web-{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{self.port}", *self.options],
                cwd=self.code,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.bed.others.append(self.process)
        wait_until(lambda: self.process.poll() is not None or self.bed._answers(f"{self.address}/healthz"), 90)
        if self.process.poll() is not None:
            raise RuntimeError(f"the web server ended:\n{self.log()[-3000:]}")
        return self

    def stop(self) -> None:
        self.bed.others.remove(self.process)
        stop(self.process)

    def log(self) -> str:
        return (self.bed.folder / f"web-{self.port}.log").read_text(errors="replace")


class Ground(Bed):
    """A bed whose heads are kept, whose parts can be frozen, and in which people sign in."""

    def __init__(self, *, people: int = 150, latency_ms: float = 30, quota: bool = False, read: bool = True) -> None:
        super().__init__(people=people, latency_ms=latency_ms, quota=quota, read=read)
        self.heads = self.folder / "audit-heads"

    def _settings(self) -> dict[str, str]:
        return super()._settings() | {"ALLOWED_HOSTS": "127.0.0.1,localhost", "LOG_LEVEL": "INFO"}

    # --- processes -------------------------------------------------------------------------------

    def manage(self, *arguments: object, may_fail: bool = False, **settings: str) -> subprocess.CompletedProcess:
        """A command of `manage.py`, with this bed's settings."""
        result = subprocess.run(
            [sys.executable, "manage.py", *map(str, arguments)],
            cwd=PROJECT,
            env=self.environment | settings,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if result.returncode and not may_fail:
            raise RuntimeError(f"manage.py {arguments[0]} failed:\n{result.stdout[-1500:]}{result.stderr[-1500:]}")
        return result

    def drill(self, *arguments: object):
        """Run one of `tests.drill.inside`'s commands in a process with this bed's settings; its answer."""
        return self._run("tests.drill.inside", *arguments)

    def start_urgent(self) -> None:
        """The worker that reads no directory, as `deploy/` starts it."""
        asked = ("--queues", "consentry", "--concurrency", "1", "-n", "urgent@bench")
        self.workers.append(self._process("celery", "-A", "portal", "worker", *asked, log="urgent"))

    def restart_workers(self, count: int = 1) -> None:
        self.stop_workers()
        self.start_workers(count)

    def stop_workers(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            stop(worker)
        self.workers.clear()

    def of_postgres(self) -> list[psutil.Process]:
        number = int((self.server.data / "postmaster.pid").read_text().split()[0])
        postmaster = psutil.Process(number)
        return [postmaster, *postmaster.children(recursive=True)]

    def of_microsoft(self) -> list[psutil.Process]:
        return [psutil.Process(self.sandbox._process.pid)]

    def superuser(self, database: str = "consentry") -> str:
        return f"host={self.server.socket_dir} user=postgres dbname={database}"

    def by_hand(self, statement: str, *parameters: object) -> list[tuple]:
        """Ask as PostgreSQL's administrator, from whom row-level security hides nothing."""
        with psycopg.connect(self.superuser(), autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    # --- people ----------------------------------------------------------------------------------

    def visitor(self, web: Web, upn: str) -> Visitor:
        """Somebody who has signed in, in a browser of their own."""
        visitor = Visitor(web.address, self.sandbox.url)
        visitor.sign_in(upn)
        return visitor

    def crowd(self, web: Web, count: int) -> list[Visitor]:
        """So many people, each signed in."""
        names = [f"user{number:06}@contoso.example" for number in range(1, count + 1)]
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda upn: self.visitor(web, upn), names))

    def signed_out_times(self) -> dict[str, int]:
        """How often Microsoft carried out a sign-out, by person."""
        counted: dict[str, int] = {}
        for one in self.sandbox.requests():
            if one["method"] == "POST" and one["path"].endswith("revokeSignInSessions") and one["status"] < 300:
                person = one["path"].split("/users/")[1].split("/")[0]
                counted[person] = counted.get(person, 0) + 1
        return counted


@contextmanager
def frozen(processes: list[psutil.Process]) -> Iterator[None]:
    """SIGSTOP, then SIGCONT: they keep their connections, and say nothing."""
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            one.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for one in processes:
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGCONT)


@dataclass
class Asked:
    """Answers to one kind of question: how long each took, and its status (0: none)."""

    seconds: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def ask(self, how: Callable[[], requests.Response]) -> None:
        began = time.monotonic()
        try:
            status = how().status_code
        except requests.RequestException:
            status = 0
        self.seconds.append(time.monotonic() - began)
        self.statuses.append(status)

    @property
    def slowest(self) -> float:
        return max(self.seconds, default=0.0)

    @property
    def p95(self) -> float:
        return sorted(self.seconds)[max(0, int(len(self.seconds) * 0.95) - 1)] if self.seconds else 0.0

    def __str__(self) -> str:
        counted = {status: self.statuses.count(status) for status in sorted(set(self.statuses))}
        told = ", ".join(f"{count}x {status or 'no answer'}" for status, count in counted.items())
        return f"p95 {self.p95 * 1000:.0f} ms, slowest {self.slowest * 1000:.0f} ms ({told})"


class Watch:
    """Probes a web server all the while, in threads of its own."""

    def __init__(self, web: Web, *, every: float = 0.1) -> None:
        self.web, self.every = web, every
        self.healthz, self.readyz = Asked(), Asked()
        self.over = threading.Event()

    def __enter__(self) -> "Watch":
        self._threads = [
            threading.Thread(target=self._go_on, args=(self.healthz, "/healthz", self.every)),
            threading.Thread(target=self._go_on, args=(self.readyz, "/readyz", 1.0)),
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self, asked: Asked, path: str, every: float) -> None:
        with requests.Session() as http:
            http.trust_env = False
            while not self.over.wait(every):
                asked.ask(lambda: http.get(self.web.address + path, timeout=30))


def open_pages(people: list[Visitor], path: str, *, per_second: float) -> Asked:
    """Each of these people opens a page, in turn, at a steady pace; the time each had to wait for it."""
    asked, count = Asked(), len(people)
    began = time.monotonic()

    def one(number: int) -> None:
        threading.Event().wait(max(0.0, began + number / per_second - time.monotonic()))
        asked.ask(lambda: people[number].get(path))

    with ThreadPoolExecutor(min(count, 120)) as pool:
        list(pool.map(one, range(count)))
    return asked
