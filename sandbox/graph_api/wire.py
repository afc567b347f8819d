"""One request to Graph and one answer, whether they came by themselves or inside a batch."""

from __future__ import annotations

import json
import re
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote, unquote_plus

from sandbox.graph_api.callers import Caller
from sandbox.graph_api.errors import bad_request
from sandbox.graph_api.view import View
from sandbox.tenant import Tenant
from sandbox.world import World

GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
CASTS = frozenset(
    {"graph.user", "graph.group", "graph.directoryrole", "graph.serviceprincipal", "graph.application"}
    | {"graph.agentidentity", "graph.agentidentityblueprintprincipal", "graph.agentuser"}
)
JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
OPTIONS = frozenset(
    {"$select", "$filter", "$search", "$top", "$skip", "$count", "$orderby", "$expand", "$format"}
    | {"$skiptoken", "$deltatoken"}
)


class AppId(str):
    """A key that is the app's client id, as in `servicePrincipals(appId='...')`."""

    __slots__ = ()


@dataclass(slots=True)
class Incoming:
    """A request before anything is known about it but its bytes."""

    method: str
    version: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    base: str
    in_batch: bool = False


@dataclass(slots=True)
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Listing:
    """A list that somebody reads page by page. `write` makes a record's entry; None when it is gone."""

    tenant_id: str
    place: str
    records: list[Any]
    write: Callable[[Any], dict[str, Any] | None]
    context: str
    size: int
    opened: float  # directory seconds


Listings = OrderedDict[str, Listing]  # those that somebody may still be reading, by the name their links give them


@dataclass(slots=True)
class Ask:
    """What is asked. `base` is the address up to the version, for links; `path` what follows it, as it was written."""

    world: World
    tenant: Tenant
    caller: Caller
    listings: Listings
    method: str
    base: str
    path: str
    version: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = None
    request_id: str = ""
    _view: View | None = None

    @property
    def beta(self) -> bool:
        return self.version == "beta"

    @property
    def eventual(self) -> bool:
        return self.headers.get("consistencylevel", "").lower() == "eventual"

    @property
    def advanced(self) -> bool:
        """Advanced queries need the header and `$count=true`, except for `$search`."""
        return self.eventual and self.query.get("$count", "").lower() == "true"

    @property
    def view(self) -> View:
        """The directory as this caller sees it: an app by itself reads a replica, which may lag behind."""
        if self._view is None:
            self._view = View(self.tenant, self.world.lag_seconds if self.caller.app_only else 0)
        return self._view

    def context(self, what: str) -> str:
        return f"{self.base}/$metadata#{what}"

    def location(self, object_id: str, kind: str) -> str:
        root = self.base.rsplit("/", 1)[0]
        return f"{root}/v2/{self.tenant.id}/directoryObjects/{object_id}/Microsoft.DirectoryServices.{kind}"

    def only(self, *options: str) -> None:
        """Refuse query options that this address does not know what to do with."""
        for name in self.query:
            if name.startswith("$") and name not in options:
                raise bad_request(f"The query parameter '{name}' is not supported.", code="BadRequest")


def segments_of(path: str) -> list[str]:
    """The parts of an address; `servicePrincipals('x')` is two, and namespaces are left off except for types."""
    found: list[str] = []
    for part in path.split("/"):
        if not part:
            continue
        if "%" in part:
            part = unquote(part)
        if part[:16].lower() == "microsoft.graph.":
            part = "graph." + part[16:]
        if part[:6].lower() == "graph." and part.lower() not in CASTS:
            part = part[6:]
        if part.endswith(")") and "(" in part:
            name, _, key = part[:-1].partition("(")
            found.append(name)
            if key:
                found.append(_key(key))
        else:
            found.append(part)
    # An alias for the caller's own tenant: https://learn.microsoft.com/graph/call-api
    return found[1:] if found and found[0].lower() == "myorganization" else found


def _key(text: str) -> str:
    name, equals, value = text.partition("=")
    if equals and not text.startswith("'"):
        value = value.strip().strip("'")
        return AppId(value) if name.strip().lower() == "appid" else value
    return text.strip("'").replace("''", "'")


def query_of(text: str) -> dict[str, str]:
    """The query options. `$` may be left off their names, and case does not matter.

    Raises:
        Refused: an option that does not exist, or the same one twice.
    """
    found: dict[str, str] = {}
    for pair in text.split("&") if text else ():
        if not pair:
            continue
        name, _, value = pair.partition("=")
        name = unquote_plus(name)
        known = name.lower() if name.startswith("$") else f"${name.lower()}"
        if name.startswith("$") and known not in OPTIONS:
            raise bad_request(f"The query parameter '{name}' is not supported.", code="BadRequest")
        name = known if known in OPTIONS else name
        if name in found:
            raise bad_request(f"Query option '{name}' was specified more than once.", code="BadRequest")
        found[name] = unquote_plus(value)
    return found


def json_of(raw: bytes) -> Any:
    if not raw.strip():
        return None
    try:
        return json.loads(raw)
    except ValueError:
        raise bad_request("Unable to read JSON request payload.", code="BadRequest") from None


def stamp(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def exact_stamp(moment: datetime) -> str:
    """With seven digits after the second, as answers to POST carry."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def is_guid(text: str) -> bool:
    return GUID.fullmatch(text) is not None


def new_id() -> str:
    return str(uuid.uuid4())
