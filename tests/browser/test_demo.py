"""What `make demo` promises about itself."""

import re
import signal
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Demo, everything_of, is_alive
from tests.browser.counting import Way
from tests.browser.looking import faults_of
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
    assert answer == {"ready": True, "database": "ok", "migrations": "ok", "sweeper": "ok", "microsoft": "ok"}
    assert heads in ("ok", "have not been written yet")


def test_the_five_minutes_of_the_readme(visitor: Callable, late_answers: None):
    """What Mail Sidekick holds outlives its removal, by as much as was said, and the proof outlives one's session."""
    name = "Adele Vance"
    adele = visitor(name)
    app = adele.client_app("mail-sidekick")
    row = app.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("Salary review 2027")
    page = adele.open("/")

    page.get_by_role("link", name="Remove Mail Sidekick").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(re.compile(r"Stops by \d\d:\d\d"))
    dialog.get_by_role("button", name="Remove Mail Sidekick").click()
    removed = page.get_by_role("listitem").filter(has_text="Mail Sidekick").filter(has_text="Undo")
    expect(removed).to_contain_text("reading back")
    expect(removed).to_contain_text("Verified at")

    app.reload()
    expect(row).to_contain_text("Salary review 2027")
    app.get_by_role("button", name=f"Use the token now, of {name}").click()
    expect(row).to_contain_text("AADSTS65001")
    expect(row).to_contain_text("What it holds works until")
    expect(row).to_contain_text("Salary review 2027")

    page = adele.open("/")
    way = Way(page)
    page.get_by_role("navigation").get_by_role("link", name="Sign out everywhere").click()
    page.get_by_role("button", name="Sign me out everywhere").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out everywhere")
    expect(page.get_by_role("main")).to_contain_text("The last access ends")
    way.reaches("My account is stolen")
    assert faults_of(page) == []
    page.get_by_role("link", name="Sign in again").click()
    expect(page.get_by_role("button", name="Sign in with Microsoft")).to_be_visible()


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
