"""Who is assigned to apps, and which apps hold permissions. Graph has no list of all: every app is asked, 20 a time.

https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto
"""

from collections.abc import Sequence
from uuid import UUID

from graph.client import GraphClient
from graph.errors import NotFound
from graph.paging import read_all
from graph.types import AppRoleAssignment, Call, Items


def assignments_of(client: GraphClient, app_ids: Sequence[UUID]) -> Items[AppRoleAssignment]:
    """All assignments to up to 20 apps: one batch, and further requests only for long lists and failed items.

    Apps deleted since are left out. Raises `GraphError`.
    """
    calls = [Call("GET", f"/servicePrincipals/{app_id}/appRoleAssignedTo?$top=999") for app_id in app_ids]
    found: Items[AppRoleAssignment] = Items()
    for app_id, answer in zip(app_ids, client.batch(calls), strict=True):
        if isinstance(answer.error, NotFound):
            continue
        if answer.ok and "@odata.nextLink" not in answer.body:
            items = read_all(answer.body, AppRoleAssignment.read)
        else:
            try:
                items = client.assigned_to(app_id)
            except NotFound:
                continue
        found.extend(items)
        found.unreadable += items.unreadable
    return found
