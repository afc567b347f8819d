"""The whole portal as `make demo` runs it, and people in front of Debian's Chromium."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser.launching import a_browser
from tests.browser.looking import bring_axe
from tests.sandbox_client import Sandbox

PROJECT = Path(__file__).resolve().parent.parent.parent
READY_WITHIN = 240  # seconds, on a slow machine with cold caches and other demos on it
A_TEST_TAKES = 180  # seconds at most, once its demo is ready, unless it says otherwise
# A part of a page is replaced, and whoever had reached something in it is nowhere: heard of like any other complaint.
WATCH_FOCUS = """(() => {
  let had = false;
  document.addEventListener("htmx:beforeSwap", () => { had ||= document.activeElement !== document.body; });
  document.addEventListener("htmx:afterSettle", ({ target }) => {
    if (had && document.activeElement === document.body) console.error("The focus was lost in a swap of", target.id);
    had = false;
  });
})()"""
expect.set_options(timeout=20_000)  # milliseconds; long enough for two demos on two busy cores
# What tests/settings.py sets for the other tests; the demo chooses for itself.
NOT_FOR_THE_DEMO = [
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "DJANGO_SETTINGS_MODULE",
    "SANDBOX_URL",
    "STATICFILES_STORAGE",
    "EMAIL_URL",
    "SECRET_KEY",
    "AUDIT_KEYS",
    "TOKEN_CACHE_KEYS",
    "PROFILE",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks them, and gives them the time that a demo needs to start.

    Each worker of pytest-xdist has a demo of its own and takes whichever test is next, so each test stands by itself:
    what one changes for good belongs to a person or an app that no other leans on, or it puts it back.
    """
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            if item.get_closest_marker("timeout") is None:  # the first one's time includes the demo's start
                item.add_marker(pytest.mark.timeout(READY_WITHIN + A_TEST_TAKES))


class Demo:
    """A running `make demo`, with ports and a folder of its own."""

    def __init__(self, var_dir: Path) -> None:
        self.var_dir = var_dir
        port, sandbox_port = free_ports(2)
        self.portal_url = f"http://127.0.0.1:{port}"
        self.sandbox = Sandbox(f"http://127.0.0.1:{sandbox_port}")
        self.environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_THE_DEMO}
        self.environment |= {
            "PORT": str(port),
            "SANDBOX_PORT": str(sandbox_port),
            "VAR_DIR": str(var_dir),
            "PACE": "none",
        }
        self.output = var_dir / "output"

    def start(self) -> "Demo":
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "portal.local.demo"],
                cwd=PROJECT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + READY_WITHIN
        while f"Ready: {self.portal_url}" not in self.said():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the demo did not get ready:\n{self.said()}")
            time.sleep(0.1)
        return self

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def forget_sign_in_time(self, context: BrowserContext) -> None:
        """Make a signed-in person's sign-in an old one, as hours would."""
        key = next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "consentry_session")
        self._run(
            "from django.contrib.sessions.backends.db import SessionStore;"
            "session = SessionStore(sys.argv[1]); session['auth_time'] -= 7200; session.save()",
            key,
        )

    def forget_the_rule_of(self, tenant: str) -> None:
        """Put a tenant's rule of two persons back to the usual one, and let the stricter one's hours be over."""
        self._run(
            "from accounts.models import Tenant; from revocation.rules import two_persons;"
            "tenant = Tenant.objects.get(pk=sys.argv[1]); tenant.stricter_until = None; tenant.stricter_rule = {};"
            "tenant.approval_threshold = Tenant._meta.get_field('approval_threshold').default;"
            "tenant.rule_seal = two_persons.seal(tenant); tenant.save()",
            tenant,
        )

    def _run(self, program: str, argument: str) -> None:
        """Run a few statements beside the demo, with its settings, keys and database."""
        keys = dict(line.split("=", 1) for line in (self.var_dir / "demo.env").read_text().split())
        environment = self.environment | keys | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
        program = f"import django, sys; django.setup(); {program}"
        subprocess.run([sys.executable, "-c", program, argument], cwd=PROJECT, env=environment, check=True, timeout=60)

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def everything_of(demo: Demo) -> list[psutil.Process]:
    """Every process it started, PostgreSQL included, which is nobody's child."""
    database = int((demo.var_dir / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    return [*psutil.Process(demo.process.pid).children(recursive=True), psutil.Process(database)]


def is_alive(process: psutil.Process) -> bool:
    """A zombie is dead; in a container nobody may have come to collect it."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@contextmanager
def folder_for_a_demo() -> Iterator[Path]:
    """Not one of pytest's own: run as root, the embedded PostgreSQL is another account that must pass through."""
    folder = Path(tempfile.mkdtemp(prefix="consentry-demo-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    with folder_for_a_demo() as folder:
        running = Demo(folder).start()
        yield running
        started = everything_of(running)
        assert running.stop() == 0
        assert [process for process in started if is_alive(process)] == []


@pytest.fixture
def late_answers(demo: Demo) -> Iterator[None]:
    """Microsoft's readers are two seconds behind its writers."""
    demo.sandbox.lag(seconds=2)
    yield
    demo.sandbox.lag(seconds=0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ends with its module: while it lives an event loop runs in this thread, in which Django answers no other test."""
    with a_browser() as running:
        yield running


class Visitor:
    """One person with a browser of their own."""

    def __init__(self, context: BrowserContext, demo: Demo, name: str) -> None:
        self.context, self.demo, self.name = context, demo, name
        self.page = context.new_page()
        self.complaints: list[str] = []
        context.on("console", self._listen)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _listen(self, message: ConsoleMessage) -> None:
        # Chromium reports answers such as 403 here as well; those are what a page said, not a fault in it.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.demo.portal_url + path)
        return self.page

    def sign_in(self) -> "Visitor":
        page = self.open("/")
        page.get_by_role("button", name="Sign in with Microsoft").click()
        page.get_by_role("button", name=self.name).click()
        page.wait_for_url(f"{self.demo.portal_url}/**")
        return self

    def client_app(self, slug: str) -> Page:
        """The pretend app's own page in another tab, where it shows what its tokens are still good for."""
        tab = self.context.new_page()
        tab.goto(f"{self.demo.sandbox.url}/apps/{slug}/")
        return tab


@pytest.fixture
def visitor(browser: Browser, demo: Demo) -> Iterator[Callable[[str], Visitor]]:
    """`visitor("Adele Vance")`: that person, signed in. Their console must stay silent."""
    visitors: list[Visitor] = []

    def arrive(name: str) -> Visitor:
        # No motion: colours on their way from light to dark are nobody's to judge.
        context = browser.new_context(reduced_motion="reduce", locale="en-GB", timezone_id="Europe/Berlin")
        bring_axe(context)
        context.add_init_script(WATCH_FOCUS)
        context.set_default_timeout(20_000)
        visitors.append(Visitor(context, demo, name))
        return visitors[-1].sign_in()

    yield arrive
    assert demo.process.poll() is None, f"the demo ended by itself:\n{demo.said()}"
    complaints = [f"{one.name}: {complaint}" for one in visitors for complaint in one.complaints]
    for one in visitors:
        with suppress(Exception):
            one.context.close()
    assert complaints == []
