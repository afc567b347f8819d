"""A new AUDIT_KEYS reaches one process after the other: what is sealed under a key not known yet waits for it."""

import logging

import pytest

from audit.models import AuditEntry, AuditEvent
from revocation import services
from revocation.models import RevocationRequest
from revocation.spine import executor, sweeper
from tests.revocation.spine import actor, sign_out_many, states

State = RevocationRequest.State
NEW = "c3" * 32


@pytest.fixture
def people(world) -> list[dict]:
    return [one for one in world["tenants"][0]["users"] if not one["guest"]][:3]


@pytest.fixture
def restarted(settings):
    """Turns the process that runs the test into one that has the new keys, and back."""
    old = settings.AUDIT_KEYS

    def switch(has_new: bool) -> None:
        settings.AUDIT_KEYS = [NEW, *old] if has_new else old

    return switch


def run(tenant) -> None:
    executor.turn(tenant.id, seconds=15, linger=2)


@pytest.mark.parametrize("approved", [False, True], ids=["asked", "asked and approved"])
def test_workers_without_the_new_key_leave_it_to_those_that_have_it(
    at_contoso, entra, megan, isaiah, people, restarted, approved, caplog
):
    restarted(not approved)  # asked under the new key, or asked under the old one and approved under the new
    request = sign_out_many(at_contoso, megan, people, needs_approval=approved)
    if approved:
        restarted(True)
        services.approve(request, actor(isaiah), request.digest)

    restarted(False)
    run(at_contoso)
    with caplog.at_level(logging.WARNING):
        sweeper.sweep(seconds=1)

    request.refresh_from_db()
    assert request.state == State.RUNNING
    assert set(states(request)) == {"waiting"}
    assert str(request.pk) in caplog.text
    assert not AuditEntry.objects.filter(event=AuditEvent.REVOCATION_APPROVAL_VOIDED).exists()

    restarted(True)
    run(at_contoso)
    assert set(states(request)) == {"verified"}


def test_it_is_not_called_changed_where_it_is_approved_too_early(at_contoso, entra, megan, isaiah, people, restarted):
    restarted(True)
    request = sign_out_many(at_contoso, megan, people, needs_approval=True)
    restarted(False)

    with pytest.raises(services.NotApproved, match="keys"):
        services.approve(request, actor(isaiah), request.digest)

    restarted(True)
    services.approve(request, actor(isaiah), request.digest)
    run(at_contoso)
    assert set(states(request)) == {"verified"}


def test_a_seal_that_is_none_is_still_broken(at_contoso, entra, megan, people):
    request = sign_out_many(at_contoso, megan, people)
    RevocationRequest.objects.filter(pk=request.pk).update(seal="")

    run(at_contoso)

    request.refresh_from_db()
    assert request.state == State.AWAITING_APPROVAL
