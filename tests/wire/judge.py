"""Whether Microsoft would take a request: judged by what Microsoft publishes, without asking anybody.

`judge(request)` gives one `Violation` for each rule that a request breaks. A batch is judged as a whole, and item by
item.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.wire import batches, bodies, documented, options, paths, permissions, sign_in

# Every cloud: https://learn.microsoft.com/graph/deployments
GRAPH_HOSTS = {
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
}
LOGIN_HOSTS = {
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
}
RULES = {
    "host": "it goes to one of Microsoft's hosts, by HTTPS",
    "path": "version, entity set, navigation, cast and operation exist",
    "method": "the method makes sense for what the path names",
    "option": "every query option is known there, and given once",
    "select": "the properties belong to the type",
    "expand": "the relationships belong to the type, one level deep",
    "filter": "properties, operators and kinds of values fit",
    "orderby": "the properties belong to the type",
    "search": "clauses are quoted and name searchable properties",
    "top": "a page is not asked to be longer than it can be",
    "advanced": "what needs ConsistencyLevel and $count has them",
    "header": "bearer, content type, priority and preferences are as documented",
    "body": "names and JSON types of the properties fit; nothing is missing",
    "batch-form": "a list of requests with known members",
    "batch-size": "at most 20",
    "batch-ids": "strings, unique without regard to case",
    "batch-url": "relative to the version",
    "batch-body": "writes carry body and content type, GET and DELETE none",
    "batch-order": "dependsOn takes one of the possible forms",
    "permission": "an application permission lets it through",
    "claim": "and so does every permission the portal says is enough",
    "token-path": "an endpoint or a document of the sign-in host",
    "token-form": "fields in a form, each once",
    "token-grant": "a grant that the portal uses",
    "token-field": "the fields that the grant needs",
}
_PRIORITIES = ("low", "normal", "high")


@dataclass(frozen=True)
class Request:
    """One request as it leaves. Header names are in lower case."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Violation:
    """One rule broken by one request. `path` names the shape, with a zero id for every object."""

    method: str
    path: str
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.rule}: {self.text}"


def judge(request: Request) -> list[Violation]:
    """Everything that is wrong with a request."""
    parts = urlsplit(request.url)
    path = paths.shape(unquote(parts.path))
    if parts.scheme != "https" or parts.netloc not in GRAPH_HOSTS | LOGIN_HOSTS:
        return [Violation(request.method, path, "host", f"{parts.scheme}://{parts.netloc} is not Microsoft's")]
    if parts.netloc in LOGIN_HOSTS:
        found = sign_in.judge(request.method, parts.path, parts.query, request.headers, request.body)
        return [Violation(request.method, path, rule, text) for rule, text in found]
    version, _slash, below = parts.path.lstrip("/").partition("/")
    if version not in ("v1.0", "beta"):
        return [Violation(request.method, path, "path", f"{version!r} is no version")]
    if (request.method, below, parts.query, request.body) == ("GET", "$metadata", "", b""):
        return []  # public: https://learn.microsoft.com/graph/traverse-the-graph#microsoft-graph-api-metadata
    return list(_graph(request, version, f"/{below}", parts.query))


def _graph(request: Request, version: str, path: str, query: str) -> Iterator[Violation]:
    shown = f"/{version}{paths.shape(path)}"
    for rule, text in _sent(request):
        yield Violation(request.method, shown, rule, text)
    media = request.method == "PUT" and path.endswith("/$value")  # the content of a thing, not its properties
    try:
        body = json.loads(request.body) if request.body and not media else None
    except ValueError:
        yield Violation(request.method, shown, "body", "it is not JSON")
        return
    if path.lower() != "/$batch":
        yield from _call(request.method, version, path, query, request.headers, body)
        return
    if request.method != "POST":
        yield Violation(request.method, shown, "method", "a batch is POSTed")
    for rule, text in batches.judge(body):
        yield Violation(request.method, shown, rule, text)
    for item in body["requests"] if isinstance(body, dict) and isinstance(body.get("requests"), list) else ():
        yield from _item(version, item)


def _item(version: str, item: Any) -> Iterator[Violation]:
    if not isinstance(item, dict) or not isinstance(item.get("url"), str) or "://" in item["url"]:
        return  # said of the batch already
    path, _mark, query = item["url"].partition("?")
    given = item.get("headers")
    headers = {name.lower(): str(value) for name, value in (given if isinstance(given, dict) else {}).items()}
    yield from _call(str(item.get("method")), version, f"/{path.lstrip('/')}", query, headers, item.get("body"))


def _sent(request: Request) -> Iterator[tuple[str, str]]:
    """The headers of what is sent by itself, not of an item."""
    if not re.fullmatch(r"Bearer \S+", request.headers.get("authorization", "")):
        yield "header", "no bearer"
    wanted = "application/xml" if urlsplit(request.url).path.endswith("/$value") else "application/json"
    if request.body and not request.headers.get("content-type", "").startswith(wanted):
        yield "header", f"Content-Type: {request.headers.get('content-type')}"


def _call(method: str, version: str, path: str, query: str, headers: dict[str, str], body: Any) -> Iterator[Violation]:
    """One call, sent by itself or as an item of a batch."""
    shown = f"/{version}{paths.shape(path)}"
    try:
        target = paths.resolve(version, paths.shape(path))
    except paths.Unknown as fault:
        yield Violation(method, shown, "path", str(fault))
        return
    if method not in target.methods:
        yield Violation(method, shown, "method", f"{' or '.join(sorted(target.methods))} only")
        return
    found: list[tuple[str, str]] = []
    if method == "GET":
        found += options.judge(target, query, headers)
    elif query:
        found.append(("option", f"a {method} takes no query options"))
    if method != "PUT" or not path.endswith("/$value"):
        found += bodies.judge(target, method, body)
    found += permissions.judge(target, method, query)
    if headers.get("x-ms-throttle-priority", "normal") not in _PRIORITIES:
        found.append(("header", f"x-ms-throttle-priority: {headers['x-ms-throttle-priority']}"))
    for preference in filter(None, headers.get("prefer", "").lower().split(",")):
        if not preference.strip().startswith(documented.PREFERENCES):
            found.append(("header", f"Prefer: {preference}"))
    for rule, text in found:
        yield Violation(method, shown, rule, text)
