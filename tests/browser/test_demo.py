"""What `make demo` promises about itself."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.browser.conftest import Demo


def test_it_prints_the_cast_and_three_things_to_try(demo: Demo):
    said = demo.said()

    assert said.rstrip().endswith(f"Ready: {demo.portal_url}")
    for name in ("Adele Vance", "Megan Bowen", "Henrietta Mueller", "Nestor Wilke", "Robin Counts"):
        assert name in said
    assert "Three things to try" in said


def test_everything_answers_when_it_says_ready(demo: Demo):
    answer = demo.sandbox.http.get(f"{demo.portal_url}/readyz", timeout=10).json()

    assert answer == {"ready": True, "database": "ok", "migrations": "ok", "sweeper": "ok"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_without_orphans_and_starts_again_quickly(tmp_path_factory, with_signal: int):
    folder = passable(tmp_path_factory.mktemp("demo"))
    first = Demo(folder).start()
    started = [process.pid for process in psutil.Process(first.process.pid).children(recursive=True)]
    database = int((folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

    assert first.stop(with_signal) == 0
    assert [pid for pid in [*started, database] if psutil.pid_exists(pid)] == []

    kept = (folder / "demo.env").read_text()
    again = Demo(folder)
    asked = time.monotonic()
    again.start()
    needed = time.monotonic() - asked
    again.stop()
    assert (folder / "demo.env").read_text() == kept
    print(f"second start: {needed:.1f} s")


def passable(folder: Path) -> Path:
    """Run as root, the embedded PostgreSQL is another account that must pass through."""
    if os.geteuid() == 0:
        for parent in [folder, *folder.parents][:3]:
            if parent != Path("/tmp"):
                parent.chmod(0o711)
    return folder


def test_a_lost_process_ends_the_demo_with_its_log(tmp_path_factory):
    demo = Demo(passable(tmp_path_factory.mktemp("demo"))).start()
    children = psutil.Process(demo.process.pid).children(recursive=True)

    next(child for child in children if "beat" in child.cmdline()).kill()

    assert demo.process.wait(60) == 1
    assert "The beat ended" in demo.said()
    assert [child.pid for child in children if child.is_running()] == []
