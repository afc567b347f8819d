"""What went over the wire, taken apart into single calls and cleaned: no token, no id, no name is left in it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from tenants.live.shapes import differences, shape

# What decides how an answer is read. Ids in headers are said to be there, and no more.
_HEADERS = {
    "content-type": "Content-Type",
    "location": "Location",
    "odata-version": "OData-Version",
    "request-id": "request-id",
    "retry-after": "Retry-After",
    "www-authenticate": "WWW-Authenticate",
    "x-ms-resource-unit": "x-ms-resource-unit",
}
_SENT_HEADERS = {"consistencylevel": "ConsistencyLevel", "prefer": "Prefer", "content-type": "Content-Type"}
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_OPAQUE = re.compile(r"[\w-]{40,}")
# What a creation gives an id to, by the last word of its path.
_CREATED = {"approleassignedto": "assignment", "oauth2permissiongrants": "grant"}
_QUOTED = re.compile(r"(['\"])(?:(?!\1).)*\1")
# Quoted words that are Microsoft's and nobody's name.
_WORDS = {"'AllPrincipals'", "'Principal'"}
_VALUES = {"AllPrincipals", "Principal"}


@dataclass(frozen=True)
class Exchange:
    """One call and its answer, cleaned.

    Attributes:
        path: below the version, with placeholders such as `{user}`.
        query: its options, values cleaned alike.
        sent_headers, sent: what went with it; the body as values where they are harmless, else placeholders.
        batched: it was an item of a batch.
        headers: of the answer, those that matter.
        body: the shape of the answer's body; None where there was none.
    """

    method: str
    version: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    sent_headers: dict[str, str] = field(default_factory=dict)
    sent: Any = None
    batched: bool = False
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def signature(self) -> tuple:
        """What makes two calls the same kind: not their values, and not which page of a list they are."""
        compared = _compared(self.query.get("$filter", ""))
        return (self.method, self.version, self.path.lower(), frozenset(self.query), compared)

    @property
    def of_nobody(self) -> "Exchange":
        """The same call on something that is not there."""
        return replace(self, path=re.sub(r"\{[^{}]*\}$", "{missing}", self.path))

    @property
    def is_later_page(self) -> bool:
        return "$skiptoken" in self.query

    @property
    def code(self) -> str:
        """The error's code; empty where there is no error."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return error.get("code", "").lstrip("=") if isinstance(error, dict) else ""

    def as_json(self) -> dict:
        return asdict(self)

    def differs_from(self, expected: "Exchange", *, partial: bool) -> list[str]:
        """How this answer differs from the expected one, a sentence each. `partial`: it may hold more."""
        if self.status != expected.status:
            said = f" {self.code}" if self.code else ""
            return [f"answered {self.status}{said} instead of {expected.status}"]
        found = []
        for name, value in expected.headers.items():
            if self.headers.get(name) != value:
                found.append(f"header {name} is {self.headers.get(name, 'missing')} instead of {value}")
        if (self.body is None) != (expected.body is None):
            found.append("there is no body" if self.body is None else "there is a body")
        elif expected.body is not None:
            selected = self.query.get("$select", "").split(",") if partial and "$select" in self.query else None
            found += differences(_narrowed(expected.body, selected), self.body, partial=partial)
        return found


def _narrowed(body: Any, selected: list[str] | None) -> Any:
    """What of a shape can be expected of an answer for which only some properties were selected."""
    if not selected or not isinstance(body, dict):
        return body
    if isinstance(body.get("value"), list):
        return {**body, "value": [_narrowed(one, selected) for one in body["value"]]}
    return {name: inner for name, inner in body.items() if name in selected or name.startswith("@") or name == "error"}


def _compared(condition: str) -> str:
    """The properties that a filter names, without values."""
    return " ".join(re.findall(r"[A-Za-z][\w/]*(?=\s+(?:eq|ge|le|ne|in)\b|,)", condition))


