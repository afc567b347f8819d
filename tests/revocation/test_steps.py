"""One request from asked to proved, and everything Graph may answer on the way."""

import pytest
from django.utils import timezone

from accounts import durations
from consent.showing import removals
from directory.features import CONSENT_POLICY
from revocation import services
from revocation.actions import delete_grant
from revocation.models import RevocationRequest, RevocationStep
from revocation.spine import executor
from tests.revocation.spine import (
    actor,
    calls,
    copy_of,
    grants_of,
    one_round,
    remove_grant,
    sign_out_many,
    states,
    trail,
    valid_from,
)


def test_removing_a_grant_is_proved_and_recorded(at_contoso, entra, adele, monkeypatch):
    monkeypatch.setattr(durations, "_new", took := {})
    grant = grants_of(adele)[0]

    request = remove_grant(adele, grant)

    assert sum(took["consentry_step_duration_seconds", ("click",)][:-1]) == 1
    assert grant.id not in entra.grants()
    assert (request.state, states(request)) == ("finished", ["verified"])
    assert trail(request) == [
        "request.created",
        "steps.started",
        "step.accepted",
        "step.verified",
        "request.finished",
    ]


def test_signing_somebody_out_moves_their_valid_from_time_once(at_contoso, entra, world, adele, henrietta):
    before = timezone.now()

    request = services.sign_out(
        at_contoso, [copy_of(at_contoso, world, "Adele Vance")], actor=actor(henrietta), reason="Lost laptop"
    )

    assert states(request) == ["verified", "verified"]
    assert valid_from(entra, at_contoso, adele.object_id) >= before.replace(microsecond=0)
    assert len(calls(entra, "POST", "revokeSignInSessions")) == 1


def test_a_grant_that_is_gone_already_counts_as_removed(at_contoso, entra, adele):
    grant = grants_of(adele)[0]
    entra.graph("DELETE", f"oauth2PermissionGrants/{grant.id}")

    request = remove_grant(adele, grant)

    step = request.steps.get()
    assert (step.state, step.outcome_code) == ("verified", "gone_already")


def test_a_person_who_no_longer_exists_fails_with_the_reason(at_contoso, entra, megan):
    nobody = {"id": "00000000-0000-4000-8000-00000000dead", "displayName": "Nobody"}
    request = sign_out_many(at_contoso, megan, [nobody])

    one_round(at_contoso)

    step = request.steps.get()
    assert step.state == "failed"
    assert "no longer exists" in step.outcome


def test_a_guest_is_told_apart_as_no_effect(at_contoso, entra, world, megan):
    guest = next(u for t in world["tenants"] for u in t["users"] if u["guest"])
    request = sign_out_many(at_contoso, megan, [guest], interactive=True, run_inline=True)

    step = request.steps.get()
    assert step.state == "no_effect"
    assert "home organisation" in step.outcome


def test_a_missing_permission_is_named(at_contoso, entra, adele):
    at_contoso.granted_permissions, at_contoso.permissions_checked_at = [], None  # not known: Microsoft's answer tells
    at_contoso.save()
    grant = grants_of(adele)[0]
    entra.faults({"path": "oauth2PermissionGrants", "method": "DELETE", "status": 403})

    request = remove_grant(adele, grant)

    step = request.steps.get()
    assert step.state == "failed"
    assert "DelegatedPermissionGrant.ReadWrite.All" in step.outcome
    assert grant.id in entra.grants()


def test_a_throttled_step_waits_as_long_as_microsoft_asks(at_contoso, entra, adele):
    entra.faults({"path": "oauth2PermissionGrants", "method": "DELETE", "status": 429, "retry_after": 40})
    asked = timezone.now()

    request = remove_grant(adele)

    step = request.steps.get()
    assert step.state == "waiting"
    assert 39 <= (step.not_before - asked).total_seconds() <= 45
    assert len(calls(entra, "DELETE", "oauth2PermissionGrants")) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_before_the_deed_is_read_back_and_repeated(at_contoso, entra, adele, status):
    grant = grants_of(adele)[0]
    entra.faults({"path": "oauth2PermissionGrants", "method": "DELETE", "status": status, "count": 1})

    request = remove_grant(adele, grant)

    assert states(request) == ["verified"]
    assert len(calls(entra, "DELETE", "oauth2PermissionGrants")) == 2


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 504}, {"cut": True}, {"status": 200, "body": "<html>"}])
def test_a_sign_out_whose_answer_was_lost_is_never_sent_twice(at_contoso, entra, world, adele, megan, fault):
    adele_there = next(u for u in world["tenants"][0]["users"] if u["displayName"] == "Adele Vance")
    entra.faults({"path": "revokeSignInSessions", "mode": "after", "count": 1, **fault})

    request = sign_out_many(at_contoso, megan, [adele_there], interactive=True, run_inline=True)

    assert states(request) == ["verified"]
    assert len(calls(entra, "POST", "revokeSignInSessions")) == 1


