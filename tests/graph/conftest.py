from collections.abc import Iterator

import pytest

from graph import tokens
from graph.client import GraphClient
from tests.graph.scripted import Microsoft
from tests.sandbox_client import CONTOSO


@pytest.fixture
def microsoft(settings) -> Iterator[Microsoft]:
    """A scripted Microsoft; the portal knows nothing from before."""
    with Microsoft() as running:
        settings.SANDBOX_URL = running.url
        settings.GRAPH_TIMEOUT = 2.0
        tokens.forget_everything()
        yield running
    tokens.forget_everything()


@pytest.fixture
def contoso_graph(microsoft: Microsoft) -> GraphClient:
    return GraphClient(CONTOSO, priority="high")
