"""Measures mass revocation beside Microsoft's own SDK: a table, and JSON in var/bench.json.

    make bench                       every measurement
    make bench ARGS="--only speed"   one of them
    make bench ARGS="--full"         with the lists of 100,000 people that take minutes

The sandbox counts writes as Microsoft does (3,000 in 150 s per app and tenant, as windows and as a bucket that refills
all the time: its page can be read as either, and the portal is told of neither) and takes 75 ms to answer. With --scale
everything that has a duration in it runs so much faster: quota windows, latency, Retry-After. Times in the table are
multiplied back, so they are those of an unscaled run; what the machine itself needs is then counted too dear, never
too cheap.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import directory as large_directory, gate as gates
from benchmarks.bed import PROJECT, QUOTA, Bed, wait_until

CLIENTS = PROJECT / ".venv-clients" / "bin" / "python"
CAST = 15  # people of the sandbox's own cast, whom no list names
# So many go out before the quota makes anybody wait (we leave a few writes of a window to clicks): here speed tells.
FIRST = 2_900
MASS_LIMIT = 3600  # seconds until a mass action is given up


@dataclass
class Line:
    """One line of the table. `ok` is None where there is no bar."""

    what: str
    value: str
    bar: str = ""
    ok: bool | None = None
    raw: dict | None = None


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=MEASUREMENTS, action="append")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--scale", type=float, default=2.0)
    parser.add_argument("--full", action="store_true", help="also lists of 100,000 people")
    options = parser.parse_args()
    options.ours = None  # what `quota` found, for `sdk` to be compared with
    lines: list[Line] = []
    for name in options.only or [one for one in MEASUREMENTS if one not in ("first-reading", "pages")]:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            found = MEASUREMENTS[name](options)
        except Exception as error:
            found = [Line(name, f"not measured: {type(error).__name__}: {error}", ok=False)]
        lines += found
        for line in found:
            print(row(line), flush=True)
    write(lines, options)
    print("\n" + "\n".join(map(row, lines)))
    return 1 if any(line.ok is False for line in lines) else 0


def row(line: Line) -> str:
    verdict = {True: "ok", False: "MISSED", None: ""}[line.ok]
    return f"{line.what:<62} {line.value:<34} {line.bar:<26} {verdict}".rstrip()


def write(lines: list[Line], options: argparse.Namespace) -> None:
    path = Path(os.environ.get("VAR_DIR") or PROJECT / "var") / "bench.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0]}
    asked = {name: value for name, value in vars(options).items() if name != "ours"}
    found = {"options": asked, "machine": machine, "lines": [asdict(line) for line in lines]}
    path.write_text(json.dumps(found, indent=1) + "\n")
    print(f"\nWritten: {path}", file=sys.stderr)


# --- ours -----------------------------------------------------------------------------------------------


@dataclass
class Mass:
    """What one mass sign-out came to. Seconds are the sandbox's, scale included."""

    people: int
    seconds: float  # asked to the last acceptance
    first_100: float
    first: float  # asked to the acceptance of the FIRST-th
    proved: float  # asked to the last proof
    per_second: float  # while calling
    memory_mb: int
    states: dict[str, int]
    twice: int
    refused: int  # writes answered 429


def sign_out_list(bed: Bed, people: int, workers: int) -> Mass:
    """A CSV of so many people, previewed, confirmed and carried out by so many worker processes."""
    path = bed.folder / f"{people}.csv"
    assert bed.inside("write_csv", path, people)["people"] == people
    seen = bed.inside("preview", path)
    if not bed.workers:
        bed.start_workers(workers)
        bed.start_beat()
        time.sleep(6)  # until they listen: starting is not part of what is measured
    request = bed.inside("confirm", seen["draft"], seen["digest"])["request"]
    memory = 0

    def done() -> bool:
        nonlocal memory
        memory = max(memory, bed.worker_memory())
        return bed.is_finished(request)

    wait_until(done, MASS_LIMIT, pause=0.5)
    return measured(bed, request, people, memory)


