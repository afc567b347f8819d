"""Who goes first, how large requests are stored, and what a batch costs the database."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.tenancy import no_context
from audit.models import AuditEntry
from revocation import nudges, services, tasks
from revocation.models import RevocationRequest, RevocationStep
from revocation.spine import claims, executor
from revocation.steps import StepDraft, digest_of
from tests.revocation.spine import actor, calls, remove_grant, sign_out_many


def drafts(count: int, urgency: int = 50):
    for number in range(count):
        yield StepDraft("revoke_sessions", "user", str(uuid.UUID(int=number)), f"Person {number}", urgency=urgency)


def submit(person, steps, **options) -> RevocationRequest:
    options = {"interactive": False, "run_inline": False, "needs_approval": False} | options
    return services.submit(
        tenant=person.tenant, actor=actor(person), kind="sign_out", title="A list", steps=steps, **options
    )


def test_the_most_urgent_go_first_whatever_their_place(at_contoso, entra, megan):
    steps = [*drafts(30, urgency=50), *drafts(5, urgency=10), *drafts(5, urgency=80)]
    request = submit(megan, steps)

    executor.run_batch(at_contoso.id)

    asked = request.steps.exclude(state="waiting").order_by("urgency", "position")
    assert [step.urgency for step in asked] == [10] * 5 + [50] * 15


def test_a_click_goes_before_a_list_that_was_there_first(at_contoso, entra, megan, adele):
    submit(megan, drafts(100))
    click = remove_grant(adele, run_inline=False)

    executor.run_batch(at_contoso.id)

    assert click.steps.get().state in ("accepted", "verified")


def test_a_click_is_done_while_the_list_has_used_up_the_quota(at_contoso, entra, megan, adele, settings):
    settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITE_SECONDS = 30, 60.0
    submit(megan, drafts(100))
    executor.run_batch(at_contoso.id)
    executor.run_batch(at_contoso.id)
    waiting = RevocationStep.objects.filter(state="waiting").count()
    assert waiting == 100 - (30 - 15)  # half of so small a quota is kept for clicks

    click = remove_grant(adele)

    assert click.steps.get().state == "verified"
    assert RevocationStep.objects.filter(state="waiting").count() == waiting


def test_a_used_up_quota_keeps_nobody_busy(at_contoso, entra, megan, settings, monkeypatch):
    """No worker wakes another or asks for another turn, nor looks through the list again and again for itself."""
    settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITE_SECONDS = 30, 60.0
    submit(megan, drafts(500))
    executor.run_batch(at_contoso.id)
    messages, looks, pick = [], [], claims.pick
    monkeypatch.setattr(nudges.current_app, "send_task", lambda *name, **message: messages.append(message))
    monkeypatch.setattr(claims, "pick", lambda *asked: looks.append(asked) or pick(*asked))

    with no_context():
        tasks.run(str(at_contoso.id))
    assert len(looks) == 1

    runner = executor._Runner(at_contoso.id)
    for _landed in range(10):
        runner.ask()

    assert len(looks) == 2
    assert RevocationStep.objects.filter(state="waiting").count() == 500 - (30 - 15)
    assert not messages


def test_a_list_longer_than_one_process_can_carry_wakes_another(at_contoso, entra, megan, settings, monkeypatch):
    settings.GRAPH_TENANT_WRITES = 0
    messages = []
    monkeypatch.setattr(executor, "nudge", messages.append)
    submit(megan, drafts(100))
    executor.run(at_contoso.id, seconds=0.1, linger=0)
    assert not messages

    submit(megan, drafts(500, urgency=20))
    executor.run(at_contoso.id, seconds=0.5, linger=0)

    assert messages == [at_contoso.id]


def test_a_long_list_is_never_a_click(at_contoso, entra, megan):
    request = submit(megan, drafts(200), interactive=True)

    assert not request.interactive
    assert not RevocationStep.objects.filter(interactive=True).exists()


def test_a_list_is_stored_in_bulk_with_its_digest_and_one_entry(at_contoso, megan):
    submit(megan, drafts(1))  # begins the tenant's chain
    with CaptureQueriesContext(connection) as small:
        submit(megan, drafts(1000))
    with CaptureQueriesContext(connection) as large:
        request = submit(megan, drafts(5000))

    assert len(large) - len(small) == 4  # one statement for each further thousand
    assert (request.digest, 5000) == digest_of(request)
    entry = AuditEntry.objects.get(request_id=request.pk)
    assert (entry.after["digest"], entry.after["steps"]) == (request.digest, 5000)


def test_a_request_without_steps_is_refused_and_leaves_nothing(at_contoso, megan):
    with pytest.raises(services.NothingToRevoke):
        submit(megan, [])

    assert not RevocationRequest.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_list_that_breaks_off_leaves_nothing(at_contoso, megan):
    def broken():
        yield from drafts(1500)
        raise RuntimeError("the file ended here")

    with pytest.raises(RuntimeError):
        submit(megan, broken())

    assert not RevocationStep.objects.exists()
    assert not RevocationRequest.objects.exists()


def test_a_batch_costs_a_fixed_number_of_queries(at_contoso, entra, world, megan):
    people = [one for one in world["tenants"][0]["users"] if not one["guest"]]
    sign_out_many(at_contoso, megan, people[:1])
    executor.run_batch(at_contoso.id)  # buckets and tokens are made once
    RevocationStep.objects.filter(state="accepted").update(state="cancelled")

    counted = []
    for size in (2, len(people)):
        sign_out_many(at_contoso, megan, people[:size])
        with CaptureQueriesContext(connection) as queries:
            executor.run_batch(at_contoso.id)
        RevocationStep.objects.filter(state="accepted").update(state="cancelled")
        counted.append(len(queries))

    assert counted[0] == counted[1]
    assert len(calls(entra, "POST", "revokeSignInSessions")) == 1 + 2 + len(people)


def test_another_tenants_steps_are_not_touched(at_contoso, entra, megan, robin):
    from accounts.tenancy import tenant_context

    with tenant_context(robin.tenant.id):
        theirs = submit(robin, drafts(3))
    submit(megan, drafts(3))

    executor.run_batch(at_contoso.id)

    assert not RevocationStep.objects.filter(request_id=theirs.pk).exists()
    with tenant_context(robin.tenant.id):
        assert set(theirs.steps.values_list("state", flat=True)) == {"waiting"}
