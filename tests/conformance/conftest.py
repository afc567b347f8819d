"""A sandbox with TLS, and Microsoft's own clients pointed at it.

Skipped by the ordinary run, which does not have these clients; requirements-conformance.txt says how to run them.
"""

import asyncio
import importlib.util
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

PROJECT = Path(__file__).resolve().parent.parent.parent
# The sandbox runs on the project's libraries, its clients on theirs.
PYTHON = os.environ.get("SANDBOX_PYTHON") or str(PROJECT / ".venv" / "bin" / "python")
PATIENCE = 60  # seconds for one conversation, Retry-After included

if importlib.util.find_spec("msgraph") is None:
    collect_ignore_glob = ["test_*.py"]


class Running:
    """The sandbox as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.tls_port = _free_ports(2)
        self.url, self.tls_url = f"http://127.0.0.1:{self.port}", f"https://localhost:{self.tls_port}"
        self.authority = str(folder / "ca.pem")
        self.http = requests.Session()
        self.http.trust_env = False

    def start(self) -> "Running":
        ports = ["--port", str(self.port), "--tls-port", str(self.tls_port), "--tls-folder", str(self.folder)]
        self.process = subprocess.Popen([PYTHON, "-m", "sandbox", *ports], cwd=PROJECT)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the sandbox ended with status {self.process.returncode}")
            try:
                if self.http.get(f"{self.url}/_sandbox/world", timeout=10).ok:
                    return self
            except requests.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("the sandbox did not answer")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.http.close()

    def control(self, name: str, **body: Any) -> Any:
        answer = self.http.post(f"{self.url}/_sandbox/{name}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def requests(self) -> list[dict]:
        found = self.http.get(f"{self.url}/_sandbox/requests", timeout=30).json()
        return found["requests"] if isinstance(found, dict) else found


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("tls")).start()
    yield running
    running.stop()


@pytest.fixture
def sandbox(_running: Running) -> Running:
    _running.control("reset")
    return _running


@pytest.fixture
def converse(sandbox: Running) -> Callable[..., Any]:
    """`converse(talk, credential)`: run `talk(graph)` with Microsoft's Graph SDK and this azure-identity credential."""
    import httpx
    from kiota_authentication_azure.azure_identity_authentication_provider import (
        AzureIdentityAuthenticationProvider,
    )
    from msgraph import GraphRequestAdapter, GraphServiceClient
    from msgraph.graph_request_adapter import options
    from msgraph_core import GraphClientFactory

    def converse(talk: Callable[[GraphServiceClient], Coroutine], credential: Any, scope: str) -> Any:
        async def conversation() -> Any:
            trusted = ssl.create_default_context(cafile=sandbox.authority)
            wire = httpx.AsyncHTTPTransport(verify=trusted)
            plain = httpx.AsyncClient(transport=wire, timeout=PATIENCE)
            client = GraphClientFactory.create_with_default_middleware(client=plain, options=options)
            provider = AzureIdentityAuthenticationProvider(
                credential, scopes=[scope], allowed_hosts=["localhost"], is_cae_enabled=True
            )
            adapter = GraphRequestAdapter(provider, client=client)
            adapter.base_url = f"{sandbox.tls_url}/v1.0"
            try:
                return await asyncio.wait_for(talk(GraphServiceClient(request_adapter=adapter)), PATIENCE)
            finally:
                await wire.aclose()  # the SDK's own transport does not close the one it wraps

        return asyncio.run(conversation())

    return converse


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


sys.path.insert(0, str(PROJECT))
