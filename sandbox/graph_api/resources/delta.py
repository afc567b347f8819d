"""Delta: everything once, then what changed since. https://learn.microsoft.com/graph/delta-query-overview"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from sandbox.graph_api import access as may
from sandbox.graph_api.app_shapes import SERVICE_PRINCIPAL
from sandbox.graph_api.errors import Refused, bad_request, unsupported
from sandbox.graph_api.pages import first_page, later_page, link
from sandbox.graph_api.query import parse_filter
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.shape import Shape
from sandbox.graph_api.shapes import GRANT, USER
from sandbox.graph_api.wire import Answer, Ask, Listing
from sandbox.graph_api.writing import writer

PAGE = 100
LIFETIME = 7 * 24 * 3600  # seconds a link stays good
BINS = {"users": "deleted_users", "service_principals": "deleted_service_principals"}
_IDS_ONLY = re.compile(r"\s*id eq '[^']*'(?:\s+or\s+id eq '[^']*')*\s*")
OPTIONS = frozenset({"$select", "$skiptoken", "$deltatoken", "$filter"})


@graph.on("GET", "/users/delta")
def users_delta(ask: Ask) -> Answer:
    return _delta(ask, USER)


@graph.on("GET", "/servicePrincipals/delta")
def service_principals_delta(ask: Ask) -> Answer:
    return _delta(ask, SERVICE_PRINCIPAL)


@graph.on("GET", "/oauth2PermissionGrants/delta", roles=may.GRANT_READERS)
def grants_delta(ask: Ask) -> Answer:
    return _delta(ask, GRANT)


def _delta(ask: Ask, shape: Shape) -> Answer:
    unknown = next((name for name in ask.query if name.startswith("$") and name not in OPTIONS), None)
    if unknown:
        raise bad_request(f"Query option '{unknown}' is not supported by delta.", code="Request_UnsupportedQuery")
    if token := ask.query.get("$skiptoken"):
        answer = later_page(ask, token)
        if "@odata.nextLink" not in answer.body:
            answer.body["@odata.deltaLink"] = _delta_link(ask, ask.query.get("from", ""))
        return answer
    select = ask.query.get("$select")
    chosen = shape.names(select, beta=ask.beta)
    names = chosen and tuple(dict.fromkeys((*chosen, "id")))
    token = ask.query.get("$deltatoken")
    sequence = ask.view.sequence
    if not token:
        records = ask.view.all(shape.kind)
    elif token == "latest":
        records = []
    else:
        records = _changed(ask, shape, _since(ask, token))
    return _first_page(ask, shape, names, _wanted(ask, shape, records), sequence)


def _wanted(ask: Ask, shape: Shape, records: list[Any]) -> list[Any]:
    """Those that the filter names; it may name ids and nothing else."""
    text = ask.query.get("$filter")
    if not text:
        return records
    if not _IDS_ONLY.fullmatch(text):
        raise unsupported()
    test = parse_filter(text, shape).test
    return [one for one in records if test(lambda path, one=one: one["id"] if isinstance(one, dict) else one.id)]


def _first_page(ask: Ask, shape: Shape, names: tuple[str, ...] | None, records: list[Any], sequence: int) -> Answer:
    entry = writer(ask, shape, names, present=True)

    def write(record: Any) -> dict[str, Any]:
        return record if isinstance(record, dict) else entry(record)

    ask.query.pop("$deltatoken", None)
    # Where the next round starts travels in the links, so that changes made while somebody pages are not lost.
    ask.query["from"] = _state(ask, sequence)
    listing = Listing(
        tenant_id=ask.tenant.id,
        place=ask.path.lower(),
        records=records,
        write=write,
        context=ask.context(f"{shape.set}{'(' + ','.join(names) + ')' if names else ''}/delta"),
        size=PAGE if len(records) < 10 * PAGE else 10 * PAGE,
        opened=ask.world.clock.elapsed(),
    )
    answer = first_page(ask, listing)
    if "@odata.nextLink" not in answer.body:
        answer.body["@odata.deltaLink"] = _delta_link(ask, ask.query["from"])
    return answer


def _changed(ask: Ask, shape: Shape, since: int) -> list[Any]:
    """Each object that changed, once: as it is now, or that it was removed."""
    view, tenant = ask.view, ask.tenant
    horizon = view.sequence
    kinds = {shape.kind, BINS.get(shape.kind, shape.kind)}
    changed: dict[str, None] = {}
    for change in reversed(tenant.journal):
        if change.sequence <= since:
            break
        if change.sequence <= horizon and change.kind in kinds:
            changed[change.id] = None
    found: list[Any] = []
    for object_id in reversed(changed):
        record = view.get(shape.kind, object_id)
        if record is None:
            in_bin = shape.kind in BINS and view.get(BINS[shape.kind], object_id) is not None
            record = {"id": object_id, "@removed": {"reason": "changed" if in_bin else "deleted"}}
        found.append(record)
    return found


def _since(ask: Ask, token: str) -> int:
    """The change a delta link stands for.

    Raises:
        Refused: 410, with where to start over, for a link that is too old or not ours.
    """
    try:
        state = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        sequence, issued, tenant_id = int(state["n"]), float(state["t"]), state["d"]
    except (ValueError, KeyError, TypeError):
        raise bad_request("Badly formed token.", code="Directory_BadDeltaToken") from None
    tenant = ask.tenant
    forgotten = tenant.journal and tenant.journal[0].sequence > sequence + 1
    too_old = ask.world.clock.elapsed() - issued > LIFETIME
    if tenant_id != tenant.id or sequence > tenant.sequence or forgotten or too_old:
        again = {"Location": f"{ask.base}{ask.path}?$deltatoken="}
        raise Refused(410, "syncStateNotFound", headers=again)
    return sequence


def _state(ask: Ask, sequence: int) -> str:
    state = {"n": sequence, "t": ask.world.clock.elapsed(), "d": ask.tenant.id}
    return base64.urlsafe_b64encode(json.dumps(state).encode()).rstrip(b"=").decode()


def _delta_link(ask: Ask, state: str) -> str:
    ask.query.pop("$skiptoken", None)
    ask.query.pop("from", None)
    return link(ask, "$deltatoken", state)