def measured(bed: Bed, request: str, people: int, memory: int) -> Mass:
    ((all_accepted, hundred, first, proved),) = bed.ask(
        "SELECT extract(epoch FROM max(s.accepted_at) - min(r.created_at)),"
        " extract(epoch FROM (array_agg(s.accepted_at ORDER BY s.accepted_at))[100] - min(r.created_at)),"
        f" extract(epoch FROM (array_agg(s.accepted_at ORDER BY s.accepted_at))[{FIRST}] - min(r.created_at)),"
        " extract(epoch FROM max(s.finished_at) - min(r.created_at))"
        " FROM revocation_revocationstep s JOIN revocation_revocationrequest r ON r.id = s.request_id"
        " WHERE r.id = %s AND s.action <> 'end_portal_sessions'",
        request,
    )
    writes = [
        entry
        for entry in bed.sandbox.requests()
        if entry["method"] == "POST" and "revokeSignInSessions" in entry["path"]
    ]
    calls = Counter(entry["path"] for entry in writes if entry["status"] < 300)
    return Mass(
        people=people,
        seconds=float(all_accepted) * bed.scale,
        first_100=float(hundred or 0) * bed.scale,
        first=float(first or 0) * bed.scale,
        proved=float(proved) * bed.scale,
        per_second=people / bed.called_span(request) / bed.scale,
        memory_mb=memory // 2**20,
        states=bed.states(request),
        twice=sum(1 for count in calls.values() if count > 1),
        refused=sum(entry["status"] == 429 for entry in writes),
    )


def lost(mass: Mass) -> int:
    return mass.people - mass.states.get("verified", 0)


def floor_seconds(reading: str, people: int) -> float:
    """What the quota alone takes. As windows: full ones, of which the last need not be waited out."""
    if reading == "window":
        return (math.ceil(people / QUOTA["writes"]) - 1) * QUOTA["seconds"]
    return max(0, people - QUOTA["writes"]) * QUOTA["seconds"] / QUOTA["writes"]


def quota(options: argparse.Namespace) -> list[Line]:
    """Ten thousand people under either reading of the quota, by a portal that has to find out which it is."""
    lines = []
    for reading, called in (("window", "quota in windows"), ("bucket", "quota as a bucket")):
        floor = floor_seconds(reading, options.people)
        with Bed(people=options.people + CAST, scale=options.scale, reading=reading) as bed:
            mass = sign_out_list(bed, options.people, workers=2)
        if reading == "window":
            options.ours = mass
        share = mass.refused / options.people
        raw = asdict(mass) | {"floor_seconds": floor}
        lines += [
            Line(f"Consentry: {options.people:,} people, {called}", f"{mass.seconds:.0f} s",
                 f"<= {floor * 1.05:.0f} s (floor {floor:.0f} s)", mass.seconds <= floor * 1.05, raw),
            Line("  first 100 of them", f"{mass.first_100:.1f} s", "<= 15 s", mass.first_100 <= 15),
            Line(f"  first {FIRST:,} of them", f"{mass.first:.1f} s"),
            Line("  writes answered 429", f"{mass.refused} ({share:.2%})", "< 1 %", share < 0.01),
            Line("  lost, twice", f"{lost(mass)}, {mass.twice}", "0, 0", lost(mass) == mass.twice == 0),
        ]  # fmt: skip
    return lines


def speed(options: argparse.Namespace) -> list[Line]:
    lines = []
    for workers in (2, 4):
        with Bed(people=options.people + CAST, quota=False) as bed:
            mass = sign_out_list(bed, options.people, workers)
        bar, ok = (">= 400 people/s", mass.per_second >= 400) if workers == 2 else ("", None)
        said = f"Consentry: {options.people:,} people, no quota, {workers} workers"
        lines.append(Line(said, f"{mass.per_second:.0f} people/s", bar, ok, asdict(mass)))
        if lost(mass) or mass.twice:
            lines.append(Line(f"{said}: lost, twice", f"{lost(mass)}, {mass.twice}", "0, 0", False))
    return lines


def memory(options: argparse.Namespace) -> list[Line]:
    sizes = [1_000, 10_000, 100_000] if options.full else [1_000, 10_000]
    lines = []
    for people in sizes:
        with Bed(people=people + CAST, quota=False, latency_ms=75) as bed:
            mass = sign_out_list(bed, people, workers=2)
        said = f"Consentry: largest worker process, {people:,} people"
        lines.append(Line(said, f"{mass.memory_mb} MB", "< 150 MB", mass.memory_mb < 150, asdict(mass)))
    return lines


