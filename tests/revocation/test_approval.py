"""A second person's yes, attacked: changed lists, replays, one's own yes, approvers who lost their rights."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Membership, User
from audit import personal
from audit.models import AuditEntry, AuditEvent
from revocation import services
from revocation.models import RevocationRequest, RevocationStep
from revocation.spine import executor, sweeper
from revocation.steps import StepDraft
from tests.revocation.spine import actor, calls, one_round, sign_out_many, states, trail

State = RevocationRequest.State


@pytest.fixture
def request_of_megan(at_contoso, entra, world, megan):
    """More people than Contoso lets one person sign out."""
    at_contoso.approval_threshold = 3
    at_contoso.save()
    people = [
        one for one in world["tenants"][0]["users"] if not one["guest"] and one["displayName"] != "Isaiah Langer"
    ][:5]
    return sign_out_many(at_contoso, megan, people, needs_approval=None)


def run(tenant):
    executor.turn(tenant.id, seconds=15, linger=5)


def test_nothing_is_done_before_somebody_approved_it(at_contoso, entra, request_of_megan):
    run(at_contoso)

    assert request_of_megan.state == State.AWAITING_APPROVAL
    assert set(states(request_of_megan)) == {"waiting"}
    assert not calls(entra, "POST", "revokeSignInSessions")


def test_an_approved_request_is_carried_out_under_both_names(at_contoso, entra, request_of_megan, megan, isaiah):
    services.approve(request_of_megan, actor(isaiah), request_of_megan.digest)
    run(at_contoso)

    assert set(states(request_of_megan)) == {"verified"}
    (started,) = personal.reveal(at_contoso.pk, list(AuditEntry.objects.filter(event=AuditEvent.STEPS_STARTED)))
    assert (started.actor_label, started.approver_label) == ("Megan Bowen", "Isaiah Langer")


def test_few_enough_people_need_no_approval(at_contoso, entra, world, megan):
    people = [one for one in world["tenants"][0]["users"] if not one["guest"]][:50]

    assert sign_out_many(at_contoso, megan, people, needs_approval=None).state == State.RUNNING


def test_one_cannot_approve_ones_own(request_of_megan, megan):
    with pytest.raises(services.NotApproved):
        services.approve(request_of_megan, actor(megan), request_of_megan.digest)


@pytest.mark.parametrize("who", ["henrietta", "nestor", "adele"])
def test_a_role_without_the_right_cannot_approve(request_of_megan, request, who):
    with pytest.raises(services.NotApproved):
        services.approve(request_of_megan, actor(request.getfixturevalue(who)), request_of_megan.digest)


def test_another_digest_is_not_this_request(request_of_megan, isaiah):
    with pytest.raises(services.NotApproved):
        services.approve(request_of_megan, actor(isaiah), "0" * 64)


CHANGES = {
    "another person": lambda steps: steps.filter(position=0).update(target_id="00000000-0000-4000-8000-000000000001"),
    "another action": lambda steps: steps.filter(position=0).update(action="invalidate_tokens"),
    "another order": lambda steps: steps.filter(position=0).update(urgency=1),
    "another label": lambda steps: steps.filter(position=0).update(target_label="Somebody harmless"),
    "one fewer": lambda steps: steps.filter(position=4).delete(),
    "one more": lambda steps: _one_more(steps),
}


def _one_more(steps) -> None:
    step = steps.get(position=4)
    step.pk, step.position, step.target_id = None, 5, "00000000-0000-4000-8000-000000000002"
    step.save(force_insert=True)


@pytest.mark.parametrize("change", CHANGES)
def test_a_list_changed_before_the_approval_cannot_be_approved(request_of_megan, isaiah, change):
    CHANGES[change](request_of_megan.steps.all())

    with pytest.raises(services.NotApproved):
        services.approve(request_of_megan, actor(isaiah), request_of_megan.digest)


@pytest.mark.parametrize("change", CHANGES)
def test_a_list_changed_after_the_approval_voids_it(at_contoso, entra, request_of_megan, isaiah, change):
    services.approve(request_of_megan, actor(isaiah), request_of_megan.digest)
    CHANGES[change](request_of_megan.steps.all())

    run(at_contoso)

    request_of_megan.refresh_from_db()
    assert request_of_megan.state == State.AWAITING_APPROVAL
    assert "approval.voided" in trail(request_of_megan)
    assert not calls(entra, "POST", "revokeSignInSessions")


def test_a_step_changed_under_way_is_not_carried_out(at_contoso, entra, request_of_megan, isaiah):
    services.approve(request_of_megan, actor(isaiah), request_of_megan.digest)
    first = request_of_megan.steps.get(position=0)
    request_of_megan.steps.exclude(pk=first.pk).update(not_before=timezone.now() + timedelta(hours=1))
    one_round(at_contoso)
    request_of_megan.steps.update(not_before=None)
    request_of_megan.steps.filter(position=1).update(target_id="00000000-0000-4000-8000-000000000001")

    one_round(at_contoso)

    assert request_of_megan.steps.get(position=1).outcome_code == "seal_broken"
    assert "approval.voided" in trail(request_of_megan)


def test_a_request_set_running_by_hand_is_not_carried_out(at_contoso, entra, request_of_megan):
    RevocationRequest.objects.update(state=State.RUNNING)

    run(at_contoso)

    assert set(states(request_of_megan)) == {"waiting"}
    assert not calls(entra, "POST", "revokeSignInSessions")


def test_an_approval_of_one_request_is_no_good_for_another(at_contoso, entra, world, request_of_megan, megan, isaiah):
    services.approve(request_of_megan, actor(isaiah), request_of_megan.digest)
    request_of_megan.refresh_from_db()
    people = [one for one in world["tenants"][0]["users"] if not one["guest"]][1:6]
    other = sign_out_many(at_contoso, megan, people, needs_approval=None)
    fields = ("state", "approver_id", "approver_user_id", "approved_digest", "approved_at", "approval_expires_at")
    RevocationRequest.objects.filter(pk=other.pk).update(**{f: getattr(request_of_megan, f) for f in fields})

    run(at_contoso)

    assert set(states(other)) == {"waiting"}


LOSSES = {
    "demoted": lambda person: Membership.objects.filter(pk=person.membership.pk).update(roles=["user"]),
    "without membership": lambda person: Membership.objects.filter(pk=person.membership.pk).delete(),
    "switched off": lambda person: User.objects.filter(pk=person.user.pk).update(is_active=False),
    "deleted": lambda person: User.objects.filter(pk=person.user.pk).delete(),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_an_approver_who_lost_the_right_no_longer_counts(at_contoso, entra, request_of_megan, isaiah, loss):
    services.approve(request_of_megan, actor(isaiah), request_of_megan.digest)
    LOSSES[loss](isaiah)

    run(at_contoso)

    request_of_megan.refresh_from_db()
    assert (request_of_megan.state, request_of_megan.approver_id) == (State.AWAITING_APPROVAL, "")
    assert not calls(entra, "POST", "revokeSignInSessions")


def test_the_second_of_two_approvers_is_told_that_it_is_decided(request_of_megan, isaiah, robin):
    services.approve(request_of_megan, actor(isaiah), request_of_megan.digest)

    with pytest.raises(services.NotApproved):
        services.approve(request_of_megan, actor(isaiah), request_of_megan.digest)
    assert trail(request_of_megan).count("request.approved") == 1


def test_a_rejected_request_is_closed_for_good(at_contoso, entra, request_of_megan, isaiah):
    services.reject(request_of_megan, actor(isaiah), request_of_megan.digest, reason="No")

    with pytest.raises(services.NotApproved):
        services.approve(request_of_megan, actor(isaiah), request_of_megan.digest)
    assert set(states(request_of_megan)) == {"cancelled"}


def test_a_request_nobody_decides_about_expires(at_contoso, entra, request_of_megan, isaiah):
    RevocationRequest.objects.update(approval_expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(services.NotApproved):
        services.approve(request_of_megan, actor(isaiah), request_of_megan.digest)

    sweeper.sweep()

    request_of_megan.refresh_from_db()
    assert request_of_megan.state == State.EXPIRED
    assert "request.expired" in trail(request_of_megan)


def test_an_approval_that_was_not_used_in_time_runs_out(at_contoso, entra, request_of_megan, isaiah):
    services.approve(request_of_megan, actor(isaiah), request_of_megan.digest)
    RevocationRequest.objects.update(approval_expires_at=timezone.now() - timedelta(seconds=1))

    run(at_contoso)

    assert "approval.voided" in trail(request_of_megan)
    assert not calls(entra, "POST", "revokeSignInSessions")


def test_an_approval_in_use_covers_the_rest(at_contoso, entra, request_of_megan, isaiah):
    services.approve(request_of_megan, actor(isaiah), request_of_megan.digest)
    later = request_of_megan.steps.filter(position__gt=1)
    later.update(not_before=timezone.now() + timedelta(hours=1))
    one_round(at_contoso)
    RevocationRequest.objects.update(approval_expires_at=timezone.now() - timedelta(seconds=1))
    later.update(not_before=None)

    run(at_contoso)

    assert set(states(request_of_megan)) == {"verified"}


def test_an_override_needs_the_tenants_leave_and_a_reason(at_contoso, entra, request_of_megan, megan, isaiah):
    digest = request_of_megan.digest
    with pytest.raises(services.NotApproved):
        services.override(request_of_megan, actor(megan), digest, reason="Now")
    at_contoso.allow_emergency_override = True
    at_contoso.save()
    request_of_megan.refresh_from_db()
    with pytest.raises(services.NotApproved):
        services.override(request_of_megan, actor(megan), digest, reason=" ")

    services.override(request_of_megan, actor(megan), digest, reason="Accounts are being emptied")
    run(at_contoso)

    assert set(states(request_of_megan)) == {"verified"}
    entry = AuditEntry.objects.get(event=AuditEvent.REVOCATION_OVERRIDDEN)
    assert entry.reason == "Accounts are being emptied"


def test_an_app_deletion_needs_approval_where_the_tenant_wants_it(at_contoso, entra, megan):
    at_contoso.approve_app_deletion = True
    at_contoso.save()
    request = services.submit(
        tenant=at_contoso,
        actor=actor(megan),
        kind="delete_app",
        title="Delete an app",
        steps=[StepDraft("delete_app", "app", "00000000-0000-4000-8000-000000000003", "An app")],
    )

    assert request.state == State.AWAITING_APPROVAL
    assert RevocationStep.objects.get().state == "waiting"
