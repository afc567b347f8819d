"""Worker processes killed at every edge of a step's life: each step ends in a true state, and only once called."""

import time
from collections import Counter

import pytest
from django.db import connection

from audit import chain
from revocation.models import RevocationStep
from tests.revocation.crash_worker import EDGES
from tests.revocation.processes import Worker, dies_at, work_until_done
from tests.revocation.spine import calls, grants_of, remove_grant, sign_out_many, states, trail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def five(world) -> list[dict]:
    return [one for one in world["tenants"][0]["users"] if not one["guest"]][:5]


@pytest.mark.parametrize("edge", EDGES[1:])
def test_a_list_survives_a_kill(transactional_db, at_contoso, entra, megan, five, edge):
    request = sign_out_many(at_contoso, megan, five)

    assert dies_at(at_contoso.id, edge)
    work_until_done(at_contoso.id)

    assert states(request) == ["verified"] * 5
    sent = Counter(one["path"] for one in calls(entra, "POST", "revokeSignInSessions"))
    assert sorted(sent.values()) == [1] * 5, sent
    request.refresh_from_db()
    assert request.state == "finished"
    assert chain.verify(at_contoso.id).ok


@pytest.mark.parametrize("edge", EDGES)
def test_a_click_survives_a_kill(transactional_db, at_contoso, entra, adele, edge):
    grant = grants_of(adele)[0]
    request = remove_grant(adele, grant, run_inline=False)

    assert dies_at(at_contoso.id, edge)
    work_until_done(at_contoso.id)

    assert states(request) == ["verified"]
    assert grant.id not in entra.grants()
    assert trail(request).count("request.finished") == 1


def test_every_call_was_announced_in_the_record_before_it_left(transactional_db, at_contoso, entra, megan, five):
    request = sign_out_many(at_contoso, megan, five)

    assert dies_at(at_contoso.id, "done, answer not read")

    assert trail(request) == ["request.created", "steps.started"]
    assert set(RevocationStep.objects.values_list("state", flat=True)) == {"claimed"}
    assert len(calls(entra, "POST", "revokeSignInSessions")) == 5


def test_two_workers_at_once_call_nobody_twice(transactional_db, at_contoso, entra, world, megan):
    everyone = [one for one in world["tenants"][0]["users"] if not one["guest"]]
    requests = [sign_out_many(at_contoso, megan, [one]) for one in everyone]

    workers = [Worker(at_contoso.id) for _ in range(3)]
    for process in workers:
        assert process.end(120) == 0, process.errors

    assert [states(request) for request in requests] == [["verified"]] * len(everyone)
    sent = Counter(one["path"] for one in calls(entra, "POST", "revokeSignInSessions"))
    assert sorted(sent.values()) == [1] * len(everyone)


def test_a_database_connection_lost_under_way_loses_nothing(transactional_db, at_contoso, entra, megan, five):
    entra.faults({"path": "revokeSignInSessions", "delay_ms": 3000, "mode": "after"})
    request = sign_out_many(at_contoso, megan, five)
    process = Worker(at_contoso.id)
    wait_until(lambda: set(states(request)) == {"claimed"})

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    process.end(120)
    entra.faults()
    work_until_done(at_contoso.id)

    assert states(request) == ["verified"] * 5
    sent = Counter(one["path"] for one in calls(entra, "POST", "revokeSignInSessions"))
    assert sorted(sent.values()) == [1] * 5
    assert chain.verify(at_contoso.id).ok


def wait_until(true, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come that far"
        time.sleep(0.05)


def test_a_person_deleted_meanwhile_fails_and_the_others_go_on(transactional_db, at_contoso, entra, megan, five):
    request = sign_out_many(at_contoso, megan, five)
    entra.control("POST", "world", json={"tenant": str(at_contoso.id), "do": "delete_user", "user": five[2]["id"]})

    work_until_done(at_contoso.id)

    assert states(request) == ["verified", "verified", "failed", "verified", "verified"]
    assert "no longer exists" in request.steps.get(position=2).outcome
