"""Who holds which directory role, read role by role: tenants have few roles in use, and many people.

https://learn.microsoft.com/graph/api/directoryrole-list-members
"""

from collections import defaultdict
from uuid import UUID

from directory.sync.rows import in_parts
from graph.client import GraphClient
from graph.paging import read_all
from graph.types import Call, DirectoryRole


def role_holders(client: GraphClient) -> dict[UUID, set[UUID]]:
    """Role template ids by person, held directly or through a group. One request, and one for every 20 roles.

    Raises `GraphError`.
    """
    (answer,) = client.batch([Call("GET", f"/directoryRoles?$select={DirectoryRole.SELECT}")])
    if answer.error:
        raise answer.error
    held: dict[UUID, set[UUID]] = defaultdict(set)
    groups: dict[UUID, set[UUID]] = defaultdict(set)
    for part in in_parts(read_all(answer.body, DirectoryRole.read), 20):
        answers = client.batch([Call("GET", f"/directoryRoles/{role.id}/members?$select=id") for role in part])
        for role, answer in zip(part, answers, strict=True):
            if answer.error:
                raise answer.error
            for kind, member_id in read_all(answer.body, _member):
                (groups if kind == "#microsoft.graph.group" else held)[member_id].add(role.template_id)
    for group_id, templates in groups.items():
        for page in client.group_members(group_id):
            for user in page.items:
                held[user.id] |= templates
    return dict(held)


def _member(data: dict) -> tuple[str, UUID]:
    return data.get("@odata.type") or "", UUID(data["id"])
