"""The drills of `make drill`, shortened: one portal of real processes, whose PostgreSQL may be stopped.

Where the embedded server cannot run, the test ends with a line that says so. What the other drills are about is also
tried in process: `tests/revocation/test_after_a_restore.py`, `…/test_keys_are_changed.py`, `tests/audit/test_heads.py`.
"""

from collections.abc import Iterator

import pytest

from benchmarks.bed import wait_until
from portal.local.postgres import PostgresProblem
from tests.drill.frozen import DUE
from tests.drill.ground import Asked, Ground, Watch, Web, frozen

pytestmark = [pytest.mark.services, pytest.mark.xdist_group("services"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    try:
        with Ground(people=3, read=False) as ground:
            yield ground
    except PostgresProblem as problem:
        pytest.skip(f"not run: {problem}")


def test_one_dependency_stopped_holds_neither_probes_nor_people(ground: Ground):
    web = Web(ground, options=("-c", "python:portal.serving", "--workers", "1", "--threads", "2")).start()
    adele = ground.visitor(web, "adele@contoso.example")
    assert adele.get("/").status_code == 200

    with Watch(web) as watch:
        ground.by_hand(DUE)
        with frozen(ground.of_microsoft()):
            hung = Asked()
            for _ in range(5):
                hung.ask(lambda: adele.get("/"))
        with frozen(ground.of_postgres()):
            wait_until(lambda: adele.get("/").status_code == 503, 30)
            away = Asked()
            for _ in range(5):
                away.ask(lambda: adele.get("/"))
        wait_until(lambda: adele.get("/").status_code == 200, 30)

    print(f"Microsoft stopped: {hung}; PostgreSQL stopped: {away}; /healthz {watch.healthz}; /readyz {watch.readyz}")
    assert set(hung.statuses) == {200}, hung
    assert hung.slowest < 3, hung  # one page waits 0.7 s; without that, ten
    assert set(away.statuses) == {503}, away
    assert away.slowest < 1, away
    assert set(watch.healthz.statuses) == {200}, watch.healthz
    assert watch.healthz.p95 < 0.5, watch.healthz
