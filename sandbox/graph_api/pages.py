"""Answers with one object or a list of them, and the links from page to page.

A listing is fixed when its first page is read; later pages come from what was found then. Links work for ten
minutes, and only with the address and the tenant they were made for.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from sandbox.graph_api.errors import Refused, bad_request, unsupported
from sandbox.graph_api.query import Filter, parse_filter, parse_orderby, parse_search
from sandbox.graph_api.relations import Expansion, expansions_of
from sandbox.graph_api.shape import Shape
from sandbox.graph_api.wire import Answer, Ask, Listing
from sandbox.graph_api.writing import writer

DEFAULT_SIZE = 100
MAX_SIZE = 999
LINK_LIFETIME = 600  # directory seconds
KEPT = 256
NO_EVENTUAL = "Request with $search query parameter only works through MSGraph with a special request header: "
Candidates = Callable[[dict[str, Any]], Iterable[Any]]


def first_page(ask: Ask, listing: Listing, *, count: int | None = None) -> Answer:
    """The first page of a listing; it is kept only if there are more."""
    if len(listing.records) <= listing.size:
        return _page(ask, listing, None, 0, count)
    name = secrets.token_hex(8)
    ask.listings[name] = listing
    while len(ask.listings) > KEPT:
        ask.listings.popitem(last=False)
    return _page(ask, listing, name, 0, count)


def later_page(ask: Ask, token: str) -> Answer:
    """A later page.

    Raises:
        Refused: 400 for a link that is not ours, too old, or was changed.
    """
    try:
        name, start = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().split(".")
        listing, at = ask.listings[name], int(start)
    except (ValueError, KeyError):
        raise _expired() from None
    if listing.tenant_id != ask.tenant.id or listing.place != ask.path.lower():
        raise _expired()
    if ask.world.clock.elapsed() - listing.opened > LINK_LIFETIME:
        del ask.listings[name]
        raise _expired()
    return _page(ask, listing, name, at, None)


def _page(ask: Ask, listing: Listing, name: str | None, at: int, count: int | None) -> Answer:
    records = listing.records[at : at + listing.size]
    body: dict[str, Any] = {"@odata.context": listing.context}
    if count is not None:
        body["@odata.count"] = count
    if name is not None and at + listing.size < len(listing.records):
        body["@odata.nextLink"] = link(ask, "$skiptoken", _token(f"{name}.{at + listing.size}"))
    # What was deleted while somebody pages is left out, so a page can be short.
    body["value"] = [item for record in records if (item := listing.write(record)) is not None]
    return Answer(body=body)


def collection(
    ask: Ask,
    shape: Shape,
    records: Iterable[Any] | Candidates,
    *,
    context: str | None = None,
    limit_to: frozenset[str] | None = None,
    related: bool = False,
    unlisted: int = 0,
) -> Answer:
    """A list of records with the query options applied.

    `records` may be a function that picks candidates by the filter's equalities. Of properties outside `limit_to` only
    null is sent, and of `related` objects that the caller may not read nothing but their type and id. `unlisted` are
    counted and left out.

    Raises:
        Refused: options that are unknown, unsupported, or need a header that is missing.
    """
    query, view = ask.query, ask.view
    if token := query.get("$skiptoken"):
        return later_page(ask, token)
    size = page_size(query.get("$top"))
    names = shape.names(query.get("$select"), beta=ask.beta)
    write = writer(ask, shape, names, _expanded(ask, shape), limit_to=limit_to, related=related)
    wanted, ordering = _conditions(ask, shape)
    found = records(wanted.equals if wanted else {}) if callable(records) else records
    if wanted:
        found = [record for record in found if wanted.test(shape.reader(record, view))]
    if search := query.get("$search"):
        test = parse_search(search, shape)
        found = [record for record in found if test(shape.reader(record, view))]
    found = list(found)
    for name, downwards in reversed(ordering):
        found.sort(key=lambda record: _sortable(shape.getters[name](record, view)), reverse=downwards)

    listing = Listing(
        tenant_id=ask.tenant.id,
        place=ask.path.lower(),
        records=found,
        write=write,
        context=ask.context((context or shape.set) + _chosen(names)),
        size=size,
        opened=ask.world.clock.elapsed(),
    )
    return first_page(ask, listing, count=len(found) + unlisted if ask.advanced else None)


def entity(ask: Ask, shape: Shape, record: Any, *, limit_to: frozenset[str] | None = None) -> Answer:
    """One record."""
    names = shape.names(ask.query.get("$select"), beta=ask.beta)
    body = writer(ask, shape, names, _expanded(ask, shape), limit_to=limit_to, present=True)(record)
    return Answer(body={"@odata.context": ask.context(f"{shape.set}{_chosen(names)}/$entity"), **body})


def _expanded(ask: Ask, shape: Shape) -> list[Expansion]:
    return expansions_of(ask.query.get("$expand"), shape, advanced=ask.advanced, beta=ask.beta)


def _chosen(names: tuple[str, ...] | None) -> str:
    return f"({','.join(names)})" if names else ""


def counted(ask: Ask, shape: Shape, records: Iterable[Any]) -> Answer:
    """The answer of a `/$count` segment: a number as plain text."""
    if not ask.eventual:
        raise bad_request("$count is not currently supported.")
    wanted = None
    if text := ask.query.get("$filter"):
        wanted = parse_filter(text, shape)
    number = sum(1 for record in records if wanted is None or wanted.test(shape.reader(record, ask.view)))
    return Answer(body=str(number), headers={"Content-Type": "text/plain"})


def page_size(top: str | None) -> int:
    if top is None:
        return DEFAULT_SIZE
    if not top.isdecimal() or not 1 <= int(top) <= MAX_SIZE:
        message = f"Invalid page size specified: '{top}'. Must be between 1 and {MAX_SIZE} inclusive."
        raise unsupported(message)
    return int(top)


def link(ask: Ask, option: str, token: str) -> str:
    """The address of the same request, continued."""
    kept = [f"{quote(name, safe='$')}={quote(value)}" for name, value in ask.query.items() if name != option]
    return f"{ask.base}{ask.path}?{'&'.join([*kept, f'{option}={token}'])}"


def _conditions(ask: Ask, shape: Shape) -> tuple[Filter | None, list[tuple[str, bool]]]:
    query = ask.query
    if "$skip" in query:
        raise unsupported("'$skip' is not supported by the service.")
    if "$search" in query and not ask.eventual:
        raise unsupported(f"{NO_EVENTUAL}'ConsistencyLevel: eventual'")
    wanted = parse_filter(query["$filter"], shape) if query.get("$filter") else None
    if wanted and wanted.advanced and not ask.advanced:
        raise unsupported()
    ordering = parse_orderby(query["$orderby"], shape) if query.get("$orderby") else []
    if ordering and not ask.advanced and (wanted or any(name not in shape.sortable for name, _ in ordering)):
        raise unsupported("Sorting not supported for current query.")
    return wanted, ordering


def _sortable(value: Any) -> tuple[bool, str]:
    return (value is not None, str(value).lower())


def _token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _expired() -> Refused:
    message = "The specified page token value has expired and can no longer be included in your request."
    return Refused(400, "Directory_ExpiredPageToken", message)
