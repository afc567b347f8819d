"""Readings of directories and sign-outs do not stand in one line."""

from directory import tasks
from portal.celery import app
from revocation import tasks as of_revocation

DIRECTORY = "consentry-directory"


def test_readings_have_a_queue_of_their_own_and_a_worker_takes_both():
    assert app.amqp.router.route({}, tasks.sync_tenant.name)["queue"].name == DIRECTORY
    assert app.amqp.router.route({}, tasks.sync_all.name)["queue"].name == DIRECTORY
    assert app.amqp.router.route({}, of_revocation.sweep.name)["queue"].name == "consentry"
    assert set(app.amqp.queues) == {"consentry", DIRECTORY}
    assert {one.routing_key for one in app.amqp.queues.values()} == {"consentry", DIRECTORY}


def test_a_turn_that_sees_no_end_asks_for_the_next_and_lets_others_go_first(entra, contoso, monkeypatch):
    asked = []
    monkeypatch.setattr(tasks, "SLICE", 0)
    monkeypatch.setattr(tasks.sync_tenant, "delay", lambda *given: asked.append(given))
    tasks.sync_tenant(str(contoso.pk))
    assert asked == [(str(contoso.pk),)]
    for _turn in range(200):
        asked.clear()
        tasks.sync_tenant(str(contoso.pk))
        if not asked:
            return
    raise AssertionError("slices of no length never come to an end")
