"""Messages may all be lost, doubled or late: the sweeper finds what is due, and too many messages do no harm."""

import threading
from collections import Counter
from contextlib import ExitStack

import pytest
from django.db import connection
from django.utils import timezone

from accounts.tenancy import no_context, tenant_context
from graph.client import GraphClient
from portal.metrics import sweeper_age
from revocation import nudges, services, tasks
from revocation.models import RevocationRequest, RevocationStep
from revocation.spine import sweeper, turns
from tests.factories import make_tenant
from tests.revocation.spine import actor, calls, one_round, remove_grant, sign_out_many, states


@pytest.fixture
def people(world) -> list[dict]:
    return [one for one in world["tenants"][0]["users"] if not one["guest"]]


def sweep_until_quiet(tenant) -> None:
    for _round in range(20):
        RevocationStep.objects.filter(state="accepted").update(not_before=timezone.now())
        sweeper.sweep(seconds=5)
        if not RevocationRequest.objects.filter(state="running").exists():
            return
    raise AssertionError("the sweeper did not finish")


def test_the_sweeper_alone_finishes_a_list(at_contoso, entra, megan, people):
    request = sign_out_many(at_contoso, megan, people)

    sweep_until_quiet(at_contoso)

    assert set(states(request)) == {"verified"}
    assert len(calls(entra, "POST", "revokeSignInSessions")) == len(people)


def test_sweeping_twice_does_nothing_twice(at_contoso, entra, megan, people):
    request = sign_out_many(at_contoso, megan, people)

    sweep_until_quiet(at_contoso)
    sweeper.sweep()
    tasks.sweep()

    assert set(states(request)) == {"verified"}
    sent = Counter(one["path"] for one in calls(entra, "POST", "revokeSignInSessions"))
    assert set(sent.values()) == {1}


def test_the_sweeper_says_when_it_last_came_round(at_contoso, entra):
    assert sweeper_age() is None

    sweeper.sweep()

    assert 0 <= sweeper_age() < 60


def test_a_suspended_tenant_is_left_alone(at_contoso, entra, megan, people):
    request = sign_out_many(at_contoso, megan, people)
    at_contoso.state = "suspended"
    at_contoso.save()

    sweeper.sweep(seconds=5)
    tasks.run(str(at_contoso.id))

    assert set(states(request)) == {"waiting"}


def test_one_tenants_trouble_is_not_anothers(at_contoso, entra, megan, people):
    make_tenant("99999999-9999-4999-8999-999999999999", "Aardvark", "aardvark.example")  # Entra knows no such tenant
    request = sign_out_many(at_contoso, megan, people)

    sweep_until_quiet(at_contoso)

    assert set(states(request)) == {"verified"}


def test_a_waiting_step_of_a_cancelled_request_is_not_forgotten(at_contoso, entra, megan, people):
    request = sign_out_many(at_contoso, megan, people)
    services.cancel(request, actor(megan))
    RevocationStep.objects.filter(position=0).update(state="waiting", finished_at=None)

    sweeper.sweep()

    assert set(states(request)) == {"cancelled"}


def test_a_message_works_in_the_scope_of_its_tenant_only(at_contoso, entra, megan, people):
    request = sign_out_many(at_contoso, megan, people)
    with no_context():
        tasks.run(str(at_contoso.id))

        assert not RevocationStep.objects.exists()
    with tenant_context(at_contoso.id):
        assert "waiting" not in states(request)


