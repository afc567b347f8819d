"""How a tenant's Graph is asked: lists, single things and batches, with retries, tokens and pages seen to."""

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode
from uuid import UUID

import requests

from graph import batch as batching, tokens, transport
from graph.answers import error_of
from graph.changes import Changes, Followed, read_page, to_the_end
from graph.clouds import installed
from graph.errors import GraphError, Rejected, Retryable, Throttled, Unauthorized, Unavailable
from graph.paging import read_all, read_one, stay_on, walk
from graph.types import Answer, Call, Items, Page, Reader

# "Advanced" reads come from an index that lists everything; without it Graph has been seen to leave grants out.
ADVANCED = {"ConsistencyLevel": "eventual"}
READ_ATTEMPTS = 3
FIRST_PAUSE = 0.3  # seconds before a read is tried again, doubled each time, with jitter
PATIENCE = {"high": 1.0, "normal": 10.0, "low": 60.0}  # seconds a throttled read may wait in here
PAGE_SIZE = 999
SEARCH_LIMIT = 25


class Requester:
    """Sends requests to one tenant's Graph with the portal's own token.

    Reads are repeated a few times over 5xx, lost connections and short waits that Microsoft asks for. Writes are sent
    once: whether one may be repeated is the caller's decision. A 401 is answered with a new token, once.

    Every method raises `GraphError`; in particular `TokenError` where the tenant has not (or no longer) consented.

    Args:
        priority: what Microsoft drops first when busy, and how long reads wait: `high` for a click, `low` for a sweep.
        patience: seconds a read that is to wait may wait in here; by the priority where it is None.
    """

    def __init__(self, tenant_id: UUID | str, priority: str, patience: float | None = None):
        self.tenant_id = str(tenant_id)
        self.priority = priority
        self._patience = PATIENCE[priority] if patience is None else patience
        self._root = installed().graph
        self._host = installed().graph_host
        self._manners = {"x-ms-throttle-priority": priority}  # https://learn.microsoft.com/graph/throttling

    def pages(
        self,
        path: str,
        query: dict,
        read: Reader,
        *,
        advanced: bool = False,
        beta: bool = False,
        page_size: int | None = PAGE_SIZE,
        start: str = "",
    ) -> Iterator[Page]:
        """A list, page by page.

        Args:
            advanced: ask the index that lists everything, and for the number of items; else what Graph gives plainly.
            start: the `next_link` of a page read before, to go on after it. Where its place in the list is forgotten
                the list begins again.
        """
        query = {**query, "$top": str(page_size)} if page_size else query
        plain = self.url(path, query, beta=beta)
        if not advanced:
            yield from walk(lambda link: self.read("GET", link), plain, read, host=self._host, start=start)
            return
        counted = self.url(path, {**query, "$count": "true"}, beta=beta)
        started = False
        try:
            for page in walk(
                # The header is not remembered by the link and goes with every page.
                lambda link: self.read("GET", link, headers=ADVANCED),
                counted,
                read,
                host=self._host,
                start=start,
            ):
                started = True
                yield page
        except Rejected as error:
            if started or error.code != "Request_UnsupportedQuery":
                raise
            # Azure AD B2C tenants know no advanced queries.
            yield from walk(lambda link: self.read("GET", link), plain, read, host=self._host)

    def changes(self, link: str) -> Changes:
        """One page of what changed; the link is one that Graph gave.

        Raises:
            Expired: it is worth nothing any more. The list has to be read again.
        """
        stay_on(self._host, link)
        return read_page(self.read("GET", link), host=self._host)

    def changes_from_now(self, what: Followed) -> str:
        """The link that tells what will have changed since now."""
        selected = [one for one in (what.select, what.less) if one]
        for select in selected:
            url = self.url(what.path, {"$select": select, "$deltatoken": "latest"})
            try:
                return to_the_end(lambda link: self.read("GET", link), url, host=self._host)
            except Rejected as error:
                # What Graph cannot follow it refuses; the lesser part is asked for before that is an error.
                if select == selected[-1] or error.status not in (400, 501):
                    raise
        raise AssertionError("the last attempt returns or raises")

    def count(self, path: str) -> int | None:
        """Graph's own number of the objects in a list; None where it does not tell."""
        try:
            url = self.url(path, {"$select": "id", "$top": "1", "$count": "true"})
            told = self.read("GET", url, headers=ADVANCED).get("@odata.count")
        except Rejected as error:
            if error.code != "Request_UnsupportedQuery":
                raise
            return None
        return told if isinstance(told, int) else None

    def whole(
        self,
        path: str,
        query: dict,
        read: Reader,
        *,
        headers: dict | None = None,
        page_size: int | None = PAGE_SIZE,
        beta: bool = False,
    ) -> Items:
        """A list with all its pages. `page_size` None asks for Graph's own."""
        query = {**query, "$top": str(page_size)} if page_size else query
        items = Items()
        for page in walk(
            lambda link: self.read("GET", link, headers=headers),
            self.url(path, query, beta=beta),
            read,
            host=self._host,
        ):
            if page.restarted:
                items = Items()
            items.extend(page.items)
            items.unreadable += page.unreadable
        return items

    def finish(self, call: Call, answer: Answer, read: Reader, *, strict: bool = False) -> Items:
        """The rows of a list that a batch was asked for; asked again where the answer was to try later.

        Args:
            strict: a row that cannot be read is an error, for lists in which a missing row would be taken for a no.
        """
        if isinstance(answer.error, Retryable):
            return read_all({"value": self._again(call, lambda row: row)}, read, strict=strict)
        if answer.error:
            raise answer.error
        return read_all(answer.body or {}, read, strict=strict)

    def one(self, path: str, query: dict, read: Reader):
        """A single thing. Raises NotFound when it is not there, or not yet."""
        return read_one(self.read("GET", self.url(path, query)), read)

    def content(self, path: str, *, beta: bool = False) -> bytes:
        """A thing that is no JSON, as it is."""
        return self.read("GET", self.url(path, beta=beta), raw=True)

    def by_ids(self, path: str, ids: Iterable, select: str, read: Reader) -> Items:
        """The things among `ids` that exist, in batches of 20. An empty `select` asks for all they are."""
        query = f"?{urlencode({'$select': select}, safe='$,')}" if select else ""
        wanted, rows = list(dict.fromkeys(str(item) for item in ids)), []
        for start in range(0, len(wanted), batching.LIMIT):
            calls = [Call("GET", f"{path}/{segment(item)}{query}") for item in wanted[start : start + batching.LIMIT]]
            rows += [answer.body for answer in self._read_batch(calls) if answer.error is None]
        return read_all({"value": rows}, read)

    def _read_batch(self, calls: list[Call]) -> list[Answer]:
        """A batch of reads, with its throttled and failed items asked again. What is not there keeps its error."""
        answers = self.batch(calls)
        for attempt in range(1, READ_ATTEMPTS + 1):
            # 400 is Graph's word for a name that cannot be anyone's.
            again = [at for at, answer in enumerate(answers) if answer.error and answer.status not in (400, 404)]
            if not again:
                return answers
            worst = max((answers[at].error for at in again), key=lambda error: getattr(error, "retry_after", 0) or 0)
            self._pause_or_raise(worst, attempt)
            for at, answer in zip(again, self.batch([calls[at] for at in again]), strict=True):
                answers[at] = answer
        raise AssertionError("the last attempt returns or raises")

    def search(self, path: str, fields: Sequence[str], text: str, select: str, read: Reader) -> Items:
        """Up to 25 things with the text in one of `fields`, or beginning with it where Graph has no search."""
        text = text.strip()
        if not text:
            return Items()
        quoted = text.replace("\\", " ").replace('"', " ")
        search = " OR ".join(f'"{field}:{quoted}"' for field in fields)
        query = {"$select": select, "$top": str(SEARCH_LIMIT)}
        try:
            url = self.url(path, {**query, "$search": search, "$count": "true"})
            return read_all(self.read("GET", url, headers={**ADVANCED, "Prefer": "legacySearch=false"}), read)
        except Rejected as error:
            if error.code != "Request_UnsupportedQuery":
                raise
            literal = text.replace("'", "''")
            begins = " or ".join(f"startswith({field},'{literal}')" for field in fields)
            return read_all(self.read("GET", self.url(path, {**query, "$filter": begins})), read)

    def batch(self, calls: Sequence[Call]) -> list[Answer]:
        """Send up to 20 calls together; answers come in the order of the calls, with an error of their own or none.

        A list that goes on is read to its end, by requests of its own: its answer holds all rows.

        Raises:
            GraphError: the batch failed as a whole. Where `sent` is set, any of the calls may have been carried out.
        """
        if len(calls) > batching.LIMIT:
            raise ValueError(f"A batch holds at most {batching.LIMIT} calls.")
        answers: dict[int, Answer] = {}
        versions = [
            places
            for beta in (False, True)
            if (places := [at for at, call in enumerate(calls) if call.beta is beta and not _alone(call)])
        ]
        for places in versions:
            try:
                part = self._batch([calls[at] for at in places])
            except GraphError as error:
                if not answers:
                    raise
                # The other version's calls are done; their answers must not be lost.
                part = [Answer(status=error.status or 0, error=error, request_id=error.request_id)] * len(places)
            answers.update(zip(places, part, strict=True))
        # One after the other, in their order: what is sent later may build on what was sent before.
        answers.update((at, self._by_itself(call)) for at, call in enumerate(calls) if _alone(call))
        return [self._to_its_end(call, answers[at]) for at, call in enumerate(calls)]

    def _by_itself(self, call: Call) -> Answer:
        """A call that no batch carries. What goes wrong is its own, so that no other's answer is lost."""
        send = self.read if call.method == "GET" else self._request
        typed = {"Content-Type": "application/xml"} if call.xml is not None else {}
        try:
            content = send(
                call.method,
                self.url(call.path, beta=call.beta),
                headers={**typed, **(call.headers or {})},
                data=call.xml,
                raw=True,
            )
        except GraphError as error:
            return Answer(status=error.status or 0, error=error, request_id=error.request_id)
        return Answer(status=200, content=content)

    def _to_its_end(self, call: Call, answer: Answer) -> Answer:
        if call.method != "GET" or answer.error or "@odata.nextLink" not in (answer.body or {}):
            return answer
        try:
            # From its start: should the place in it be forgotten, it can begin again.
            rows = self._again(call, lambda row: row)
        except GraphError as error:
            return replace(answer, status=error.status or 0, body=None, error=error)
        rest = {name: value for name, value in answer.body.items() if name != "@odata.nextLink"}
        return replace(answer, body={**rest, "value": rows})

    def _again(self, call: Call, read: Reader) -> Items:
        path, _, query = call.path.partition("?")
        return self.whole(path, dict(parse_qsl(query)), read, headers=call.headers, page_size=None, beta=call.beta)

    def _batch(self, calls: Sequence[Call]) -> list[Answer]:
        url = self.url("/$batch", beta=calls[0].beta)
        body = batching.payload(calls, self._manners)
        only_reads = all(call.method == "GET" for call in calls)
        send = self.read if only_reads else self._request
        answers = batching.answers(calls, send("POST", url, json=body))
        refused = [at for at, answer in enumerate(answers) if isinstance(answer.error, Unauthorized)]
        if refused:  # a refused token means these were not carried out
            claims = next((answers[at].error.claims for at in refused if answers[at].error.claims), None)
            again = [calls[at] for at in refused]
            tokens.forget_app_token(self.tenant_id)
            for at, answer in zip(refused, self._repeat(url, again, claims), strict=True):
                answers[at] = answer
        return answers

    def _repeat(self, url: str, calls: list[Call], claims: str | None) -> list[Answer]:
        """Calls sent once more with a new token. What goes wrong is theirs alone, so that no answer is lost."""
        try:
            body = self._send("POST", url, claims=claims, json=batching.payload(calls, self._manners))
            return batching.answers(calls, body)
        except GraphError as error:
            return [Answer(status=error.status or 0, error=error, request_id=error.request_id)] * len(calls)

    def url(self, path: str, query: dict | None = None, *, beta: bool = False) -> str:
        url = f"{self._root}/{'beta' if beta else 'v1.0'}{path}"
        return f"{url}?{urlencode(query, safe='$,', quote_via=quote)}" if query else url

    def read(self, method: str, url: str, **options) -> Any:
        """A request that changes nothing, asked again where that may help."""
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                return self._request(method, url, **options)
            except (Throttled, Unavailable) as error:
                self._pause_or_raise(error, attempt)
        raise AssertionError("the last attempt raises")

    def _pause_or_raise(self, error: GraphError, attempt: int) -> None:
        if attempt >= READ_ATTEMPTS or not isinstance(error, Throttled | Unavailable):
            raise error
        pause = error.retry_after
        if pause is None:
            pause = FIRST_PAUSE * 2 ** (attempt - 1)
            pause *= random.uniform(0.5, 1.5)  # noqa: S311 - spreads retries, guards nothing
        if pause > self._patience:
            raise error
        time.sleep(pause)

    def _request(self, method: str, url: str, **options) -> Any:
        """One request; a refused token is replaced once, answering the challenge if there was one.

        https://learn.microsoft.com/entra/identity-platform/claims-challenge
        """
        try:
            return self._send(method, url, **options)
        except Unauthorized as error:
            tokens.forget_app_token(self.tenant_id)
            return self._send(method, url, claims=error.claims, **options)

    def _send(
        self,
        method: str,
        url: str,
        *,
        claims: str | None = None,
        headers: dict | None = None,
        raw: bool = False,
        **options,
    ) -> Any:
        token = tokens.app_token(self.tenant_id, claims=claims)
        try:
            response = transport.session().request(
                method,
                url,
                headers={
                    "Authorization": f"Bearer {token.value}",
                    **self._manners,
                    **(headers or {}),
                },
                **options,
            )
        except requests.RequestException as error:
            sent = not transport.never_left(error)
            wait = getattr(error, "retry_after", None)  # nothing was sent to a host that hangs
            text = "Graph could not be reached, or its answer was cut off."
            raise Unavailable(text, sent=sent, retry_after=wait) from error
        try:
            body = response.json() if response.content else {}
        except ValueError:
            body = None
        if error := error_of(response.status_code, response.headers, body):
            raise error
        if raw:
            return response.content
        if not isinstance(body, dict):
            raise Unavailable(
                "Graph sent an answer that is not JSON.",
                sent=True,
                status=response.status_code,
                request_id=response.headers.get("request-id", ""),
            )
        if isinstance(body.get("responses"), list):
            batching.name_answers(body, response.headers.get("request-id", ""))
        return body


def _alone(call: Call) -> bool:
    """Whether no batch carries it: batches are JSON."""
    return call.raw or call.xml is not None


def segment(value) -> str:
    """One path segment. `#` in a guest's UPN and `/` must not end it."""
    return quote(str(value), safe="@=-_.~")
