"""How many people one person hits alone is counted over an hour, and for every change by what it takes from whom."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from directory.models import AppRoleAssignment, Collection, PermissionGrant, ServicePrincipal
from graph.types import Grant
from revocation import actions, services
from revocation.actions import delete_app, delete_assignment, delete_grant, set_app_enabled
from revocation.lists import containment
from revocation.models import RevocationRequest
from revocation.rules.hits import Hits
from tests.revocation.conftest import *  # noqa: F403
from tests.revocation.spine import actor, copy_of, sign_out_many

NAMES = ["Adele Vance", "Johanna Lorenz", "Lee Gu", "Pradeep Gupta", "Nestor Wilke"]


@pytest.fixture
def people(at_contoso, entra, world):
    """Five people of a tenant that lets one person hit two."""
    at_contoso.approval_threshold = 2
    at_contoso.save()
    Collection.objects.create(tenant=at_contoso, kind=Collection.Kind.PEOPLE, complete_at=timezone.now())
    known = [copy_of(at_contoso, world, name) for name in NAMES]
    return [{"id": str(person.pk), "displayName": person.display_name} for person in known]


@pytest.fixture
def app(at_contoso, people):
    """An app that three people let act for them, and a fourth is assigned to."""
    now = timezone.now()
    found = ServicePrincipal.objects.create(
        tenant=at_contoso, id=uuid4(), app_id=uuid4(), display_name="Mail Sidekick", synced_at=now
    )
    for one in people[:3]:
        PermissionGrant.objects.create(
            tenant=at_contoso,
            graph_id=f"grant-{uuid4()}",
            client=found,
            resource=found,
            principal_id=one["id"],
            consent_type="Principal",
            synced_at=now,
        )
    assign(found, people[3]["id"], "User")
    return found


def assign(app, principal_id, kind: str) -> AppRoleAssignment:
    return AppRoleAssignment.objects.create(
        tenant=app.tenant,
        graph_id=f"assignment-{uuid4()}",
        resource=app,
        principal_id=principal_id,
        principal_type=kind,
        app_role_id=uuid4(),
        synced_at=timezone.now(),
    )


def ask(by, people) -> str:
    return sign_out_many(by.tenant, by, people, needs_approval=None).state


def submit(by, *steps) -> RevocationRequest:
    return services.submit(
        tenant=by.tenant, actor=actor(by), kind="disable_app", title="Change", steps=steps, run_inline=False
    )


def test_short_lists_within_an_hour_are_one_long_list(people, henrietta, megan):
    assert ask(henrietta, people[:2]) == "running"
    assert ask(henrietta, people[2:4]) == "awaiting_approval"
    assert ask(megan, people[2:4]) == "running"  # another asker's hour is their own

    RevocationRequest.objects.update(created_at=timezone.now() - timedelta(minutes=61))

    assert ask(henrietta, people[2:4]) == "running"


def test_the_same_people_again_are_no_more_people(people, henrietta):
    assert ask(henrietta, people[:2]) == "running"
    RevocationRequest.objects.update(state="finished")

    assert ask(henrietta, [people[1]]) == "running"
    assert ask(henrietta, [people[0]]) == "running"


def test_what_somebody_else_agreed_to_or_nobody_did_counts_no_more(people, henrietta, isaiah):
    first = sign_out_many(henrietta.tenant, henrietta, people[:3], needs_approval=None)
    second = sign_out_many(henrietta.tenant, henrietta, people[2:5], needs_approval=None)
    services.approve(first, actor(isaiah), first.digest)
    services.reject(second, actor(isaiah), reason="No")

    assert ask(henrietta, people[3:]) == "running"


def test_nobody_needs_leave_for_themselves(people, henrietta):
    at_contoso = henrietta.tenant
    at_contoso.approval_threshold = 0
    at_contoso.save()

    assert ask(henrietta, [{"id": str(henrietta.object_id), "displayName": "Henrietta"}]) == "running"
    assert ask(henrietta, people[:1]) == "awaiting_approval"


def test_taking_an_app_away_hits_whoever_uses_it(people, app, megan):
    for step in (delete_app.step(app), set_app_enabled.disable(app)):
        request = submit(megan, step)

        assert (request.state, request.people_count) == ("awaiting_approval", 4)


def test_giving_it_back_hits_nobody(people, app, megan):
    request = submit(megan, set_app_enabled.enable(app))

    assert (request.state, request.people_count) == ("running", 0)


def test_a_consent_for_everyone_is_everybodys(people, app, megan):
    grant = {"id": "x", "clientId": str(app.pk), "resourceId": str(app.pk), "consentType": "AllPrincipals"}
    request = submit(megan, delete_grant.step(Grant.read(grant | {"scope": "Mail.Read", "principalId": None})))

    assert (request.state, request.people_count) == ("awaiting_approval", len(NAMES))


def test_how_many_everybody_is_may_not_be_known(people, app, megan):
    Collection.objects.filter(kind=Collection.Kind.PEOPLE).update(complete_at=None)
    megan.tenant.approval_threshold = 1_000_000
    megan.tenant.save()
    group = assign(app, uuid4(), "Group")

    assert submit(megan, delete_assignment.step(group)).state == "awaiting_approval"
    assert submit(megan, delete_assignment.step(assign(app, uuid4(), "ServicePrincipal"))).state == "running"
    assert submit(megan, set_app_enabled.disable(app)).state == "awaiting_approval"  # the group may use it


def test_an_app_within_the_hour_counts_as_many_as_used_it_then(people, app, megan):
    megan.tenant.approval_threshold = 4
    megan.tenant.save()
    assert submit(megan, delete_app.step(app)).state == "running"
    PermissionGrant.objects.all().delete()

    assert ask(megan, people[4:]) == "awaiting_approval"


def test_the_plan_says_so_before(people, app, megan):
    sign_out_many(megan.tenant, megan, people[4:], needs_approval=None)
    PermissionGrant.objects.exclude(principal_id__in=[people[0]["id"]]).delete()

    assert containment.plan(megan.tenant, app, actor(megan)).plan.needs_approval
    hits = Hits(megan.tenant)
    hits.add_people([people[0]["id"]])
    assert not hits.need_second_person(actor(megan))
    hits.add_people([people[1]["id"]])
    assert hits.need_second_person(actor(megan))


def test_every_action_that_takes_something_says_from_whom():
    takes = [action for action in actions.all_actions().values() if action.ends_sessions or action.ends_access]
    silent = {action.name for action in takes if type(action).hits is actions.Action.hits}

    assert {name for name in silent if actions.get(name).target_type != "user"} == set()
