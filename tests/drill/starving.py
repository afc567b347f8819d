"""As many directories are read as there are worker processes that read any; then a list is urgent."""

from collections.abc import Iterator

from benchmarks.bed import wait_until
from tests.drill.ground import Drilled, Ground

WORKERS = 2
ANSWER = 0.7  # seconds that Microsoft takes for each: a part of a reading is a few of them, one after the other
CALLED = "SELECT extract(epoch FROM min(called_at)) FROM revocation_revocationstep WHERE request_id = %s"
BUSY = "SELECT count(DISTINCT tenant_id) FROM directory_progress"


def starving(*, people: int = 60, rounds: int = 5) -> Iterator[Drilled]:
    """Its first call leaves within two seconds. What it waits for where every process reads is said, not counted."""
    with Ground(people=4000, latency_ms=ANSWER * 1000) as ground:
        ground.start_workers(WORKERS)
        ground.start_beat()
        first = [waited(ground, people, turn) for turn in range(rounds)]
        print(
            f"starving   both that there are read, and Microsoft takes {ANSWER} s for an answer: {said(first)}",
            flush=True,
        )
        ground.start_urgent()
        later = [waited(ground, people, turn) for turn in range(rounds, 2 * rounds)]
        what = f"{WORKERS} workers read, and a third takes what is urgent: a list's first call within 2 s"
        yield Drilled(what, max(later) <= 2, said(later))


def waited(ground: Ground, people: int, turn: int) -> float:
    """Seconds from asking for a list to its first call, while directories are read."""
    ground.drill("read_directories", 2)
    wait_until(lambda: ground.by_hand(BUSY)[0][0] == WORKERS, 60)
    asked = ground.drill("sign_out", people, turn * people)
    called = lambda: ground.by_hand(CALLED, asked["request"])[0][0]  # noqa: E731
    wait_until(lambda: called() is not None, 60)
    return float(called()) - asked["asked"]


def said(seconds: list[float]) -> str:
    return ", ".join(f"{one:.1f}" for one in seconds) + " s"


SECTIONS = [starving]
