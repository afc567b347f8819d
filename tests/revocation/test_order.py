"""Who goes first, how large requests are stored, and what a batch costs the database."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tenancy import no_context, tenant_context
from audit.models import AuditEntry
from graph.batch import LIMIT
from revocation import services, tasks
from revocation.models import RevocationRequest, RevocationStep
from revocation.spine import budget, claims, executor, readings
from revocation.steps import StepDraft, digest_of
from tests.revocation.spine import actor, calls, one_round, remove_grant, sign_out_many


def drafts(count: int, urgency: int = 50):
    for number in range(count):
        yield StepDraft("revoke_sessions", "user", str(uuid.UUID(int=number)), f"Person {number}", urgency=urgency)


def submit(person, steps, **options) -> RevocationRequest:
    options = {"interactive": False, "run_inline": False, "needs_approval": False} | options
    return services.submit(
        tenant=person.tenant, actor=actor(person), kind="sign_out", title="A list", steps=steps, **options
    )


def test_the_most_urgent_go_first_whatever_their_place(at_contoso, entra, megan, settings):
    settings.GRAPH_TENANT_WRITES = 40  # of which half is kept for clicks
    steps = [*drafts(30, urgency=50), *drafts(5, urgency=10), *drafts(5, urgency=80)]
    request = submit(megan, steps)

    one_round(at_contoso)

    asked = request.steps.exclude(state="waiting").order_by("urgency", "position")
    assert [step.urgency for step in asked] == [10] * 5 + [50] * 15


def test_a_click_goes_before_a_list_that_was_there_first(at_contoso, entra, megan, adele):
    batches = executor.WIDTH
    submit(megan, drafts((batches + 1) * LIMIT))
    click = remove_grant(adele, run_inline=False)

    one_round(at_contoso)

    assert click.steps.get().state in ("accepted", "verified")
    assert RevocationStep.objects.filter(state="waiting").count() == 2 * LIMIT  # the click took the room of a batch


def test_a_click_is_done_while_the_list_has_used_up_the_quota(at_contoso, entra, megan, adele, settings):
    settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITE_SECONDS = 30, 60.0
    submit(megan, drafts(100))
    one_round(at_contoso)
    one_round(at_contoso)
    waiting = RevocationStep.objects.filter(state="waiting").count()
    assert waiting == 100 - (30 - 15)  # half of so small a quota is kept for clicks

    click = remove_grant(adele)

    assert click.steps.get().state == "verified"
    assert RevocationStep.objects.filter(state="waiting").count() == waiting


@pytest.fixture
def looks(monkeypatch) -> list:
    """Each look through the lists for something to do."""
    made, pick = [], claims.pick
    monkeypatch.setattr(claims, "pick", lambda *asked: made.append(asked) or pick(*asked))
    return made


def test_a_used_up_quota_wakes_nobody(
    at_contoso, entra, megan, settings, looks, messages, django_capture_on_commit_callbacks
):
    settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITE_SECONDS = 30, 60.0
    submit(megan, drafts(500))
    one_round(at_contoso)
    looks.clear()

    with no_context(), django_capture_on_commit_callbacks(execute=True):
        tasks.run(str(at_contoso.id))

    assert len(looks) == 1
    assert not messages


def test_a_used_up_quota_is_not_asked_for_again_and_again(at_contoso, entra, world, megan, settings, looks):
    """While proofs keep a turn going, it does not look through the list each time."""
    settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITE_SECONDS = 8, 600.0
    people = [one for one in world["tenants"][0]["users"] if not one["guest"]]
    sign_out_many(at_contoso, megan, people[:4])
    one_round(at_contoso)
    sign_out_many(at_contoso, megan, people[4:])
    for number, step in enumerate(RevocationStep.objects.filter(state="accepted").order_by("position")):
        RevocationStep.objects.filter(pk=step.pk).update(not_before=timezone.now() + timedelta(seconds=number / 10))
    looks.clear()

    executor.turn(at_contoso.id, seconds=executor.REST * 0.9, linger=0.2)

    assert RevocationStep.objects.filter(state="verified").exists()
    assert len(looks) == 1


def test_a_quota_that_refills_all_the_time_is_come_back_for_in_a_moment(at_contoso, entra, megan):
    """Not at once, which would keep a worker busy, and not only with the sweeper's next round."""
    rule, now = budget.tenant_rule(), timezone.now()
    for key in (f"tenant:{at_contoso.pk}", f"mass:{at_contoso.pk}"):
        quota = readings.fresh(key, rule, now)
        quota.reading, quota.level, quota.level_at = "continuous", 30.0, now + timedelta(seconds=60)
        quota.save()
    submit(megan, drafts(500))

    result = one_round(at_contoso)

    assert result.done == 30 - budget.RESERVE
    assert not result.is_due_within(0)
    assert result.is_due_within(62)


def test_a_list_longer_than_one_process_can_carry_wakes_another(
    at_contoso, entra, megan, settings, messages, django_capture_on_commit_callbacks
):
    settings.GRAPH_TENANT_WRITES = 0
    whole = executor.WIDTH * LIMIT
    submit(megan, drafts(whole - 1))
    with django_capture_on_commit_callbacks(execute=True):
        one_round(at_contoso)
    assert not messages

    submit(megan, drafts(whole + 1, urgency=20))
    with django_capture_on_commit_callbacks(execute=True):
        one_round(at_contoso)

    assert messages == [str(at_contoso.id)]


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
    one_round(at_contoso)  # buckets and tokens are made once
    RevocationStep.objects.filter(state="accepted").update(state="cancelled")

    counted = []
    for size in (2, len(people)):
        sign_out_many(at_contoso, megan, people[:size])
        with CaptureQueriesContext(connection) as queries:
            one_round(at_contoso)
        RevocationStep.objects.filter(state="accepted").update(state="cancelled")
        counted.append(len(queries))

    assert counted[1] - counted[0] in (0, 1)  # names that are new to the record are one statement more, however many
    assert len(calls(entra, "POST", "revokeSignInSessions")) == 1 + 2 + len(people)


def test_another_tenants_steps_are_not_touched(at_contoso, entra, megan, robin):
    with tenant_context(robin.tenant.id):
        theirs = submit(robin, drafts(3))
    submit(megan, drafts(3))

    one_round(at_contoso)

    assert not RevocationStep.objects.filter(request_id=theirs.pk).exists()
    with tenant_context(robin.tenant.id):
        assert set(theirs.steps.values_list("state", flat=True)) == {"waiting"}
