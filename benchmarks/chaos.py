"""Faults with real worker processes: whatever goes wrong, every person ends in a true state, and nobody twice.

    make chaos                          every fault on every broker that answers
    make chaos ARGS="--broker redis"    on one; --people 2000 for longer lists

Each line is one list signed out while one thing goes wrong. Afterwards our rows are compared, person by person, with
the sandbox's own audit log. Waiting times of the portal (lease, time until a lost call counts as not made, sweep) are
shorter than in production unless --scale 1 is given; faults keep their real durations. JSON goes to var/chaos.json;
the exit status is 1 when anything is not as it must be.

Brokers: REDIS_URL (redis://127.0.0.1:6379) and RABBITMQ_URL (amqp://guest:guest@127.0.0.1:5672//).
"""

import argparse
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg

from benchmarks import bed as beds, brokers, faults
from benchmarks.verdict import judge
from portal.local.postgres import PostgresProblem

WORKERS = 4
BEAT_PATIENCE = 60  # seconds until workers must answer a first list
LATENCY_MS = 600  # long enough for a kill to find calls on their way
MAX_CLICK = 1.0  # seconds more that a click may take for a broker that does not answer


@dataclass
class Line:
    """One printed line."""

    broker: str
    fault: str
    people: int = 0
    seconds: float = 0.0
    struck: int = 0
    carried_out: int = 0
    states: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    note: str = ""

    def __str__(self) -> str:
        what = f"{self.broker:<10} {self.fault:<42}"
        if self.note and not self.people:
            return f"{what} {self.note}"
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        verdict = "ok" if not self.violations else "VIOLATED: " + "; ".join(self.violations)
        struck = f"{self.struck}x" if self.struck else ""
        return (
            f"{what} {struck:>6} {self.seconds:7.1f} s  {states}, {self.carried_out} carried out: {verdict} {self.note}"
        )


class ChaosBed(beds.Bed):
    """A portal whose parts can be broken and come back, as a supervisor would bring them back.

    Args:
        scale: how much shorter the portal's own waiting times are than in production.
        window: writes in two seconds; the list takes several windows, so that there is something to disturb.
        database_url: a database elsewhere, whose server is left alone.
    """

    def __init__(self, *, people: int, scale: float, window: int, database_url: str = "") -> None:
        super().__init__(people=people + 200, latency_ms=LATENCY_MS, quota=False)
        self.waiting, self.window, self.external = scale, window, bool(database_url)
        if database_url:
            self.server = Elsewhere(database_url)
        self._turns = 0

    def _settings(self) -> dict[str, str]:
        return super()._settings() | {
            "REVOCATION_LEASE_SECONDS": str(max(3, round(60 / self.waiting))),
            "REVOCATION_READ_BACK_SECONDS": str(60 / self.waiting),
            "REVOCATION_SWEEP_SECONDS": str(max(2, round(10 / self.waiting))),
            "GRAPH_TIMEOUT": str(max(2.0, 10 / self.waiting)),
            "GRAPH_TENANT_WRITES": str(self.window),
            "GRAPH_TENANT_WRITE_SECONDS": "2",
        }

    def replace(self, worker) -> None:
        """Start a worker in the place of one that is gone."""
        self.workers.remove(worker)
        self.add_worker()

    def add_worker(self) -> None:
        self._turns += 1
        name = f"worker{self._turns}"
        command = ("celery", "-A", "portal", "worker", "--concurrency", "1", "-n", f"{name}@chaos")
        self.workers.append(self._process(*command, log=name))

    @contextmanager
    def staffed(self, broker, workers: int = WORKERS) -> Iterator[None]:
        """Workers and beat on this broker, inside the `with`."""
        self.environment |= {"CELERY_BROKER_URL": broker.url or "filesystem://localhost//"}
        (self.folder / "celerybeat-schedule").unlink(missing_ok=True)
        try:
            for _ in range(workers):
                self.add_worker()
            self.start_beat()
            yield
        finally:
            for process in [*self.workers, *self.others]:
                process.terminate()  # all at once; then wait for each
            for process in [*self.workers, *self.others]:
                beds.stop(process)
            self.workers.clear()
            self.others.clear()

    def chaos(self, *arguments: object) -> Any:
        """One of `benchmarks.chaos_inside`'s commands."""
        command = [sys.executable, "-m", "benchmarks.chaos_inside", *map(str, arguments)]
        result = subprocess.run(
            command, cwd=beds.PROJECT, env=self.environment, capture_output=True, text=True, timeout=300
        )
        if result.returncode:
            raise RuntimeError(f"{arguments[0]} failed:\n{result.stderr[-3000:]}")
        return json.loads(result.stdout.splitlines()[-1])

    def sign_out(self, people: int) -> str:
        self._turns += 1
        return self.chaos("sign_out", people, self._turns)["request"]

    def is_over(self, request_id: str) -> bool:
        with suppress(psycopg.OperationalError):  # while the server is away nobody can tell
            return self.is_finished(request_id)
        return False

    def tails(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs)


