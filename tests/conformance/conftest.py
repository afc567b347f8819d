"""A sandbox with TLS, and Microsoft's own Python clients pointed at it.

Skipped by the ordinary run, which does not have these clients: `make conformance` installs and runs them all.
"""

import asyncio
import importlib.util
import ssl
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from tests.conformance.stage import Running

PATIENCE = 60  # seconds for one conversation, Retry-After included

if importlib.util.find_spec("msgraph") is None:
    collect_ignore_glob = ["test_*.py"]


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
