"""The plan before the button: writes, time from the quota as it stands, and what is already queued."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from portal import metrics
from revocation import notices, planning
from revocation.spine import budget, executor, readings
from tests.factories import make_person
from tests.revocation.copies import NOW, asked, crowd, finish, in_copy, put

pytestmark = pytest.mark.django_db
WINDOW = timedelta(seconds=150.5)  # Microsoft's, and the margin for its clock


@pytest.fixture
def megan(contoso):
    return make_person(contoso, uuid4(), "Megan Bowen", "tenant_admin")


@pytest.fixture
def quota(settings):
    settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITE_SECONDS = 3000, 150.0


def used(key: str, **fields) -> None:
    quota = readings.fresh(key, budget.tenant_rule(), timezone.now())
    for name, value in fields.items():
        setattr(quota, name, value)
    quota.save()


def plan(tenant, writes, **options):
    with tenant_context(tenant.pk):
        return planning.plan(tenant, ["revoke_sessions"] * writes, people=writes, **options)


# --- Time from the quota --------------------------------------------------------------------------------


@pytest.mark.parametrize(("writes", "windows"), [(0, 0), (2400, 0), (2401, 1), (4800, 1), (4801, 2), (10_000, 4)])
def test_a_mass_action_takes_its_share_of_each_window(contoso, quota, writes, windows):
    took = plan(contoso, writes).duration

    assert took == pytest.approx(windows * WINDOW, abs=timedelta(seconds=1))


@pytest.mark.parametrize(("reading", "seconds"), [("", 4 * 150.5), ("windows", 4 * 150.5), ("continuous", 475)])
def test_the_time_is_that_of_the_reading_that_was_seen(contoso, quota, reading, seconds):
    used(f"tenant:{contoso.pk}", reading=reading)

    assert plan(contoso, 10_000).duration.total_seconds() == pytest.approx(seconds, abs=2)


def test_an_urgent_one_takes_the_whole_window(contoso, quota):
    assert plan(contoso, 2980, high_priority=True).duration == timedelta()
    assert plan(contoso, 2980).duration > timedelta()


def test_what_is_already_used_and_queued_counts(contoso, megan, quota):
    asked(contoso, megan, crowd(contoso, 100), needs_approval=False)
    used(f"mass:{contoso.pk}", taken=2350, opened_at=timezone.now() - timedelta(seconds=100))

    found = plan(contoso, 10)

    assert found.queued == 100
    assert timedelta(seconds=48) < found.duration < timedelta(seconds=52)


def test_a_wait_that_microsoft_asked_for_counts(contoso, quota):
    blocked = timezone.now() + timedelta(seconds=40)
    used(f"tenant:{contoso.pk}", blocked_until=blocked)

    assert timedelta(seconds=38) < plan(contoso, 1).duration <= timedelta(seconds=40)


def test_without_pacing_no_time_is_promised(contoso, settings):
    settings.GRAPH_TENANT_WRITES = 0

    assert plan(contoso, 10_000).duration is None


def test_the_plan_and_the_budget_agree_about_what_is_left(contoso, quota):
    with tenant_context(contoso.pk):
        with transaction.atomic():
            budget.take(contoso, 1000, interactive=False)
        left = budget.outlook(contoso).room
        with transaction.atomic():
            assert budget.take(contoso, 5000, interactive=False).granted == left == 1400


def test_what_the_portal_does_itself_costs_no_write(contoso, quota):
    with tenant_context(contoso.pk):
        found = planning.plan(contoso, ["revoke_sessions", "end_portal_sessions"], people=1)

    assert found.writes == 1


@pytest.mark.parametrize(("people", "needed"), [(50, False), (51, True)])
def test_a_second_person_is_needed_above_the_tenants_threshold(contoso, quota, people, needed):
    assert plan(contoso, people).needs_approval is needed


# --- Figures for Prometheus -----------------------------------------------------------------------------


def test_figures_name_tenants_and_states_and_nobody(contoso, megan):
    request = asked(contoso, megan, crowd(contoso, 5))
    accepted = NOW()
    put(request, 2, "accepted", accepted_at=accepted, called_at=accepted - timedelta(milliseconds=250))

    text = metrics.exposition().decode()

    assert 'consentry_open_steps{state="waiting",tenant="contoso"} 3.0' in text
    assert 'consentry_open_steps{state="accepted",tenant="contoso"} 2.0' in text
    assert 'consentry_open_requests{state="running",tenant="contoso"} 1.0' in text
    assert "Person" not in text
    assert "Megan" not in text
    assert "@" not in text


def test_every_family_is_announced_once(contoso, fabrikam):
    announced = [line.split()[2] for line in metrics.exposition().decode().splitlines() if line.startswith("# TYPE")]

    assert len(announced) == len(set(announced))


@pytest.mark.django_db(transaction=True)
def test_what_microsoft_throttled_is_counted(contoso, megan, entra):
    entra.faults({"path": "revokeSignInSessions", "status": 429, "retry_after": 30, "where": "item", "count": 1})
    asked(contoso, megan, [in_copy(contoso, "Adele Vance")])

    with tenant_context(contoso.pk):
        executor.turn(contoso.pk, seconds=2, linger=0)

    text = metrics.exposition().decode()
    assert 'consentry_graph_throttled_total{tenant="contoso"} 1.0' in text
    assert 'consentry_step_events_total{event="put_off",tenant="contoso"} 1.0' in text


# --- Telling people -------------------------------------------------------------------------------------


@pytest.fixture
def finished(contoso, megan):
    """A sign-out of three: two proved, one not."""
    request = asked(contoso, megan, [in_copy(contoso, name) for name in ("Adele Vance", "Lee Gu", "Diego Siciliani")])
    put(request, 2, "verified", accepted_at=NOW(), finished_at=NOW())
    put(request, 1, "unconfirmed", accepted_at=NOW(), finished_at=NOW())
    finish(request)
    return request


def told():
    return sorted(message.to[0] for message in mail.outbox)


def tell(tenant, **choices):
    Tenant.objects.filter(pk=tenant.pk).update(**choices)
    tenant.refresh_from_db()
    return notices.send_due(tenant)


def test_nobody_is_told_unless_the_tenant_wants_it(contoso, finished):
    assert tell(contoso) == 0
    assert told() == []


def test_people_are_told_once_and_only_when_it_is_proved(contoso, finished):
    assert tell(contoso, notify_people=True) == 2
    assert tell(contoso, notify_people=True) == 0

    assert told() == ["adele@contoso.example", "lee@contoso.example"]
    assert mail.outbox[0].subject == "You were signed out of Contoso"


def test_a_round_goes_over_every_tenant_that_wants_it(contoso, fabrikam, finished):
    Tenant.objects.filter(pk=contoso.pk).update(notify_people=True)

    notices.send()
    notices.send()

    assert told() == ["adele@contoso.example", "lee@contoso.example"]


def test_the_words_are_the_tenants(contoso, finished):
    tell(contoso, notify_people=True, notify_subject="{tenant}:\nsigned out", notify_body="{name}, {unknown} {reason}")

    assert mail.outbox[0].subject == "Contoso: signed out"
    assert mail.outbox[0].body == "Adele Vance, {unknown} Leaked credentials"


def test_a_running_request_tells_nobody_yet(contoso, megan):
    request = asked(contoso, megan, [in_copy(contoso, "Adele Vance")])
    put(request, 1, "verified", accepted_at=NOW(), finished_at=NOW())

    assert tell(contoso, notify_people=True) == 0


def test_a_mail_server_that_refuses_is_not_asked_twice(contoso, finished, settings):
    settings.EMAIL_BACKEND = "tests.revocation.copies.RefusingMail"

    assert tell(contoso, notify_people=True) == 0
    assert tell(contoso, notify_people=True) == 0
    with tenant_context(contoso.pk):
        faults = set(notices.Notice.objects.values_list("fault", flat=True))
    assert faults == {"SMTPServerDisconnected"}


def test_who_asked_is_not_told_about_themselves(contoso, megan):
    request = asked(contoso, megan, [in_copy(contoso, "Megan Bowen", id=megan.object_id)])
    put(request, 1, "verified", accepted_at=NOW(), finished_at=NOW())
    finish(request)

    assert tell(contoso, notify_people=True) == 0
    assert Actor.of(megan.membership).id == str(megan.object_id)
