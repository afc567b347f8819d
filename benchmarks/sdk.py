"""The same sign-outs by msgraph-sdk, as its documentation shows them. Runs in .venv-clients and knows nothing of ours.

    python -m benchmarks.sdk loop|batch <sandbox> <csv> <number>

The number: how many must be signed out for the figure `first`, in seconds.

The SDK's own retry handling is left as it comes: whole requests are sent again after a 429, up to three times; items
inside a batch are not. https://learn.microsoft.com/graph/sdks/batch-requests
"""

import asyncio
import csv
import json
import sys
import time
from collections import Counter
from typing import Any

import httpx
from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider as Bearer,
)
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.graph_request_adapter import options
from msgraph_core import GraphClientFactory
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = {"client_id": "c0c0c0c0-0000-4000-8000-000000000001", "client_secret": "sandbox-portal-secret"}


class Token(AccessTokenProvider):
    """An app-only token, fetched once: the sandbox speaks plain http here, which azure-identity would refuse."""

    def __init__(self, sandbox: str) -> None:
        form = CLIENT | {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}
        answer = httpx.post(f"{sandbox}/{TENANT}/oauth2/v2.0/token", data=form, trust_env=False)
        self.value = answer.raise_for_status().json()["access_token"]

    async def get_authorization_token(self, uri: str, additional_authentication_context: dict[str, Any] = {}) -> str:  # noqa: B006
        return self.value

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator(["127.0.0.1"])


class Tally:
    """What became of everybody, and when each who is signed out was."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.done: list[float] = []  # seconds since the beginning
        self.refused: Counter = Counter()

    def answered(self, status: int) -> None:
        if status < 300:
            self.done.append(round(time.monotonic() - self.began, 3))
        else:
            self.refused[str(status)] += 1

    def broke(self, error: Exception, people: int = 1) -> None:
        self.refused[str(getattr(error, "response_status_code", None) or type(error).__name__)] += people


async def loop(graph: GraphServiceClient, people: list[str], tally: Tally) -> None:
    """One after the other."""
    for upn in people:
        try:
            await graph.users.by_user_id(upn).revoke_sign_in_sessions.post()
            tally.answered(200)
        except Exception as error:
            tally.broke(error)


async def batch(graph: GraphServiceClient, people: list[str], tally: Tally) -> None:
    """Twenty at a time through the batch helper."""
    builder = BatchRequestBuilder(graph.request_adapter)
    for start in range(0, len(people), BatchRequestContent.MAX_REQUESTS):
        content = BatchRequestContent({})
        for upn in people[start : start + BatchRequestContent.MAX_REQUESTS]:
            asked = graph.users.by_user_id(upn).revoke_sign_in_sessions.to_post_request_information()
            asked.set_stream_content(b"{}", "application/json")  # Graph refuses a batch with a bare write
            item = BatchRequestItem(asked)
            content.add_request(item.id, item)
        try:
            answers = await builder.post(content)
            for status in answers.get_response_status_codes().values():
                tally.answered(status)
        except Exception as error:
            tally.broke(error, len(content.requests))


async def measure(way: str, sandbox: str, path: str, first: int) -> dict:
    with open(path, encoding="utf-8-sig", newline="") as file:
        people = [row["User principal name"] for row in csv.DictReader(file, delimiter=";")]
    client = httpx.AsyncClient(timeout=60, trust_env=False)
    client = GraphClientFactory.create_with_default_middleware(client=client, options=options)
    adapter = GraphRequestAdapter(Bearer(Token(sandbox)), client=client)
    adapter.base_url = f"{sandbox}/v1.0"
    graph = GraphServiceClient(request_adapter=adapter)
    tally = Tally()
    await {"loop": loop, "batch": batch}[way](graph, people, tally)
    seconds = round(time.monotonic() - tally.began, 2)
    return {
        "seconds": seconds,
        "lost": len(people) - len(tally.done),
        "refused": dict(tally.refused),
        "first": tally.done[first - 1] if len(tally.done) >= first else None,
    }


if __name__ == "__main__":
    way, sandbox, path, first = sys.argv[1:]
    print(json.dumps(asyncio.run(measure(way, sandbox, path, int(first)))))
