"""The same lists by msgraph-sdk's page iterator, as its documentation shows it. Runs in .venv-clients.

    python -m benchmarks.sdk_directory <sandbox> <pages>

No more than so many pages of each list: it takes seconds to make objects of one, and the whole would take an hour.

https://learn.microsoft.com/graph/sdks/paging
"""

import asyncio
import json
import sys
import time

import httpx
from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider as Bearer
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.oauth2_permission_grants.oauth2_permission_grants_request_builder import (
    Oauth2PermissionGrantsRequestBuilder as Grants,
)
from msgraph.generated.service_principals.service_principals_request_builder import (
    ServicePrincipalsRequestBuilder as Apps,
)
from msgraph.generated.users.users_request_builder import UsersRequestBuilder as People
from msgraph.graph_request_adapter import options
from msgraph_core import GraphClientFactory
from msgraph_core.tasks.page_iterator import PageIterator

from benchmarks.sdk import Token


async def measure(sandbox: str, most: int) -> dict:
    client = httpx.AsyncClient(timeout=60, trust_env=False)
    client = GraphClientFactory.create_with_default_middleware(client=client, options=options)
    adapter = GraphRequestAdapter(Bearer(Token(sandbox)), client=client)
    adapter.base_url = f"{sandbox}/v1.0"
    graph, pages, began = GraphServiceClient(request_adapter=adapter), 0.0, time.monotonic()

    for builder, kind in (
        (graph.service_principals, Apps.ServicePrincipalsRequestBuilderGetQueryParameters),
        (graph.users, People.UsersRequestBuilderGetQueryParameters),
        (graph.oauth2_permission_grants, Grants.Oauth2PermissionGrantsRequestBuilderGetQueryParameters),
    ):
        rows = 0

        def count(_item: object) -> bool:
            nonlocal rows
            rows += 1
            return rows < most * 999

        page = await builder.get(RequestConfiguration(query_parameters=kind(top=999)))
        await PageIterator(page, adapter).iterate(count)
        pages += rows / 999
    return {"seconds": round(time.monotonic() - began, 2), "pages": round(pages, 1)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1], int(sys.argv[2])))))
