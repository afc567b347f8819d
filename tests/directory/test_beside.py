"""What goes on beside the work: on a connection of its own, in the same tenant, and at an end with it."""

import gc
import time
from collections import Counter

import pytest
from django.db import connection

from accounts import locks
from accounts.tenancy import tenant_context
from directory import sync
from directory.models import Collection, PermissionGrant, Person, ServicePrincipal
from directory.sync import ahead, rows, walking
from directory.sync.beside import Lane
from directory.sync.progress import Deadline
from graph import transport
from graph.requesting import Requester
from tests.directory.rows import an_app

alone = pytest.mark.django_db(transaction=True)


class Broken(Exception):
    """Something goes wrong in the turn."""


@pytest.fixture
def small_pages(monkeypatch) -> None:
    monkeypatch.setitem(Requester.pages.__kwdefaults__, "page_size", 3)


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def names() -> set[str]:
    return set(ServicePrincipal.objects.values_list("display_name", flat=True))


@alone
def test_it_has_a_connection_of_its_own_that_sees_this_tenant_alone_and_ends(transactional_db, contoso, fabrikam):
    for tenant, name in ((contoso, "Ours"), (fabrikam, "Theirs")):
        with tenant_context(tenant.pk):
            an_app(tenant, name)
    with tenant_context(contoso.pk), Lane() as lane:
        other = lane.result(lane.start(lambda: backend() and connection.connection))
        assert other.info.backend_pid != backend()
        assert lane.result(lane.start(names)) == {"Ours"}
        assert lane.result(lane.start(backend)) == other.info.backend_pid
    assert other.closed


def test_inside_a_transaction_it_is_done_at_once_where_its_rows_are_seen(inside):
    an_app(inside, "Not committed yet")
    with Lane() as lane:
        assert lane.start(names).result() == {"Not committed yet"}
        assert lane.start(backend).result() == backend()


@alone
def test_what_it_raises_is_raised_where_it_is_waited_for(transactional_db):
    with Lane() as lane, pytest.raises(ZeroDivisionError):
        lane.result(lane.start(lambda: 1 / 0))


@alone
def test_what_nobody_will_take_any_more_is_left_off_though_the_turn_has_no_end(transactional_db):
    def is_left_off() -> bool:
        gives_up = time.monotonic() + 20
        while not until.passed and time.monotonic() < gives_up:
            time.sleep(0.01)
        return until.passed

    def turn() -> None:
        with lane:
            begun.append(lane.start(is_left_off))
            raise Broken

    lane, begun = Lane(), []
    until = walking.WhileOthersWork(Deadline(), lane)
    with pytest.raises(Broken):
        turn()
    assert begun[0].result()


@alone
def test_two_that_write_different_rows_write_at_once_and_whoever_writes_any_waits_for_both(transactional_db, contoso):
    def may_write(shared: str) -> bool:
        with other.cursor() as cursor:
            cursor.execute(f"SELECT pg_try_advisory_xact_lock{shared}(%s)", [locks.key(f"directory.copy:{contoso.pk}")])
            return cursor.fetchone()[0]

    other = connection.copy()
    try:
        with rows.writing(contoso, shared=True):
            assert (may_write("_shared"), may_write("")) == (True, False)
        with rows.writing(contoso):
            assert (may_write("_shared"), may_write("")) == (False, False)
        assert may_write("")
    finally:
        other.close()


@alone
def test_slices_on_two_connections_ask_for_each_page_once_and_copy_the_directory(
    transactional_db, entra, contoso, small_pages
):
    turns, asked = 1, Counter()
    with transport.witnessed(lambda request, response: asked.update([request.url])):
        while sync.work(contoso, 0):
            turns += 1
    with tenant_context(contoso.pk):
        assert set(PermissionGrant.objects.values_list("graph_id", flat=True)) == set(entra.grants())
        assert set(map(str, Person.objects.values_list("pk", flat=True))) == {one["id"] for one in entra.all("users")}
        assert {row.kind for row in Collection.objects.all() if not row.complete_at or row.error} == set()
    pages = -(-len(entra.grants()) // 3)
    listed = {url: times for url, times in asked.items() if "/oauth2PermissionGrants?" in url and "$top=1&" not in url}
    assert turns > pages / 4
    assert sorted(listed.values()) == [1] * pages, listed


def test_nobody_whom_a_list_is_about_to_name_is_asked_for_alone(entra, inside, monkeypatch):
    asked, by_ids, pages = {"/users": set(), "/servicePrincipals": set()}, Requester.by_ids, Requester.pages

    def long(self, path, *args, **options):  # the list of people, so that all grants are read before
        return pages(self, path, *args, **options | ({"page_size": 1} if path == "/users" else {}))

    def noted(self, path, ids, *more):
        asked.get(path, set()).update(map(str, ids))
        return by_ids(self, path, ids, *more)

    monkeypatch.setattr(Requester, "by_ids", noted)
    monkeypatch.setattr(Requester, "pages", long)
    while sync.work(inside, 0):
        pass
    assert asked["/servicePrincipals"], "what resources define is asked for"
    assert asked["/users"] & {one["id"] for one in entra.all("users")} == set()


def test_what_was_kept_counts_for_its_own_place_and_for_a_moment(inside, monkeypatch):
    def keep() -> ahead.Kept:
        ahead.keep(inside.pk, "grants", one := ahead.Kept("third page", ahead.Ahead(iter([3]), lambda: True), None))
        return one

    one = keep()
    assert ahead.kept(inside.pk, "grants", "third page") is one
    assert ahead.kept(inside.pk, "grants", "third page") is None
    keep()
    assert ahead.kept(inside.pk, "grants", "fourth page") is None
    assert ahead.kept(inside.pk, "grants", "third page") is None
    keep()
    monkeypatch.setattr(ahead, "KEPT_FOR", -1)
    assert ahead.kept(inside.pk, "people", "") is None
    monkeypatch.undo()
    assert ahead.kept(inside.pk, "grants", "third page") is None


def test_what_was_there_before_is_left_alone_by_the_look_for_garbage_while_rows_are_made(entra, inside):
    seen = []
    with transport.witnessed(lambda request, response: seen.append(gc.get_freeze_count())):
        sync.work(inside, 30)
    assert all(seen)
    assert gc.get_freeze_count() == 0
