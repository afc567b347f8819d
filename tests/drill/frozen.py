"""One dependency after the other is stopped as a debugger stops it: connections stay open, and nothing comes back."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psutil

from benchmarks.bed import free_port, stop, wait_until
from tests.drill.ground import Asked, Drilled, Ground, Watch, Web, frozen as stopped, open_pages

PEOPLE = 100
SHARE = 0.4  # of the pages that this machine serves at the moment: what is measured is the waiting, not the queue
MOST = 8.0  # pages a second
DUE = "UPDATE accounts_user SET identity_checked_at = now() - interval '11 minutes', identity_lease_until = NULL"


def frozen(*, people: int = PEOPLE) -> Iterator[Drilled]:
    """Microsoft, PostgreSQL and the broker: probes answer in time, and pages do not wait."""
    with Ground(people=people + 20) as ground, redis(ground) as broker:
        web = Web(ground).start()
        ground.start_workers(1)
        ground.start_beat()
        crowd = ground.crowd(web, people)
        pace = min(MOST, SHARE * served_in_a_second(crowd))
        parts = {"Microsoft": ground.of_microsoft, "PostgreSQL": ground.of_postgres, "the broker": lambda: [broker]}
        if broker is None:
            parts.pop("the broker")
            print("frozen     not run: no redis-server here, so no broker is stopped")
        with Watch(web) as calm:
            before = open_pages(crowd, "/", per_second=pace)
        seen = f"{pace:.1f} a second, {before}; /healthz {calm.healthz}"
        yield Drilled("nothing stopped: every page is served", set(before.statuses) == {200}, seen)
        for name, processes in parts.items():
            ground.by_hand(DUE)
            with Watch(web) as watch, stopped(processes()):
                pages = open_pages(crowd, "/", per_second=pace)
            meant = {503} if name == "PostgreSQL" else {200}
            bar = longest(0.1, calm.healthz.p95)
            seen = beside(watch.healthz, calm.healthz)
            yield Drilled(f"{name} stopped: /healthz p95 below {bar:.1f} s", watch.healthz.p95 < bar, seen)
            bar = longest(3, calm.readyz.slowest)
            seen = beside(watch.readyz, calm.readyz)
            yield Drilled(f"{name} stopped: /readyz below {bar:.1f} s", watch.readyz.slowest < bar, seen)
            bar = longest(1, before.p95)
            held = pages.p95 < bar and set(pages.statuses) == meant
            seen = beside(pages, before)
            yield Drilled(f"{name} stopped: pages of {people} people p95 below {bar:.1f} s", held, seen)
            began = time.monotonic()
            wait_until(lambda: crowd[0].get("/").status_code == 200, 60)
            yield Drilled(f"{name} is back: pages are served", True, f"after {time.monotonic() - began:.1f} s")


def longest(seconds: float, calm: float) -> float:
    """The bar: so many seconds, or twice what this machine takes in the same run when nothing is stopped."""
    return max(seconds, 2 * calm)


def beside(seen: Asked, calm: Asked) -> str:
    return f"{seen}; calm p95 {calm.p95 * 1000:.0f} ms, slowest {calm.slowest * 1000:.0f} ms"


def served_in_a_second(crowd: list) -> float:
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: one.get("/"), crowd[:24]))
    return min(len(crowd), 24) / (time.monotonic() - began)


@contextmanager
def redis(ground: Ground) -> Iterator[psutil.Process | None]:
    """A Redis of our own, which may be stopped; None where the program is not there."""
    program = shutil.which("redis-server")
    with ExitStack() as stack:
        process = None
        if program:
            port = free_port()
            command = [program, "--port", str(port), "--save", "", "--bind", "127.0.0.1", "--dir", str(ground.folder)]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
            stack.callback(stop, process)
            ground.environment["CELERY_BROKER_URL"] = f"redis://127.0.0.1:{port}/0"
        yield psutil.Process(process.pid) if process else None


SECTIONS = [frozen]
