"""Rights that were lost meanwhile count for nothing: at the next check of an identity, and in an approval."""

from dataclasses import replace

import pytest

from accounts import refresh
from accounts.access import Actor
from accounts.models import Membership, User
from accounts.tenancy import no_context, tenant_context
from revocation import drafting, services
from revocation.models import RevocationRequest
from revocation.rules import approval
from revocation.services import approving
from tests.accounts.conftest import *  # noqa: F403
from tests.accounts.test_freshness import make_old
from tests.accounts.test_sign_in import ADELE
from tests.revocation.spine import actor, sign_out_many


@pytest.fixture
def provider(contoso, robin) -> Membership:
    """Fabrikam's Robin, let into Contoso as an admin."""
    with tenant_context(contoso.pk):
        return Membership.objects.create(
            tenant=contoso, user=robin.user, roles=["tenant_admin"], source=Membership.Source.GRANTED
        )


@pytest.fixture
def people(world, contoso) -> list[dict]:
    return next(one["users"] for one in world["tenants"] if one["id"] == str(contoso.id))[:2]


@pytest.fixture
def approved(contoso, entra, people, megan, provider) -> RevocationRequest:
    """Megan asked, Robin said yes."""
    with tenant_context(contoso.pk):
        request = sign_out_many(contoso, megan, people, needs_approval=True)
        return approving.approve(request, Actor.of(provider), request.digest)


def objection(request: RevocationRequest) -> str:
    """As a worker asks: in the tenant's scope and nobody's own."""
    with no_context(), tenant_context(request.tenant_id):
        return approval.objection(request)


def test_a_member_who_became_a_guest_is_signed_out_at_the_next_check(contoso, browser, entra, monkeypatch):
    browser.sign_in(ADELE)
    proved = refresh.id_token.prove
    monkeypatch.setattr(refresh.id_token, "prove", lambda *a, **k: replace(proved(*a, **k), is_guest=True))
    make_old(contoso, 700)

    assert browser.open("/").status_code == 401

    assert not browser.signed_in


def test_the_yes_of_a_provider_in_good_standing_counts(approved):
    assert objection(approved) == ""


def test_the_yes_of_a_provider_whose_account_was_switched_off_counts_no_more(robin, approved):
    with tenant_context(robin.tenant.pk):
        User.objects.filter(pk=robin.user.pk).update(is_active=False)

    assert objection(approved)


def test_the_yes_of_a_provider_whose_tenant_was_suspended_counts_no_more(robin, approved):
    robin.tenant.state = "suspended"
    robin.tenant.save()

    assert objection(approved)


def test_the_yes_of_a_provider_whose_access_was_ended_counts_no_more(contoso, provider, approved):
    with tenant_context(contoso.pk):
        provider.delete()

    assert objection(approved)


def test_a_provider_cannot_approve_their_own_request_through_either_membership(contoso, people, robin, provider):
    steps = [next(iter(drafting.sign_out(contoso, one["id"], one["displayName"]))) for one in people]
    with tenant_context(contoso.pk):
        asked = services.submit(
            tenant=contoso,
            actor=Actor.of(provider),
            kind="sign_out",
            title="Sign out",
            steps=steps,
            needs_approval=True,
            interactive=False,
        )
        for me in (Actor.of(provider), actor(robin)):
            with pytest.raises(approving.NotApproved):
                approving.approve(asked, me, asked.digest)