class Elsewhere:
    """A worker elsewhere, with a session of its own, that takes a place and keeps it until it goes or is killed."""

    def __init__(self, tenant) -> None:
        self._let_go, asked = threading.Event(), threading.Event()
        self.has_a_place = False

        def work() -> None:
            with turns.place(tenant.pk) as mine:
                self.has_a_place = mine
                self._session = connection.connection.info.backend_pid
                asked.set()
                self._let_go.wait(60)
            connection.close()

        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()
        assert asked.wait(60)

    def __enter__(self) -> "Elsewhere":
        return self

    def __exit__(self, *error) -> None:
        self.goes()

    def goes(self) -> None:
        self._let_go.set()
        self._thread.join(60)

    def is_killed(self) -> None:
        """Its session ends, and nothing is tidied up. PostgreSQL says when it is gone: it lasts a moment."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 60000)", [self._session])
            assert cursor.fetchone()[0]


def test_a_message_beyond_the_places_ends_there(at_contoso, entra, megan, people):
    request = sign_out_many(at_contoso, megan, people)
    with Elsewhere(at_contoso) as other, no_context():
        assert other.has_a_place

        tasks.run(str(at_contoso.id))
        sweeper.sweep()

    assert set(states(request)) == {"waiting"}


def test_a_killed_worker_holds_no_place(at_contoso, entra, megan, people):
    request = sign_out_many(at_contoso, megan, people)
    other = Elsewhere(at_contoso)
    assert other.has_a_place
    other.is_killed()
    with no_context():
        tasks.run(str(at_contoso.id))
    other.goes()

    assert "waiting" not in states(request)


def test_a_place_is_free_again_after_a_turn(at_contoso, entra):
    with no_context():
        tasks.run(str(at_contoso.id))

    with Elsewhere(at_contoso) as other:
        assert other.has_a_place


def test_somebody_is_told_to_be_there_when_a_window_opens(
    at_contoso, entra, megan, people, settings, messages, django_capture_on_commit_callbacks
):
    """The first nudge may find the sweeper itself in the place; the last comes when the place is free again."""
    settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITE_SECONDS = 4, 8.0
    request = sign_out_many(at_contoso, megan, people)

    with no_context(), django_capture_on_commit_callbacks(execute=True):
        sweeper.sweep()

    assert "waiting" in states(request)
    assert messages == [str(at_contoso.id)] * 2


def test_there_are_more_places_where_no_quota_sets_the_pace(at_contoso, settings):
    settings.REVOCATION_RUNNERS_PER_TENANT = 4
    settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITE_SECONDS = 3000, 150
    assert turns.places() == 1

    settings.GRAPH_TENANT_WRITES = 0
    assert turns.places() == 4

    with ExitStack() as others:
        assert all(others.enter_context(Elsewhere(at_contoso)).has_a_place for _number in range(3))
        with turns.place(at_contoso.pk) as mine:
            assert mine
            assert not others.enter_context(Elsewhere(at_contoso)).has_a_place


def test_a_broken_broker_does_not_fail_a_click_and_is_left_alone_for_a_while(
    at_contoso, entra, adele, monkeypatch, django_capture_on_commit_callbacks
):
    tried = []

    def broken(*args, **kwargs):
        tried.append(args)
        raise ConnectionError("no broker")

    monkeypatch.setattr(nudges.current_app, "send_task", broken)
    monkeypatch.setattr(nudges, "_silent_until", 0.0)
    entra.faults({"path": "oauth2PermissionGrants", "method": "DELETE", "status": 429, "retry_after": 30})

    with django_capture_on_commit_callbacks(execute=True):
        request = remove_grant(adele)
        nudges.nudge(at_contoso.id)
        nudges.nudge(at_contoso.id)

    assert request.state == "running"
    assert len(tried) == 1


def test_a_slow_answer_does_not_hold_up_the_click(transactional_db, at_contoso, entra, adele, settings, monkeypatch):
    """The click returns at its deadline; the answer is written down when it comes."""
    settings.REVOCATION_INLINE_SECONDS = 0.2
    comes, batch = threading.Event(), GraphClient.batch

    def slow(client, calls):
        if any(call.method == "DELETE" for call in calls):
            assert comes.wait(60)
        return batch(client, calls)

    monkeypatch.setattr(GraphClient, "batch", slow)

    request = remove_grant(adele)

    assert states(request) == ["claimed"]
    comes.set()
    for thread in threading.enumerate():
        if thread.name == "late-answers":
            thread.join(60)
    assert states(request) == ["accepted"]
    RevocationStep.objects.update(not_before=timezone.now())
    one_round(at_contoso)
    assert states(request) == ["verified"]
