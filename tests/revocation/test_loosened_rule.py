"""One administrator loosens the rule of two persons, acts alone, and puts it back: the stricter rule still held."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEntry, AuditEvent
from revocation.rules import two_persons
from revocation.rules.refusals import NotApproved
from revocation.rules.two_persons import Rule
from revocation.services import approving
from tenants import services
from tests.revocation.spine import actor, sign_out_many

pytestmark = pytest.mark.django_db

LOOSE = {"approval_threshold": 10_000, "approve_app_deletion": False, "allow_emergency_override": True}


@pytest.fixture
def strict(at_contoso):
    at_contoso.approval_threshold, at_contoso.approve_app_deletion = 3, True
    at_contoso.save()
    return at_contoso


@pytest.fixture
def people(world) -> list[dict]:
    return [one for one in world["tenants"][0]["users"] if not one["guest"]]


def change(tenant, megan, **values):
    services.change(tenant, values, actor=actor(megan))
    tenant.refresh_from_db()


def a_day_passes(tenant):
    tenant.stricter_until = timezone.now() - timedelta(seconds=1)
    tenant.save()


def test_a_list_asked_for_after_it_still_waits_for_a_second_person(strict, entra, megan, people):
    change(strict, megan, **LOOSE)

    request = sign_out_many(strict, megan, people, needs_approval=None)

    assert request.state == "awaiting_approval"
    with pytest.raises(NotApproved):
        approving.override(request, actor(megan), request.digest, reason="An emergency")


def test_after_a_day_the_looser_rule_holds(strict, entra, megan, people):
    change(strict, megan, **LOOSE)
    a_day_passes(strict)

    assert two_persons.in_force(strict) == two_persons.saved(strict) == Rule(10_000, False, True)
    assert sign_out_many(strict, megan, people, needs_approval=None).state == "running"


def test_a_stricter_rule_holds_at_once(strict, megan):
    change(strict, megan, approval_threshold=1)

    assert two_persons.in_force(strict) == Rule(1, True, False)
    assert strict.stricter_until is None


def test_loosening_step_by_step_gains_nothing(strict, megan):
    for threshold in (5, 50, 500):
        change(strict, megan, approval_threshold=threshold)
    change(strict, megan, allow_emergency_override=True)

    assert two_persons.in_force(strict) == Rule(3, True, False)
    assert strict.stricter_until > timezone.now() + timedelta(hours=23)


def test_other_settings_do_not_prolong_it(strict, megan):
    change(strict, megan, **LOOSE)
    until = strict.stricter_until

    change(strict, megan, write_share_percent=60)

    assert strict.stricter_until == until


def test_putting_it_back_is_in_force_at_once_and_both_are_on_the_record(strict, megan):
    change(strict, megan, **LOOSE)
    change(strict, megan, approval_threshold=3, approve_app_deletion=True, allow_emergency_override=False)

    assert two_persons.still_stricter(strict) is None
    loosened, _back = AuditEntry.objects.filter(event=AuditEvent.TENANT_CHANGED).order_by("sequence")
    assert loosened.after["stricter_rule_until"]


def test_the_page_says_which_rule_holds(strict, megan, client, sign_in):
    change(strict, megan, **LOOSE)

    page = sign_in(client, megan).get(reverse("tenants:settings", args=["contoso"])).content.decode()

    assert "a second approver above 3 people" in page
    assert "nobody may override a missing approval" in page