class Elsewhere:
    """A PostgreSQL that is not ours to start or stop."""

    def __init__(self, url: str) -> None:
        self.url = url

    def start(self) -> str:
        return self.url

    def stop(self) -> None:
        pass


def run_one(bed: ChaosBed, broker, fault: faults.Fault | None, people: int, patience: float) -> Line:
    """Sign a list out while something goes wrong, and compare afterwards."""
    line = Line(broker.name, fault.name if fault else "undisturbed", people)
    since = datetime.now(UTC)
    request = bed.sign_out(people)
    began = time.monotonic()
    try:
        if fault is None:
            beds.wait_until(lambda: bed.is_over(request), patience, 0.2)
        else:
            with fault.under_way(bed) as strikes:
                beds.wait_until(lambda: bed.is_over(request), patience, 0.2)
            line.struck = strikes.struck
            if not line.struck:
                line.violations.append("the fault never struck")
    except TimeoutError:
        line.violations.append(f"not finished within {patience:.0f} s")
    line.seconds = round(time.monotonic() - began, 1)
    verdict = judge(bed, request, people, since)
    line.states, line.carried_out = verdict.states, verdict.carried_out
    line.violations += verdict.violations
    return line


def warm_up(bed: ChaosBed, broker) -> None:
    """A first short list, so that no measured one waits for workers to start."""
    request = bed.sign_out(5)
    beds.wait_until(lambda: bed.is_over(request), BEAT_PATIENCE, 0.2)


def all_faults(bed: ChaosBed, broker) -> list[faults.Fault]:
    found = [faults.workers_killed()]
    for name, loss in broker.losses().items():
        times = 2 if "restarted" in name else 0
        every = 6.0 if times else 2.0
        found.append(faults.Fault(name if times else f"{name} every {every:g} s", loss, every, times))
    return [
        *found,
        faults.postgres_fails(bed),
        faults.unavailable(),
        faults.throttled(),
        faults.replies_cut(),
        faults.requests_cut(),
        faults.items_spoilt(),
        storm(bed, broker),
    ]


def storm(bed: ChaosBed, broker, times: int = 0) -> faults.Fault:
    """Workers, broker, database and Microsoft at once; `times` strikes, or as long as work is left."""
    losses = [faults.Fault(name, loss) for name, loss in broker.losses().items()]
    broken = [faults.workers_killed(), *losses, faults.postgres_fails(bed, every=2.0)]
    return faults.together("all of these at once", *broken, faults.throttled(), faults.replies_cut(), times=times)


