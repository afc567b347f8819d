"""Whoever holds the database's password writes rows: none of them lets anybody in, or has anything done again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import keys, refresh, services as accounts
from accounts.access import Actor
from accounts.models import Membership, Tenant, User
from accounts.tenancy import tenant_context
from revocation import services
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules import two_persons
from revocation.rules.refusals import NotApproved
from revocation.spine import sweeper
from tenants import services as tenants
from tests.revocation.conftest import *  # noqa: F403
from tests.revocation.spine import actor, calls, one_round, sign_out_many, trail


@pytest.fixture
def people(world):
    return [one for one in world["tenants"][0]["users"] if not one["guest"]][:2]


def alive_again(request, state: str = "running") -> None:
    RevocationRequest.objects.filter(pk=request.pk).update(state=state, finished_at=None)
    RevocationStep.objects.filter(request=request).update(state="waiting", finished_at=None, accepted_at=None)


@pytest.mark.parametrize("end", ["finished", "cancelled", "rejected"])
def test_what_is_over_is_not_begun_again(at_contoso, entra, megan, isaiah, people, end):
    request = sign_out_many(at_contoso, megan, people, needs_approval=end == "rejected")
    if end == "cancelled":
        services.cancel(request, actor(megan))
    elif end == "rejected":
        services.reject(request, actor(isaiah), reason="No")
        RevocationRequest.objects.filter(pk=request.pk).update(needs_approval=True)
    else:
        for _ in range(2):
            one_round(at_contoso)
            RevocationStep.objects.update(not_before=None)
            RevocationStep.objects.filter(state="accepted").update(not_before=timezone.now())
        one_round(at_contoso)
        request.refresh_from_db()
        assert request.state == "finished"
    called = len(calls(entra, "POST", "revokeSignInSessions"))
    alive_again(request)

    one_round(at_contoso)

    request.refresh_from_db()
    assert request.state == end
    assert set(request.steps.values_list("state", flat=True)) == {"cancelled"}
    assert len(calls(entra, "POST", "revokeSignInSessions")) == called
    assert trail(request)[-1] == "request.cancelled"


def test_nor_is_it_approved_again(at_contoso, entra, megan, isaiah, people):
    request = sign_out_many(at_contoso, megan, people, needs_approval=True)
    services.reject(request, actor(isaiah), reason="No")
    alive_again(request, "awaiting_approval")

    with pytest.raises(NotApproved, match="over already"):
        services.approve(request, actor(isaiah), request.digest)


@pytest.mark.parametrize("by_hand", ["row", "roles", "source"])
def test_nobody_is_let_in_by_a_row(client, sign_in, contoso, robin, megan, by_hand):
    with tenant_context(contoso.pk):
        if by_hand == "row":
            Membership.objects.bulk_create(
                [Membership(tenant=contoso, user=robin.user, roles=["tenant_admin"], source="granted")]
            )
        else:
            accounts.grant_membership(contoso, robin.user, ["auditor"], actor=Actor.of(megan.membership))
            changed = {"roles": ["tenant_admin"]} if by_hand == "roles" else {"source": "entra"}
            Membership.objects.filter(user_id=robin.user.pk).update(**changed)
    sign_in(client, robin)

    assert client.get("/t/contoso/people/").status_code == 404
    assert client.get("/t/fabrikam/people/").status_code == 200


def test_what_was_given_by_the_portal_lets_in(client, sign_in, contoso, robin, megan):
    accounts.grant_membership(contoso, robin.user, ["helpdesk"], actor=Actor.of(megan.membership))
    sign_in(client, robin)

    assert client.get("/t/contoso/people/").status_code == 200


def test_a_check_of_an_identity_that_is_yet_to_come_is_none(contoso, adele, entra):
    with tenant_context(contoso.pk):
        User.objects.filter(pk=adele.user.pk).update(identity_checked_at=timezone.now() + timedelta(days=300))
        adele.user.refresh_from_db()

        assert refresh.keep_fresh(adele.user).freshness is not refresh.Freshness.FRESH


@pytest.mark.parametrize(
    "by_hand",
    [
        {"approval_threshold": 10_000},
        {"approve_app_deletion": False},
        {"allow_emergency_override": True},
        {"break_glass_ids": []},
        {"stricter_until": None},
        {"rule_seal": ""},
    ],
    ids=lambda one: next(iter(one)),
)
def test_a_rule_of_two_persons_that_was_written_by_hand_is_the_strictest(at_contoso, megan, people, by_hand):
    strict = {"approval_threshold": 3, "approve_app_deletion": True, "break_glass_ids": [megan.object_id]}
    tenants.change(at_contoso, strict, actor=actor(megan))
    tenants.change(at_contoso, {"approval_threshold": 5}, actor=actor(megan))
    tenant = Tenant.objects.get(pk=at_contoso.pk)
    assert two_persons.in_force(tenant).threshold == 3

    Tenant.objects.filter(pk=tenant.pk).update(**by_hand)
    tenant.refresh_from_db()

    rule = two_persons.in_force(tenant)
    assert (rule.threshold, rule.deletions, rule.override) == (0, True, False)
    assert sign_out_many(tenant, megan, people[:1], needs_approval=None).needs_approval


def test_an_administrator_sets_it_right_and_it_holds_a_day_later(client, sign_in, contoso, megan):
    Tenant.objects.filter(pk=contoso.pk).update(approval_threshold=10_000)
    sign_in(client, megan)
    assert "not the one that was saved here" in client.get("/t/contoso/settings/").content.decode()
    tenant = Tenant.objects.get(pk=contoso.pk)

    with tenant_context(contoso.pk):
        tenants.change(tenant, {"approval_threshold": 50}, actor=actor(megan))

    assert two_persons.is_sealed(tenant)
    assert two_persons.in_force(tenant).threshold == 0
    tenant.stricter_until = timezone.now() - timedelta(seconds=1)
    tenant.save()
    assert two_persons.in_force(tenant).threshold == 50


def test_seals_move_to_the_newest_key(at_contoso, robin, megan, settings, monkeypatch):
    accounts.grant_membership(at_contoso, robin.user, ["helpdesk"], actor=actor(megan))
    monkeypatch.setattr(sweeper, "_began", -1e9)
    settings.AUDIT_KEYS = ["b2" * 32, *settings.AUDIT_KEYS]

    sweeper._renew_seals(at_contoso.pk)

    at_contoso.refresh_from_db()
    member = Membership.objects.get(source="granted")
    assert at_contoso.rule_seal.startswith(keys.newest())
    assert member.seal.startswith(keys.newest())
    settings.AUDIT_KEYS = settings.AUDIT_KEYS[:1]
    assert two_persons.is_sealed(at_contoso)
    assert member.holds(None)