def preview(options: argparse.Namespace) -> list[Line]:
    people = 100_000
    with Bed(people=people + CAST, latency_ms=0) as bed:
        path = bed.folder / "people.csv"
        bed.inside("write_csv", path, people)
        seen = bed.inside("preview", path)
        made = bed.inside("confirm", seen["draft"], seen["digest"])
    said = f"Consentry: CSV of {people:,} people"
    return [
        Line(f"{said}: preview", f"{seen['seconds']:.1f} s", "< 10 s", seen["seconds"] < 10, seen),
        Line(f"{said}: memory of preview", f"{seen['peak_mb']} MB", "< 300 MB", seen["peak_mb"] < 300),
        Line(f"{said}: request stored, one transaction", f"{made['seconds']:.1f} s", "", None, made),
        Line(f"{said}: memory of storing", f"{made['peak_mb']} MB", "< 300 MB", made["peak_mb"] < 300),
    ]


# --- the web beside it ----------------------------------------------------------------------------------

IDLE, BUSY = 1, 2  # windows of the quota, watched whole: the seconds in which writes go out and those of waiting
CLICKS = 15  # sign-outs in each window: fewer than the writes that a mass action leaves to clicks


def web(options: argparse.Namespace) -> list[Line]:
    """Pages and single sign-outs, idle and all through a mass action that goes at the pace of the quota."""
    with Bed(people=options.people + CAST) as bed:
        visitor = Visitor(bed)
        bed.start_workers(2)
        bed.start_beat()
        time.sleep(6)
        visitor.warm_up()
        idle = visitor.watch(IDLE)
        path = bed.folder / "people.csv"
        bed.inside("write_csv", path, options.people - visitor.needs)
        seen = bed.inside("preview", path)
        request = bed.inside("confirm", seen["draft"], seen["digest"])["request"]
        busy = visitor.watch(BUSY)
        writing = bed.writing_seconds(request)
    lines = []
    for what in idle:
        before, during = p95(idle[what]), p95(busy[what])
        ok = during <= before * 1.5
        burst = [sample for sample in busy[what] if int(sample.at) in writing]
        raw = {"idle": before, "busy": during, "samples": len(busy[what]), "in_burst": len(burst)}
        value = f"{during * 1000:.0f} ms (idle {before * 1000:.0f} ms)"
        lines.append(Line(f"Consentry: p95 of {what}", value, f"<= {before * 1500:.0f} ms", ok, raw))
        if len(burst) > 1:
            worst = f"{p95(burst) * 1000:.0f} ms ({p95(burst) / before:.1f} x idle, {len(burst)} samples)"
            watched = BUSY * QUOTA["seconds"]
            lines.append(Line(f"  in the {len(writing)} of {watched:.0f} s in which writes went out", worst))
    return lines


@dataclass
class Sample:
    at: float  # the clock's time, in seconds
    seconds: float


def p95(samples: list[Sample]) -> float:
    return statistics.quantiles([sample.seconds for sample in samples], n=20, method="inclusive")[-1]


class Visitor:
    """A helpdesk agent who opens pages and signs single people out, whom no list names."""

    needs = (IDLE + BUSY) * CLICKS + 10

    def __init__(self, bed: Bed) -> None:
        self.address = bed.start_web()
        self.http = bed.sandbox.http
        self.http.cookies["consentry_session"] = bed.inside("session", "Henrietta Mueller")["cookie"]
        self.people = bed.inside("people", self.needs)

    def warm_up(self) -> None:
        """Both processes of the web have answered before anything is measured."""
        for _ in range(12):
            self.http.get(f"{self.address}/", headers={"Connection": "close"})
        for _ in range(4):
            self._my_apps()
            self._sign_out()

    def watch(self, windows: int) -> dict[str, list[Sample]]:
        """My apps some four times a second, and CLICKS sign-outs in each window, spread evenly."""
        seconds, clicks = windows * QUOTA["seconds"], windows * CLICKS
        found: dict[str, list[Sample]] = {"My apps": [], "one interactive sign-out": []}
        pages, sign_outs = found.values()
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < seconds:
            pages.append(Sample(time.time(), self._my_apps()))
            if len(sign_outs) < clicks * passed / seconds:
                sign_outs.append(Sample(time.time(), self._sign_out()))
            time.sleep(0.25)
        return found

    def _my_apps(self) -> float:
        answer = self.http.get(f"{self.address}/", timeout=60, allow_redirects=False)
        assert answer.status_code == 200, answer
        return answer.elapsed.total_seconds()

    def _sign_out(self) -> float:
        page = f"{self.address}/t/contoso/people/{self.people.pop()}/sign-out/"
        self.http.get(page, timeout=60)
        form = {"csrfmiddlewaretoken": self.http.cookies["csrftoken"], "reason": "A measurement"}
        answer = self.http.post(page, data=form, timeout=60, allow_redirects=False)
        assert answer.status_code == 302, answer
        return answer.elapsed.total_seconds()