def test_what_keeps_failing_is_given_up_with_the_reason(at_contoso, entra, adele, settings):
    settings.REVOCATION_MAX_ATTEMPTS = 2
    entra.faults({"path": "oauth2PermissionGrants", "method": "DELETE", "status": 503})

    request = remove_grant(adele)

    step = request.steps.get()
    assert step.state == "failed"
    assert step.outcome.startswith("Given up after 2 attempts.")
    assert request.state == RevocationRequest.State.FINISHED


def test_a_lagging_directory_is_asked_again_until_it_shows_it(at_contoso, entra, adele):
    grant = grants_of(adele)[0]
    entra.lag(seconds=1)

    request = remove_grant(adele, grant)

    assert states(request) == ["verified"]
    assert request.steps.get().proofs >= 1


def test_what_the_directory_never_shows_is_unconfirmed(at_contoso, entra, adele, settings):
    entra.lag(seconds=3600)

    request = remove_grant(adele)
    assert states(request) == ["accepted"]
    settings.REVOCATION_PROOF_MINUTES = 0
    RevocationStep.objects.update(not_before=timezone.now())
    one_round(at_contoso)

    assert states(request) == ["unconfirmed"]


def test_a_step_whose_row_was_edited_is_not_carried_out(at_contoso, entra, adele, megan):
    mine, theirs = grants_of(adele)[0], grants_of(megan)[0]
    request = remove_grant(adele, mine, run_inline=False)
    RevocationStep.objects.filter(request=request).update(target_id=theirs.id)

    one_round(at_contoso)

    assert request.steps.get().outcome_code == "seal_broken"
    assert {mine.id, theirs.id} <= set(entra.grants())


def test_a_double_click_is_one_request(at_contoso, entra, adele):
    grant = grants_of(adele)[0]

    first, second = remove_grant(adele, grant), remove_grant(adele, grant)

    assert first == second
    assert RevocationRequest.objects.count() == 1


def test_undo_puts_the_same_grant_back(at_contoso, entra, adele):
    grant = grants_of(adele)[0]
    request = remove_grant(adele, grant)

    undone = services.undo(request, actor(adele))

    assert states(undone) == ["verified"]
    assert set(entra.grants()[grant.id]["scope"].split()) == set(grant.scopes)
    assert services.undo(request, actor(adele)) == undone


def test_a_retry_does_not_take_the_undo_away(at_contoso, entra, adele):
    at_contoso.granted_permissions = [*at_contoso.granted_permissions, *CONSENT_POLICY.any_of]
    at_contoso.save()
    first, second = grants_of(adele)[:2]
    request = services.submit(
        tenant=at_contoso,
        actor=actor(adele),
        kind="remove_own_app",
        title="Remove an app",
        steps=[delete_grant.step(one, label="An app") for one in (first, second)],
        run_inline=False,
    )
    now = timezone.now()
    request.steps.filter(position=0).update(state="verified", accepted_at=now, finished_at=now)
    request.steps.filter(position=1).update(state="failed", finished_at=now)
    RevocationRequest.objects.filter(pk=request.pk).update(state="finished")
    request.refresh_from_db()
    assert services.undoable(request)

    services.retry_failed(request, actor(adele))
    assert services.undoable(request)
    assert request.pk in [one.request.pk for one in removals.recent(adele.membership) if one.undo_until]

    undone = services.undo(request, actor(adele))
    assert undone.step_count == 1
    assert not services.undoable(request)
    assert request.pk not in [one.request.pk for one in removals.recent(adele.membership)]


def test_undo_is_refused_when_it_is_too_late(at_contoso, entra, adele, settings):
    request = remove_grant(adele)
    settings.REVOCATION_UNDO_MINUTES = 0

    with pytest.raises(services.NotPossible):
        services.undo(request, actor(adele))


def test_a_cancelled_request_leaves_what_is_done_and_does_no_more(at_contoso, entra, world, megan):
    people = [u for u in world["tenants"][0]["users"] if not u["guest"]]
    entra.faults({"path": "revokeSignInSessions", "status": 429, "retry_after": 1, "skip": 3})
    request = sign_out_many(at_contoso, megan, people)
    one_round(at_contoso)

    services.cancel(request, actor(megan))
    executor.turn(at_contoso.id, seconds=5, linger=5)

    assert sorted(set(states(request))) == ["cancelled", "verified"]
    assert states(request).count("verified") == 3


def test_a_paused_request_goes_on_where_it_was(at_contoso, entra, world, megan):
    people = [u for u in world["tenants"][0]["users"] if not u["guest"]]
    request = sign_out_many(at_contoso, megan, people)
    services.pause(request, actor(megan))
    one_round(at_contoso)
    assert set(states(request)) == {"waiting"}

    services.resume(request, actor(megan))
    executor.turn(at_contoso.id, seconds=10, linger=5)

    assert set(states(request)) == {"verified"}


def test_what_failed_is_retried_as_a_new_request_that_names_the_old_one(at_contoso, entra, adele):
    entra.faults({"path": "oauth2PermissionGrants", "method": "DELETE", "status": 403, "count": 1})
    request = remove_grant(adele)

    again = services.retry_failed(request, actor(adele))

    assert again.follows == request
    assert (states(request), states(again)) == (["failed"], ["verified"])
