"""Lists that break off, begin again, or fall short: scripted here page by page."""

from uuid import uuid4

import pytest

from directory import sync
from directory.models import Collection, PermissionGrant
from directory.sync import turns
from graph.errors import Rejected, Unavailable
from graph.types import Page
from tests.directory.rows import a_grant, an_app, graph_api, somebody


class Scripted:
    """Graph, giving these pages of grants, of rows as they come."""

    def __init__(self, *pages):
        self.pages = pages

    def __call__(self, *args, **options):
        return self

    def own_permissions(self):
        return None

    def changes_from_now(self, what):
        raise Rejected("Nothing can be followed here.", status=400)

    def grants(self, start, read):
        for page in self.pages:
            if isinstance(page, Exception):
                raise page
            yield page

    def service_principals_by_ids(self, ids):
        return []

    def users_by_ids(self, ids):
        return []


@pytest.fixture
def old(inside):
    """Three grants of the last complete reading."""
    api, app = graph_api(inside), an_app(inside, "Mail Sidekick")
    return [a_grant(app, api, "User.Read", somebody(inside, f"Person {number}")) for number in range(3)]


def listed(row: PermissionGrant, scope: str = "User.Read", **more) -> dict:
    said = {"id": row.graph_id, "clientId": str(row.client_id), "resourceId": str(row.resource_id), "scope": scope}
    return said | {"principalId": row.principal_id and str(row.principal_id), "consentType": row.consent_type} | more


def a_new_one(row: PermissionGrant) -> dict:
    return listed(row, "Mail.Read", id="new", principalId=str(uuid4()), consentType="Principal")


def read(tenant, monkeypatch, *pages):
    monkeypatch.setattr(turns, "GraphClient", Scripted(*pages))
    (report,) = sync.sync_tenant(tenant, [Collection.Kind.GRANTS]).kinds
    return report


def ids() -> set[str]:
    return set(PermissionGrant.objects.values_list("graph_id", flat=True))


def test_a_list_that_ends_halfway_keeps_the_unseen_rows(inside, old, monkeypatch):
    pages = [Page([listed(old[0], "Mail.Read")], 3), Unavailable("cut off", sent=False)]
    report = read(inside, monkeypatch, *pages)
    assert not report.complete
    assert ids() == {row.graph_id for row in old}
    old[0].refresh_from_db()
    assert old[0].scopes == ["Mail.Read"]  # what was read is newer, and kept
    assert Collection.objects.get(kind="grants").complete_at is None


def test_a_list_that_begins_again_counts_each_row_once(inside, old, monkeypatch):
    pages = [
        Page([listed(old[0]), listed(old[1])], 3),
        Page([listed(old[0])], 3, restarted=True),
        Page([listed(old[2]), a_new_one(old[0])]),
    ]
    report = read(inside, monkeypatch, *pages)
    assert (report.complete, report.rows, report.removed) == (True, 3, 1)
    assert ids() == {old[0].graph_id, old[2].graph_id, "new"}  # old[1] was only in the part that was given up


def test_a_list_shorter_than_its_own_count_takes_nothing_out(inside, old, monkeypatch):
    report = read(inside, monkeypatch, Page([listed(old[0])], 3))
    assert "1 of 3" in report.error
    assert ids() == {row.graph_id for row in old}
    assert "1 of 3" in Collection.objects.get(kind="grants").error


def test_only_a_whole_list_takes_out_what_it_does_not_name(inside, old, monkeypatch):
    report = read(inside, monkeypatch, Page([listed(old[0])], 1))
    assert (report.complete, report.removed) == (True, 2)
    assert ids() == {old[0].graph_id}


def test_an_empty_list_is_believed_when_it_says_so(inside, old, monkeypatch):
    assert read(inside, monkeypatch, Page([], 0)).removed == 3


def test_a_grant_listed_twice_is_one_row(inside, old, monkeypatch):
    report = read(inside, monkeypatch, Page([listed(old[0]), listed(old[0], "Mail.Read")], 2))
    assert report.complete
    assert PermissionGrant.objects.get().scopes == ["Mail.Read"]
