"""A role that was given a moment ago protects its holder: when a list is confirmed, approved, and at each call."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Membership
from accounts.tenancy import tenant_context
from directory.models import Collection, Person
from revocation import services
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules.refusals import NotApproved, Unreachable
from tests.revocation.conftest import *  # noqa: F403
from tests.revocation.pages import confirmed, preview_of
from tests.revocation.spine import actor, calls, copy_of, one_round, sign_out_many, states, trail


@pytest.fixture
def johanna(at_contoso, entra, world):
    return copy_of(at_contoso, world, "Johanna Lorenz")


@pytest.fixture
def adele_too(at_contoso, entra, world):
    return copy_of(at_contoso, world, "Adele Vance")


@pytest.fixture
def promote(entra, at_contoso):
    """Somebody becomes Global Administrator in Entra; the portal's copy has last been read an hour ago."""

    def given(person: Person, *roles: str) -> None:
        change = {"tenant": str(at_contoso.pk), "do": "set_roles", "user": person.upn}
        entra.control("POST", "world", json=change | {"roles": roles or ["Global Administrator"]})
        read_an_hour_ago()

    return given


def read_an_hour_ago() -> None:
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Collection.objects.filter(kind=Collection.Kind.ROLES).update(complete_at=an_hour_ago)
    Person.objects.update(roles_known_at=an_hour_ago)


def listed(*people: Person) -> list[dict]:
    return [{"id": str(one.pk), "displayName": one.display_name} for one in people]


def test_when_a_list_is_confirmed(client, sign_in, henrietta, johanna, adele_too, promote):
    sign_in(client, henrietta)
    draft = preview_of(client, source="paste", text=f"{johanna.upn}\n{adele_too.upn}").context["draft"]
    promote(johanna)

    page = confirmed(client, draft, follow=True)

    assert "changed since this preview" in page.content.decode()
    with tenant_context(henrietta.tenant.pk):
        assert not RevocationRequest.objects.exists()


def test_when_it_is_approved(at_contoso, henrietta, isaiah, johanna, adele_too, promote):
    request = sign_out_many(at_contoso, henrietta, listed(johanna, adele_too), needs_approval=True)
    promote(johanna)

    with pytest.raises(NotApproved, match="Global Administrator"):
        services.approve(request, actor(isaiah), request.digest)

    request.refresh_from_db()
    assert request.state == "awaiting_approval"


def test_at_the_call(at_contoso, entra, henrietta, johanna, adele_too, promote):
    request = sign_out_many(at_contoso, henrietta, listed(johanna, adele_too))
    promote(johanna)

    one_round(at_contoso)

    steps = {step.target_id: step for step in request.steps.all()}
    assert steps[str(johanna.pk)].state == "failed"
    assert steps[str(johanna.pk)].outcome_code == "protected"
    assert "Global Administrator" in steps[str(johanna.pk)].outcome
    assert steps[str(adele_too.pk)].state == "accepted"
    assert not [one for one in calls(entra, "POST", "revokeSignInSessions") if str(johanna.pk) in one["path"]]
    assert "step.failed" in trail(request)


def test_at_the_call_of_an_approved_one_the_approver_counts_too(at_contoso, megan, isaiah, johanna, adele_too, promote):
    promote(copy_of_actor(at_contoso, megan), "Global Administrator")
    promote(copy_of_actor(at_contoso, isaiah), "Global Administrator")
    request = sign_out_many(at_contoso, megan, listed(johanna, adele_too), needs_approval=True)
    promote(johanna)
    services.approve(request, actor(isaiah), request.digest)
    promote(Person.objects.get(pk=isaiah.object_id), "Helpdesk Administrator")

    one_round(at_contoso)

    assert sorted(states(request)) == ["accepted", "failed"]


def copy_of_actor(tenant, person) -> Person:
    now = timezone.now()
    return Person.objects.create(
        tenant=tenant, pk=person.object_id, display_name=str(person.user), upn=person.upn, synced_at=now
    )


def test_an_asker_who_lost_their_role_reaches_as_far_as_helpdesk(at_contoso, megan, johanna, adele_too, promote):
    promote(johanna, "User Administrator")
    request = sign_out_many(at_contoso, megan, listed(johanna, adele_too))
    Membership.objects.filter(pk=megan.membership.pk).update(roles=["user"])

    one_round(at_contoso)

    assert sorted(states(request)) == ["accepted", "failed"]


def test_where_microsoft_cannot_be_asked_a_list_is_not_begun(at_contoso, entra, henrietta, isaiah, johanna, adele_too):
    request = sign_out_many(at_contoso, henrietta, listed(johanna, adele_too), needs_approval=True)
    read_an_hour_ago()
    entra.faults({"path": "/roleManagement", "status": 400})

    with pytest.raises(Unreachable, match="could not be read just now"):
        services.approve(request, actor(isaiah), request.digest)


def test_a_worker_that_may_not_read_roles_asks_no_more_for_a_while(at_contoso, entra, henrietta, johanna, adele_too):
    sign_out_many(at_contoso, henrietta, listed(johanna, adele_too))
    read_an_hour_ago()
    entra.faults({"path": "/roleManagement", "status": 403})

    for _ in range(3):
        one_round(at_contoso)
        RevocationStep.objects.update(state="waiting", lease_until=None, called_at=None, not_before=None)

    assert len(calls(entra, "GET", "/roleManagement")) == 1
