"""Who holds which directory role: one list for the whole tenant, instead of one question per person.

https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments
"""

from collections import defaultdict
from collections.abc import Container, Iterator
from urllib.parse import urlsplit
from uuid import UUID

from graph.client import GraphClient
from graph.errors import NotFound, Unavailable
from graph.paging import read_all
from graph.types import Call

_LIST = "/roleManagement/directory/roleAssignments"


def role_holders(client: GraphClient, known_people: Container[UUID]) -> dict[UUID, set[UUID]]:
    """Role template ids by person, held directly or through a group, in any scope.

    Args:
        known_people: the tenant's people; whoever else holds a role is a group or an app.

    Raises `GraphError`.
    """
    held: dict[UUID, set[UUID]] = defaultdict(set)
    others: dict[UUID, set[UUID]] = defaultdict(set)
    for principal_id, template_id in _assignments(client):
        (held if principal_id in known_people else others)[principal_id].add(template_id)
    for group_id, templates in others.items():
        try:
            for page in client.group_members(group_id):
                for user in page.items:
                    held[user.id] |= templates
        except NotFound:
            continue  # an app, or gone
    return dict(held)


def _assignments(client: GraphClient) -> Iterator[tuple[UUID, UUID]]:
    path, seen = _LIST, set()
    while path:
        if path in seen:
            raise Unavailable("Graph's list of roles leads back to a page we had.", sent=False)
        seen.add(path)
        (answer,) = client.batch([Call("GET", path)])
        if answer.error:
            raise answer.error
        yield from read_all(answer.body, _assignment, strict=True)
        path = _path(answer.body.get("@odata.nextLink"))


def _assignment(data: dict) -> tuple[UUID, UUID]:
    # A built-in role's definition id is its template id.
    return UUID(data["principalId"]), UUID(data["roleDefinitionId"])


def _path(link: str | None) -> str:
    """A link as a path inside the version: a batch takes no other, so it cannot lead to another host."""
    if not link:
        return ""
    parts = urlsplit(link)
    path = parts.path.removeprefix("/v1.0")
    return f"{path}?{parts.query}" if parts.query else path
