"""Whoever can write rows can make nobody's yes out of them: requests and approvals carry seals from outside."""

import pytest
from django.utils import timezone

from revocation import services
from revocation.models import RevocationRequest
from revocation.spine import executor
from tests.revocation.spine import actor, calls, sign_out_many, states

State = RevocationRequest.State


@pytest.fixture
def waiting(at_contoso, entra, world, megan):
    """Megan asked for people to be signed out; a second person has to agree."""
    people = [one for one in world["tenants"][0]["users"] if not one["guest"]][:3]
    return sign_out_many(at_contoso, megan, people, needs_approval=True)


def run(tenant) -> None:
    executor.turn(tenant.id, seconds=15, linger=2)


def edit(request: RevocationRequest, **columns) -> None:
    RevocationRequest.objects.filter(pk=request.pk).update(**columns)


def nothing_was_done(request, entra) -> bool:
    return set(states(request)) == {"waiting"} and not calls(entra, "POST", "revokeSignInSessions")


def test_a_request_that_was_told_to_need_no_approval_waits_all_the_same(at_contoso, entra, waiting):
    edit(waiting, needs_approval=False, state=State.RUNNING)
    run(at_contoso)

    assert nothing_was_done(waiting, entra)
    waiting.refresh_from_db()
    assert waiting.state == State.AWAITING_APPROVAL


def test_an_approval_written_into_the_row_is_none(at_contoso, entra, waiting, isaiah):
    edit(
        waiting,
        state=State.RUNNING,
        approver_id=str(isaiah.object_id),
        approver_user_id=isaiah.user.pk,
        approver_label="Isaiah Langer",
        approved_digest=waiting.digest,
        approved_at=timezone.now(),
    )
    run(at_contoso)

    assert nothing_was_done(waiting, entra)


def test_an_approval_copied_from_another_request_is_none(at_contoso, entra, world, megan, isaiah, waiting):
    other = sign_out_many(
        at_contoso, megan, [world["tenants"][0]["users"][0], world["tenants"][0]["users"][1]], needs_approval=True
    )
    services.approve(other, actor(isaiah), other.digest)
    other.refresh_from_db()
    names = ["approver_id", "approver_user_id", "approver_label", "approved_at", "approval_seal"]
    edit(waiting, state=State.RUNNING, approved_digest=waiting.digest, **{name: getattr(other, name) for name in names})
    executor.run_request(waiting, seconds=3)

    assert set(states(waiting)) == {"waiting"}


def test_nobody_can_approve_a_request_whose_author_was_exchanged(at_contoso, entra, waiting, megan, isaiah):
    edit(waiting, actor_id=str(isaiah.object_id), actor_label="Isaiah Langer")

    with pytest.raises(services.NotApproved, match="changed after it was asked for"):
        services.approve(waiting, actor(megan), waiting.digest)


def test_a_request_edited_by_hand_is_not_carried_out_even_without_approval(at_contoso, entra, world, megan):
    people = [world["tenants"][0]["users"][0]]
    request = sign_out_many(at_contoso, megan, people, needs_approval=False)
    edit(request, actor_id="someone-else")
    run(at_contoso)

    assert nothing_was_done(request, entra)
