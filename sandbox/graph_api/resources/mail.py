"""The mail of whoever is signed in, as far as a pretend app reads it.

https://learn.microsoft.com/graph/api/user-list-messages
"""

from __future__ import annotations

from sandbox.graph_api.errors import bad_request, unsupported
from sandbox.graph_api.resources import find
from sandbox.graph_api.router import GRAPH as graph
from sandbox.graph_api.wire import Answer, Ask
from sandbox.mailbox import BASIC, MORE, messages

DEFAULT_SIZE, MAX_SIZE = 10, 1000
UNDERSTOOD = {"$top", "$select"}


@graph.on("GET", "/me/messages")
def list_messages(ask: Ask) -> Answer:
    """Options that the sandbox does not know are refused, where Graph may know them."""
    if set(ask.query) - UNDERSTOOD:
        raise unsupported()
    user = find.me(ask)
    size = _size(ask.query.get("$top"))
    chosen = _chosen(ask.query.get("$select"))
    may = (*BASIC, *MORE) if ask.caller.has("Mail.Read", "Mail.ReadWrite") else BASIC
    found = messages(user, ask.world.clock.now())
    value = [{name: one[name] for name in may if chosen is None or name in chosen or name == "id"} for one in found]
    context = ask.context(f"users('{user.id}')/messages{'(' + ','.join(chosen) + ')' if chosen else ''}")
    return Answer(body={"@odata.context": context, "value": value[:size]})


def _size(top: str | None) -> int:
    if top is None:
        return DEFAULT_SIZE
    if not top.isdecimal() or not 1 <= int(top) <= MAX_SIZE:
        raise bad_request(f"The limit of '{MAX_SIZE}' for Top query has been exceeded. The value is '{top}'.")
    return int(top)


def _chosen(select: str | None) -> list[str] | None:
    if not select:
        return None
    known = {name.lower(): name for name in (*BASIC, *MORE)}
    chosen = [one.strip() for one in select.split(",")]
    for name in chosen:
        if name.lower() not in known:
            raise bad_request(f"Could not find a property named '{name}' on type 'Microsoft.OutlookServices.Message'.")
    return [known[name.lower()] for name in chosen]
