"""What `make demo` promises about itself."""

import signal

import pytest

from tests.browser.conftest import Demo, everything_of, is_alive
from tests.wire.recorder import Recorder


def test_it_prints_the_cast_and_five_things_to_try(demo: Demo):
    said = demo.said()

    assert said.rstrip().endswith(f"Ready: {demo.portal_url}")
    for name in ("Adele Vance", "Megan Bowen", "Henrietta Mueller", "Nestor Wilke", "Robin Counts", "Nadia Fischer"):
        assert name in said
    assert "Five things to try" in said


def test_what_its_processes_send_to_microsoft_is_judged_like_everything_else(demo: Demo, wire: Recorder):
    assert "https://graph.microsoft.com/v1.0/" in wire.file.read_text()


def test_everything_answers_when_it_says_ready(demo: Demo):
    answer = demo.sandbox.http.get(f"{demo.portal_url}/readyz", timeout=10).json()

    heads = answer.pop("heads")  # the first are written within a minute
    assert answer == {"ready": True, "database": "ok", "migrations": "ok", "sweeper": "ok"}
    assert heads in ("ok", "have not been written yet")


@pytest.mark.timeout(400)
def test_it_stops_without_orphans_starts_again_with_what_it_kept_and_ends_with_a_lost_process(demo: Demo):
    """By Ctrl-C here. By SIGTERM the `demo` of each run of tests stops, which looks at what is left as well."""
    keys_file = demo.var_dir / "demo.env"
    started, keys = everything_of(demo), keys_file.read_text()
    try:
        assert demo.stop(signal.SIGINT) == 0
        assert [process for process in started if is_alive(process)] == []

        demo.start()
        started = everything_of(demo)
        assert keys_file.read_text() == keys

        next(process for process in started if "beat" in process.cmdline()).kill()

        assert demo.process.wait(60) == 1
        assert "The beat ended" in demo.said()
        assert [process for process in started if is_alive(process)] == []
    finally:
        demo.stop()
        demo.start()  # it is the other tests' too
