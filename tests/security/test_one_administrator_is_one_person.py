"""Two persons are two persons: whom an administrator lets in is no second one, and what is passed on ends too."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import services as accounts
from accounts.access import Actor
from accounts.models import Membership
from accounts.tenancy import no_context, tenant_context
from directory.models import Person as DirectoryPerson
from revocation import selectors, services
from revocation.rules import approval, protection
from revocation.rules.refusals import NotApproved
from tenants import services as tenants
from tests.factories import make_person, make_tenant
from tests.revocation.conftest import *  # noqa: F403
from tests.revocation.spine import actor, sign_out_many

TAILSPIN = "33333333-3333-4333-8333-333333333333"
LONG_AGO = timezone.now() - timedelta(days=30)


@pytest.fixture
def tara(db):
    """The admin of an organisation that anybody can connect in a minute."""
    tailspin = make_tenant(TAILSPIN, "Tailspin", "tailspin.example")
    return make_person(tailspin, "7a7a7a7a-0000-4000-8000-000000000001", "Tara Young", "tenant_admin")


def let_in(tenant, person, by, *roles: str) -> Membership:
    by = by if isinstance(by, Membership) else by.membership
    member = accounts.grant_membership(tenant, person.user, roles or ["tenant_admin"], actor=Actor.of(by))
    member.user = person.user  # whose account another tenant's scope does not show
    return member


def long_ago(tenant) -> None:
    with tenant_context(tenant.pk):
        for member in Membership.objects.filter(tenant=tenant, source="granted"):
            member.granted_at = LONG_AGO
            member.save()


@pytest.fixture
def asked(at_contoso, entra, world, megan):
    people = [one for one in world["tenants"][0]["users"] if not one["guest"]][:3]
    return lambda by=megan: sign_out_many(at_contoso, by, people, needs_approval=True)


def test_somebody_let_in_just_now_approves_nothing(at_contoso, asked, tara, isaiah):
    member = let_in(at_contoso, tara, isaiah)

    with pytest.raises(NotApproved, match="less than 24 hours"):
        services.approve(request := asked(), Actor.of(member), request.digest)

    assert request.steps.filter(state="waiting").count() == 3


def test_a_day_later_they_do(at_contoso, asked, tara, isaiah):
    member = let_in(at_contoso, tara, isaiah)
    long_ago(at_contoso)
    request = asked()

    assert services.approve(request, Actor.of(member), request.digest).state == "running"
    request.refresh_from_db()
    with no_context(), tenant_context(at_contoso.pk):
        assert approval.objection(request) == ""


def test_but_never_what_was_asked_by_whoever_let_them_in(at_contoso, asked, tara, megan):
    member = let_in(at_contoso, tara, megan)
    long_ago(at_contoso)

    with pytest.raises(NotApproved, match="let the approver in"):
        services.approve(request := asked(), Actor.of(member), request.digest)


def test_nor_through_somebody_in_between(at_contoso, asked, tara, robin, megan):
    member = let_in(at_contoso, robin, let_in(at_contoso, tara, megan))
    long_ago(at_contoso)

    with pytest.raises(NotApproved, match="let the approver in"):
        services.approve(request := asked(), Actor.of(member), request.digest)


def test_nor_does_an_administrator_approve_what_their_newcomer_asks(at_contoso, world, tara, megan, isaiah):
    member = let_in(at_contoso, tara, megan)
    people = [one for one in world["tenants"][0]["users"] if not one["guest"]][:3]
    request = services.submit(
        tenant=at_contoso,
        actor=Actor.of(member),
        kind="sign_out",
        title="Sign out",
        steps=sign_out_steps(at_contoso, people),
        needs_approval=True,
    )

    with pytest.raises(NotApproved, match="let in whoever asked"):
        services.approve(request, actor(megan), request.digest)
    with tenant_context(at_contoso.pk):
        assert selectors.approvers(request) == ["Isaiah Langer"], "who would be refused is not named"
    assert services.approve(request, actor(isaiah), request.digest).state == "running"


def sign_out_steps(tenant, people):
    from revocation import drafting

    return [next(iter(drafting.sign_out(tenant, one["id"], one["displayName"]))) for one in people]


def test_a_yes_written_into_the_rows_by_such_a_member_is_voided(at_contoso, asked, tara, isaiah, megan):
    member = let_in(at_contoso, tara, isaiah)
    long_ago(at_contoso)
    request = services.approve(waiting := asked(), Actor.of(member), waiting.digest)
    assert approval.objection(request) == ""

    member.refresh_from_db()
    member.let_in_by = [str(megan.object_id)]
    member.save()

    assert "let the approver in" in approval.objection(request)


def test_wider_roles_count_a_day_after_they_were_given(at_contoso, asked, tara, isaiah):
    let_in(at_contoso, tara, isaiah, "helpdesk")
    long_ago(at_contoso)
    member = let_in(at_contoso, tara, isaiah, "helpdesk", "tenant_admin")

    with pytest.raises(NotApproved, match="less than 24 hours"):
        services.approve(request := asked(), Actor.of(member), request.digest)


def test_giving_the_same_again_starts_no_new_day(at_contoso, tara, isaiah):
    let_in(at_contoso, tara, isaiah)
    long_ago(at_contoso)

    assert let_in(at_contoso, tara, isaiah).granted_at == LONG_AGO


def test_what_an_outsider_passed_on_ends_with_them(at_contoso, tara, robin, megan, isaiah):
    member = let_in(at_contoso, tara, megan)
    let_in(at_contoso, robin, member)
    other = make_person(tara.tenant, "7a7a7a7a-0000-4000-8000-000000000002", "Tom Tailor", "tenant_admin")
    let_in(at_contoso, other, isaiah)

    accounts.revoke_membership(member, actor=actor(megan))

    left = Membership.objects.filter(tenant=at_contoso, source="granted")
    assert [one.user_id for one in left] == [other.user.pk]


def test_an_emergency_account_is_protected_for_a_day_after_it_was_taken_off_the_list(at_contoso, megan):
    account = DirectoryPerson.objects.create(
        tenant=at_contoso,
        id="7a7a7a7a-0000-4000-8000-00000000000e",
        display_name="Break glass",
        upn="glass@contoso.example",
        roles_known_at=timezone.now(),
        synced_at=timezone.now(),
    )
    account.refresh_from_db()
    tenants.change(at_contoso, {"break_glass_ids": [account.pk]}, actor=actor(megan))
    tenants.change(at_contoso, {"break_glass_ids": []}, actor=actor(megan))

    assert "emergency" in protection.refusals(at_contoso, [account.pk], actor(megan))[account.pk].lower()

    at_contoso.stricter_until = timezone.now() - timedelta(seconds=1)
    at_contoso.save()
    assert protection.refusals(at_contoso, [account.pk], actor(megan)) == {}
