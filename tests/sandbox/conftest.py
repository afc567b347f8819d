"""A sandbox inside this process, so that tests can look into its world as well as talk to it over HTTP."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from sandbox import seed
from sandbox.app import create_app
from sandbox.catalogue import CONTOSO, app_id
from sandbox.world import Tenant
from tests.sandbox.browser import Browser
from tests.sandbox.client import Client


class Running:
    """A served world: `world` to look into, `url` to talk to."""

    def __init__(self) -> None:
        self.world = seed.world()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(create_app(self.world), log_level="error", lifespan="off", proxy_headers=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.run(self._server.serve([self._socket]))

    def __enter__(self) -> "Running":
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started:
            if time.monotonic() > deadline:
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.01)
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


@pytest.fixture(scope="session")
def _running() -> Iterator[Running]:
    with Running() as running:
        yield running


@pytest.fixture
def served(_running: Running) -> Running:
    """A sandbox with its world as it begins."""
    _running.world.reset()
    return _running


@pytest.fixture
def browser(served: Running) -> Iterator[Browser]:
    with Browser(served.url) as browser:
        yield browser


@pytest.fixture
def portal(served: Running, browser: Browser) -> Client:
    """The portal's application, with a browser."""
    return Client(served.url, browser)


@pytest.fixture
def sidekick(served: Running, browser: Browser) -> Client:
    """Mail Sidekick's application, with the same browser."""
    name = "Mail Sidekick"
    return Client(
        served.url,
        browser,
        app_id=app_id(name),
        secret="sandbox-mail-sidekick-secret",
        redirect_uri="http://localhost/apps/mail-sidekick/callback",
        scope="openid profile offline_access User.Read Mail.ReadWrite Mail.Send",
    )


@pytest.fixture
def contoso_directory(served: Running) -> Tenant:
    """Contoso as the sandbox holds it."""
    return served.world.tenants[CONTOSO]
