"""Rules come and go through the spine: asked for, recorded, undone, ended, and the gate follows."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.access import Actor
from audit.models import AuditEntry
from b2c.models import EVERYONE, RefreshRule
from b2c.terms import Terms
from directory.models import Collection, Person
from revocation import actions, services
from revocation.models import RevocationRequest
from revocation.rules.refusals import NothingToRevoke, NotPossible, Protected
from revocation.services.refusing import objection
from revocation.steps import Sealer
from tests.b2c.conftest import INES, KARIM, POLICY, REWARDS, STORE

pytestmark = pytest.mark.django_db

IN_STORE = Terms(app_id=str(STORE), app_label="Contoso Store")
NO_COUNTRY = Terms(condition="missing", claim="country")


@pytest.fixture
def ines(at_contoso):
    now = timezone.now()
    return Person.objects.create(
        tenant=at_contoso, id=INES, display_name="Ines Moreau", upn="ines@x", synced_at=now, roles_known_at=now
    )


def by(person) -> Actor:
    return Actor.of(person.membership)


@pytest.fixture
def refused(gate, ines, henrietta, entra) -> RevocationRequest:
    return services.refuse_refresh(gate.tenant, ines, IN_STORE, actor=by(henrietta), reason="Lost phone", ticket="T-1")


def test_helpdesk_refuses_one_person_in_one_app(gate, refused, henrietta):
    (rule,) = RefreshRule.objects.all()

    assert gate.ask().status_code == 409
    assert (rule.person_id, rule.app_id, rule.is_narrow) == (INES, STORE, True)
    assert (rule.reason, rule.ticket, rule.author_label) == ("Lost phone", "T-1", henrietta.user.display_name)
    assert (refused.state, refused.title) == ("finished", "Refuse the refresh of Ines Moreau in Contoso Store")
    assert [step.state for step in refused.steps.all()] == ["verified"]
    events = AuditEntry.objects.filter(request_id=refused.pk).order_by("sequence").values_list("event", flat=True)
    assert list(events)[:1] + list(events)[-1:] == ["revocation.request.created", "revocation.request.finished"]


def test_asked_twice_at_once_it_is_one_rule(gate, ines, henrietta, refused):
    again = services.refuse_refresh(gate.tenant, ines, IN_STORE, actor=by(henrietta), reason="Lost phone", ticket="T-1")

    assert again == refused
    assert RefreshRule.objects.count() == 1


def test_a_step_that_is_carried_out_twice_makes_one_rule_of_the_first_ones_time(gate, refused):
    (step,) = refused.steps.all()
    (rule,) = RefreshRule.objects.all()

    actions.get(step.action).perform(step)

    assert list(RefreshRule.objects.values_list("pk", "issued_before")) == [(rule.pk, rule.issued_before)]


def test_undo_ends_it(gate, refused, henrietta):
    assert services.undoable(refused)

    services.undo(refused, by(henrietta))

    assert gate.ask().status_code == 200
    assert RefreshRule.objects.get().ended_by == henrietta.user.display_name


def test_ending_it_lets_the_person_go_on_and_can_be_undone(gate, refused, henrietta):
    made = RefreshRule.objects.get()

    ended = services.end_refresh_rules(gate.tenant, [made], actor=by(henrietta), reason="Found it")

    assert gate.ask().status_code == 200
    assert (ended.title, ended.state) == ("Let Ines Moreau refresh in Contoso Store again", "finished")
    services.undo(ended, by(henrietta))
    assert gate.ask().status_code == 409
    assert RefreshRule.objects.get().issued_before == made.issued_before
    with pytest.raises(NothingToRevoke):
        services.end_refresh_rules(
            gate.tenant, RefreshRule.objects.exclude(ended_at=None), actor=by(henrietta), reason="x"
        )


def test_a_rule_takes_effect_when_it_is_made_and_not_when_it_was_asked_for(gate, ines, megan, isaiah, entra):
    """Else whatever was refreshed while a second person thought about it would be younger than the rule."""
    gate.tenant.approval_threshold = 0
    gate.tenant.save()
    asked = services.refuse_refresh(gate.tenant, ines, IN_STORE, actor=by(megan), reason="x")
    assert asked.state == "awaiting_approval"
    meanwhile = timezone.now().isoformat()

    services.approve(asked, by(isaiah), asked.digest)
    services.asking.executor.run_request(asked, seconds=5)

    assert gate.ask(issuedAt=meanwhile).status_code == 409


@pytest.mark.parametrize(
    ("one_person", "terms", "helpdesk"),
    [
        (True, IN_STORE, True),
        (True, Terms(app_id=str(STORE), hours=24), True),
        (True, Terms(), False),
        (True, Terms(policy_id=POLICY.lower()), False),
        (True, Terms(app_id=str(STORE), condition="missing", claim="country"), False),
        (False, IN_STORE, False),
        (False, NO_COUNTRY, False),
    ],
)
def test_who_may_ask_for_what(gate, ines, henrietta, megan, one_person, terms, helpdesk):
    person = ines if one_person else None

    assert objection(gate.tenant, person, terms, by(megan)) == ""
    assert (objection(gate.tenant, person, terms, by(henrietta)) == "") is helpdesk
    if not helpdesk:
        with pytest.raises(NotPossible):
            services.refuse_refresh(gate.tenant, person, terms, actor=by(henrietta), reason="x")
    assert not RefreshRule.objects.exists()


def test_without_a_gate_nothing_would_ask_for_the_rule(at_contoso, ines, megan):
    with pytest.raises(NotPossible):
        services.refuse_refresh(at_contoso, ines, IN_STORE, actor=by(megan), reason="x")


def test_a_rule_for_everyone_counts_as_everyone(gate, megan, entra):
    people = [
        Person(tenant=gate.tenant, id=uuid4(), display_name="x", upn="x", synced_at=timezone.now()) for _ in range(60)
    ]
    Person.objects.bulk_create(people)
    complete = {"kind": Collection.Kind.PEOPLE, "complete_at": timezone.now()}
    Collection.objects.create(tenant=gate.tenant, **complete)

    asked = services.refuse_refresh(gate.tenant, None, NO_COUNTRY, actor=by(megan), reason="x")

    assert (asked.state, asked.people_count) == ("awaiting_approval", 60)
    assert gate.ask(objectId=str(KARIM)).status_code == 200
    assert actions.capabilities(asked.actions) == {"manage_tenant"}


def test_rules_about_everyone_are_not_helpdesks_to_end_nor_ones_own_anybodys(gate, rule, henrietta, megan):
    wide, own = rule(person_id=EVERYONE), rule(person_id=henrietta.object_id, app_id=REWARDS)

    for one in (wide, own):
        with pytest.raises(NotPossible):
            services.end_refresh_rules(gate.tenant, [one], actor=by(henrietta), reason="x")
    services.end_refresh_rules(gate.tenant, [wide, own], actor=by(megan), reason="x")
    assert not RefreshRule.objects.in_force().exists()


def test_whom_a_rule_protects_from_helpdesk_is_not_refused_either(gate, ines, henrietta, entra):
    ines.role_template_ids = ["62e90394-69f5-4237-9190-012177145e10"]  # Global Administrator
    ines.save()

    with pytest.raises(Protected):
        services.refuse_refresh(gate.tenant, ines, IN_STORE, actor=by(henrietta), reason="x")

    assert AuditEntry.objects.filter(event="revocation.request.refused", action="refuse_refresh").count() == 1


def test_a_rule_that_ran_out_refuses_nothing(gate, ines, megan, entra):
    services.refuse_refresh(gate.tenant, ines, Terms(app_id=str(STORE), hours=1), actor=by(megan), reason="x")
    assert gate.ask().status_code == 409

    RefreshRule.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert gate.ask().status_code == 200


def test_what_was_changed_by_hand_is_not_carried_out(gate, ines, megan, entra):
    asked = services.refuse_refresh(gate.tenant, ines, IN_STORE, actor=by(megan), reason="x")
    (step,) = asked.steps.all()

    step.params = {**step.params, "app_id": str(REWARDS)}

    assert not Sealer(gate.tenant.pk).holds(step)
