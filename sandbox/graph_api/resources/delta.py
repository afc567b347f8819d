"""Delta: everything once, then what changed since. https://learn.microsoft.com/graph/delta-query-overview"""

from __future__ import annotations

import base64
import json
import random
import re
from itertools import pairwise
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
from sandbox.records import Change

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
    if names and (outside := set(names) & set(ask.world.delta.untracked)):
        # https://learn.microsoft.com/graph/delta-query-overview#limitations
        raise Refused(501, "NotImplemented", f"Tracking changes of '{min(outside)}' is not supported.")
    token = ask.query.get("$deltatoken")
    sequence = ask.view.sequence
    since = sequence
    if not token:
        records = ask.view.all(shape.kind)
    elif token == "latest":
        records = []
    else:
        since, before = _since(ask, token)
        records = _changed(ask, shape, names, before if ask.world.delta.replays else since)
    return _first_page(ask, shape, names, _wanted(ask, shape, records), (sequence, since))


def _wanted(ask: Ask, shape: Shape, records: list[Any]) -> list[Any]:
    """Those that the filter names; it may name ids and nothing else."""
    text = ask.query.get("$filter")
    if not text:
        return records
    if not _IDS_ONLY.fullmatch(text):
        raise unsupported()
    test = parse_filter(text, shape).test
    return [one for one in records if test(lambda path, one=one: one["id"] if isinstance(one, dict) else one.id)]


def _first_page(
    ask: Ask, shape: Shape, names: tuple[str, ...] | None, records: list[Any], sequences: tuple[int, int]
) -> Answer:
    entry = writer(ask, shape, names, present=True)

    def write(record: Any) -> dict[str, Any]:
        return record if isinstance(record, dict) else entry(record)

    ask.query.pop("$deltatoken", None)
    # Where the next round starts travels in the links, so that changes made while somebody pages are not lost.
    ask.query["from"] = _state(ask, *sequences)
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


def _changed(ask: Ask, shape: Shape, names: tuple[str, ...] | None, since: int) -> list[dict[str, Any]]:
    """What is said of each object that changed: what changed about it, the whole of a new one, or that it was removed.

    What a recovery job did is not told: https://learn.microsoft.com/entra/backup/scope-supported-objects-limitations
    """
    view, tenant, ways = ask.view, ask.tenant, ask.world.delta
    horizon, bin_ = view.sequence, BINS.get(shape.kind, shape.kind)
    changed: dict[str, list[Change]] = {}
    for change in reversed(tenant.journal):
        if change.sequence <= since:
            break
        hidden = change.silent or (change.tied and ways.silent_ties)
        if change.sequence <= horizon and change.kind in (shape.kind, bin_) and not hidden:
            changed.setdefault(change.id, []).append(change)
    found: list[dict[str, Any]] = []
    for object_id, steps in reversed(changed.items()):
        own = [one.before for one in reversed(steps) if one.kind == shape.kind]
        states = [*own, view.get(shape.kind, object_id)]
        if not own:  # something happened to it in the bin alone
            states = [None, None]
        pairs = list(pairwise(states)) if ways.shuffled else [(_earliest(states), states[-1])]
        in_bin = shape.kind in BINS and view.get(bin_, object_id) is not None
        for before, after in pairs:
            if after is None:
                found.append({"id": object_id, "@removed": {"reason": "changed" if in_bin else "deleted"}})
            elif (said := _difference(ask, shape, names, before, after)) is not None:
                found.append(said)
    if ways.shuffled:
        random.Random(since).shuffle(found)
    return found


def _earliest(states: list[Any]) -> Any:
    """What its present state is compared with: nothing, where it was gone for a while in between."""
    return None if any(one is None for one in states) else states[0]


def _difference(
    ask: Ask, shape: Shape, names: tuple[str, ...] | None, before: Any, after: Any
) -> dict[str, Any] | None:
    """None where nothing of what was selected changed: that triggers nothing."""
    write = writer(ask, shape, names, present=True)
    now = write(after)
    if before is None:
        return now
    then = write(before)
    changed = {name: value for name, value in now.items() if then.get(name) != value}
    if not changed:
        return None
    kept = {name: now[name] for name in ("@odata.type", "id") if name in now}
    return {**kept, **changed} if ask.world.delta.partial else now


def _since(ask: Ask, token: str) -> tuple[int, int]:
    """The change a delta link stands for, and the one that the link before it stood for.

    Raises:
        Refused: 410, with where to start over, for a link that is too old, not ours, or was made worthless.
    """
    try:
        state = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        sequence, before, issued = int(state["n"]), int(state["b"]), float(state["t"])
        tenant_id, generation = state["d"], state["g"]
    except (ValueError, KeyError, TypeError):
        raise bad_request("Badly formed token.", code="Directory_BadDeltaToken") from None
    tenant = ask.tenant
    again = {"Location": f"{ask.base}{ask.path}?$deltatoken="}
    if generation != ask.world.delta.generation:
        raise Refused(410, "resyncRequired", "Resync required.", headers=again)
    forgotten = tenant.journal and tenant.journal[0].sequence > sequence + 1
    too_old = ask.world.clock.elapsed() - issued > LIFETIME
    if tenant_id != tenant.id or sequence > tenant.sequence or forgotten or too_old:
        raise Refused(410, "syncStateNotFound", headers=again)
    return sequence, before


def _state(ask: Ask, sequence: int, before: int) -> str:
    state = {
        "n": sequence,
        "b": before,
        "t": ask.world.clock.elapsed(),
        "d": ask.tenant.id,
        "g": ask.world.delta.generation,
    }
    return base64.urlsafe_b64encode(json.dumps(state).encode()).rstrip(b"=").decode()


def _delta_link(ask: Ask, state: str) -> str:
    ask.query.pop("$skiptoken", None)
    ask.query.pop("from", None)
    return link(ask, "$deltatoken", state)