# --- the gate of a B2C tenant ---------------------------------------------------------------------------


def gate(options: argparse.Namespace) -> list[Line]:
    """What B2C asks inside every refresh, with a thousand rules and with a million."""
    found = gates.measure()
    bar = max(20.0, 4 * found["bare_p99"])
    ratio, query = found["many_p50"] / found["few_p50"], found["query_many_us"] / found["query_few_us"]
    said = f"p99 {found['many_p99']:.1f} ms, p50 {found['many_p50']:.1f} ms"
    bare = f"a bare view: p99 {found['bare_p99']:.1f} ms"
    right = set(found["answers"]) <= {200, 409}
    size = f"{found['memory_mb']} MB, {found['grown_mb']:+.1f} MB"
    return [
        Line(f"The gate: {gates.MANY:,} rules, {found['rate']} requests/s", said, f"p99 <= {bar:.0f} ms", None, found),
        Line(f"  {bare}; {found['requests']:,} requests", "", "", right and found["many_p99"] <= bar),
        Line(f"  beside {gates.FEW:,} rules, p50", f"{ratio:.2f} x", "<= 1.3 x", ratio <= 1.3),
        Line(f"  {gates.FEW:,} rules: p99", f"{found['few_p99']:.1f} ms"),
        Line("  its one query by itself", f"{found['query_many_us']:.0f} us, {query:.2f} x"),
        Line("  memory of two processes, grown meanwhile", size, "flat: <= 10 MB", found["grown_mb"] <= 10),
    ]


# --- Microsoft's SDK ------------------------------------------------------------------------------------


def sdk(options: argparse.Namespace) -> list[Line]:
    """The same people by msgraph-sdk: one after the other, and with its batch helper. On the same sandbox, quota on."""
    lines = []
    for way, said in (("loop", "in a sequential loop"), ("batch", "with its batch helper")):
        with Bed(people=options.people + CAST, scale=options.scale) as bed:
            listed = bed.folder / "people.csv"
            bed.inside("write_csv", listed, options.people)
            command = [CLIENTS, "-m", "benchmarks.sdk", way, bed.sandbox.url, listed, FIRST]
            result = subprocess.run(map(str, command), cwd=PROJECT, capture_output=True, text=True, timeout=MASS_LIMIT)
            if result.returncode:
                raise RuntimeError(result.stderr[-2000:])
            found = json.loads(result.stdout.splitlines()[-1])
        seconds, first = found["seconds"] * options.scale, (found["first"] or math.inf) * options.scale
        said = f"msgraph-sdk {said}: {options.people:,} people"
        value, bar, ok = f"{seconds:.0f} s, {found['lost']:,} lost", "", None
        if ours := options.ours:
            bar = f"ours {ours.seconds:.0f} s, {lost(ours):,} lost"
            ok = not lost(ours) and (ours.seconds < seconds or found["lost"] > 0)
        lines.append(Line(said, value, bar, ok, found))
        bar, ok = (f"ours {ours.first:.1f} s", ours.first < first) if ours else ("", None)
        lines.append(Line(f"  the first {FIRST:,} of them", f"{first:.1f} s", bar, ok))
    return lines


def directory(options: argparse.Namespace) -> list[Line]:
    """A large tenant's directory: see `benchmarks.directory`."""
    return large_directory.measure(Line)


def first_reading(options: argparse.Namespace) -> list[Line]:
    """The first reading of it beside a bare loop, by itself."""
    return large_directory.measure_first_reading(Line)


def pages(options: argparse.Namespace) -> list[Line]:
    """The part of the measurement above that is about pages, by itself."""
    return large_directory.measure_pages(Line)


MEASUREMENTS: dict[str, Callable[[argparse.Namespace], list[Line]]] = {
    "quota": quota,
    "sdk": sdk,
    "speed": speed,
    "memory": memory,
    "preview": preview,
    "web": web,
    "directory": directory,
    "first-reading": first_reading,
    "pages": pages,
    "gate": gate,
}

if __name__ == "__main__":
    raise SystemExit(main())