class Cleaner:
    """Puts placeholders where ids and names stand. `names` maps what is known to its placeholder's name."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = {value.lower(): name for value, name in names.items() if value}

    def learn(self, value: str, name: str) -> None:
        self._names[value.lower()] = name

    def path(self, path: str) -> str:
        def segment(text: str) -> str:
            if name := self._names.get(text.lower()):
                return f"{{{name}}}"
            if "@" in text or _OPAQUE.fullmatch(text):
                return "{other}"
            return self.text(text)

        cleaned = "/".join(segment(one) for one in unquote(path).split("/"))
        # In the recycle bin an app has the id it always had.
        return cleaned.replace("{app}", "{deleted}") if cleaned.startswith("/directory/deletedItems/") else cleaned

    def text(self, text: str) -> str:
        """A value of an option, or a word of a body."""
        if name := self._names.get(text.lower()):
            return f"{{{name}}}"
        text = _GUID.sub(lambda found: f"{{{self._names.get(found[0].lower(), 'other')}}}", text)
        return _QUOTED.sub(self._quoted, text)

    def _quoted(self, found: re.Match) -> str:
        if found[0] in _WORDS or "{" in found[0]:
            return found[0]
        inner = found[0][1:-1]
        field_name, colon, _value = inner.partition(":")
        return f"{found[1]}{field_name}:{{name}}{found[1]}" if colon else f"{found[1]}{{name}}{found[1]}"

    def query(self, query: str) -> dict[str, str]:
        pairs = [part.partition("=") for part in query.split("&")] if query else []
        cleaned = {}
        for name, _equals, value in pairs:
            name, value = unquote(name), unquote(value)
            cleaned[name] = "{token}" if "token" in name else value if name in ("$select", "$top") else self.text(value)
        return cleaned

    def body(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.body(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.body(item) for item in value]
        if not isinstance(value, str) or value in _VALUES:
            return value
        if name := self._names.get(value.lower()):
            return f"{{{name}}}"
        return "{other}" if _GUID.fullmatch(value) else "{text}"


def taken_apart(cleaner: Cleaner, request, response) -> Iterator[Exchange]:
    """The calls of one HTTP exchange: itself, or the items of a batch. Sign-in is left out: it carries secrets."""
    parts = urlsplit(request.url)
    version, _slash, below = parts.path.lstrip("/").partition("/")
    if version not in ("v1.0", "beta"):
        return
    sent, got = _json(request.body), _json(response.content)
    if below == "$batch" and isinstance(got, dict) and isinstance(got.get("responses"), list):
        answers = {str(one.get("id")): one for one in got["responses"] if isinstance(one, dict)}
        for item in sent["requests"]:
            answer = answers.get(str(item["id"]), {})
            url, _mark, query = item["url"].partition("?")
            yield _exchange(
                cleaner,
                item["method"],
                version,
                url,
                query,
                item.get("headers") or {},
                item.get("body"),
                True,
                int(answer.get("status") or 0),
                answer.get("headers") or {},
                answer.get("body"),
            )
        return
    yield _exchange(
        cleaner,
        request.method,
        version,
        f"/{below}",
        parts.query,
        request.headers,
        sent,
        False,
        response.status_code,
        response.headers,
        got,
    )


def _exchange(
    cleaner: Cleaner,
    method: str,
    version: str,
    path: str,
    query: str,
    sent_headers: Mapping[str, str],
    sent: Any,
    batched: bool,
    status: int,
    headers: Mapping[str, str],
    body: Any,
) -> Exchange:
    if status == 201 and isinstance(body, dict) and (name := _CREATED.get(path.rsplit("/", 1)[-1].lower())):
        cleaner.learn(str(body.get("id", "")), name)
    return Exchange(
        method=method,
        version=version,
        path=cleaner.path(f"/{path.lstrip('/')}"),
        query=cleaner.query(query),
        sent_headers=dict(_kept(sent_headers, _SENT_HEADERS)),
        sent=cleaner.body(sent),
        batched=batched,
        status=status,
        headers=dict(_kept(headers, _HEADERS)),
        body=None if body is None else shape(body),
    )


def _kept(headers: Mapping[str, str], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        known = names.get(str(name).lower())
        if known == "Content-Type":
            yield known, str(value).partition(";")[0].strip()
        elif known in ("OData-Version", "ConsistencyLevel", "Prefer"):
            yield known, str(value)
        elif known == "WWW-Authenticate":
            yield known, str(value).partition(" ")[0]
        elif known:
            yield known, "there"


def _json(content: bytes | str | None) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None