def dead_brokers(bed: ChaosBed) -> Iterator[Line]:
    """How long a click takes when the broker refuses, and when it takes the connection and says nothing.

    The click is left to the workers soon, so that it must turn to the broker.
    """
    before = dict(bed.environment)
    bed.environment |= {"REVOCATION_INLINE_SECONDS": "0.2", "CELERY_BROKER_URL": "filesystem://localhost//"}
    usual = max(bed.chaos("click", 0)["seconds"])
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        ends = {"refuses connections": beds.free_port(), "says nothing": silent.getsockname()[1]}
        for position, ((what, port), scheme) in enumerate(
            [(end, scheme) for scheme in ("redis", "amqp") for end in ends.items()], start=1
        ):
            bed.environment["CELERY_BROKER_URL"] = f"{scheme}://127.0.0.1:{port}/{'0' if scheme == 'redis' else '/'}"
            found = bed.chaos("click", position * 3)
            slowest = max(found["seconds"])
            line = Line(scheme, f"a click while the broker {what}")
            line.seconds, line.states = slowest, {found["state"]: 1}
            line.note = f"{slowest:.2f} s, {usual:.2f} s with one that answers: "
            if slowest > usual + MAX_CLICK or found["state"] != "running":
                line.violations.append(f"slower by more than {MAX_CLICK:g} s, or failed ({found['state']})")
            line.note += "VIOLATED" if line.violations else "ok"
            yield line
    bed.environment = before


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__.split("\n")[0])
    parser.add_argument("--broker", choices=[*brokers.NAMES, "all"], default="all")
    parser.add_argument("--people", type=int, default=2000, help="in each list")
    parser.add_argument("--scale", type=float, default=5, help="how much shorter the portal's waiting times are")
    parser.add_argument("--only", default="", help="faults whose name holds this")
    parser.add_argument("--database-url", default="", help="a PostgreSQL elsewhere, with a database that may be filled")
    parser.add_argument("--json", type=Path, default=beds.PROJECT / "var" / "chaos.json")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    lines: list[Line] = []

    def tell(line: Line) -> None:
        lines.append(line)
        print(line, flush=True)

    print(
        f"{options.people} people per line, {WORKERS} workers, Graph takes {LATENCY_MS} ms;"
        f" lease, read-back time and sweep {options.scale:g} times shorter than in production.",
        flush=True,
    )
    bed = ChaosBed(
        people=options.people,
        scale=options.scale,
        window=options.people // 8 + 20,
        database_url=options.database_url,
    )
    try:
        with bed:
            for name in brokers.NAMES if options.broker == "all" else [options.broker]:
                run_broker(bed, name, options, tell)
            if not options.only or "click" in options.only:
                for line in dead_brokers(bed):
                    tell(line)
            intact = bed.chaos("verify_audit")["ok"]
    except PostgresProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"audit record: {'intact' if intact else 'BROKEN'}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "people": options.people,
        "scale": options.scale,
        "audit_intact": intact,
        "lines": list(map(asdict, lines)),
    }
    options.json.write_text(json.dumps(report, indent=2) + "\n")
    violated = [line for line in lines if line.violations]
    if violated:
        print(f"{len(violated)} of {len(lines)} lines are not as they must be.")
    return int(bool(violated) or not intact)


def _stop(number: int, frame: FrameType | None) -> None:
    # Leaves through every `with`, so that nothing that was started stays behind.
    raise SystemExit(128 + number)


def run_broker(bed: ChaosBed, name: str, options: argparse.Namespace, tell) -> None:
    """Every fault on one broker; one line that says so where there is none."""
    try:
        broker = brokers.reach(name)
    except brokers.Absent as absent:
        tell(Line(name, "every fault", note=str(absent)))
        return
    try:
        with bed.staffed(broker):
            warm_up(bed, broker)
            undisturbed = run_one(bed, broker, None, options.people, 300)
            tell(undisturbed)
            patience = 120 + 10 * undisturbed.seconds + 300 / options.scale
            for fault in all_faults(bed, broker):
                if options.only in fault.name:
                    tell(run_one(bed, broker, fault, options.people, patience))
    finally:
        broker.close()


if __name__ == "__main__":
    raise SystemExit(main())
