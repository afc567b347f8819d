from collections.abc import Iterator

import pytest

from graph.client import GraphClient
from tests.graph.scripted import Microsoft
from tests.sandbox_client import CONTOSO


@pytest.fixture
def microsoft(settings) -> Iterator[Microsoft]:
    """A scripted Microsoft."""
    with Microsoft() as running:
        settings.SANDBOX_URL = running.url
        settings.GRAPH_TIMEOUT = 2.0
        yield running


@pytest.fixture
def contoso_graph(microsoft: Microsoft) -> GraphClient:
    return GraphClient(CONTOSO, priority="high")
