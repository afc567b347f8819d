"""What alarms hear of work left alone: not what Microsoft's quota holds up, but what a stopped worker does."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.tenancy import tenant_context
from portal import metrics
from revocation.models import RevocationRequest, WriteQuota
from revocation.spine import budget, executor
from tests.factories import make_person
from tests.revocation.copies import asked, crowd, in_copy, put

pytestmark = pytest.mark.django_db
LIST, WINDOW = 60, 40


@pytest.fixture
def quota(settings):
    settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITE_SECONDS = WINDOW, 150.0


@pytest.fixture
def megan(contoso):
    return make_person(contoso, uuid4(), "Megan Bowen", "tenant_admin")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch):
    """A hand that moves the time of everything that asks Django for it."""
    start, later = timezone.now(), [timedelta()]
    monkeypatch.setattr(timezone, "now", lambda: start + later[0])

    def move(seconds: float) -> None:
        later[0] += timedelta(seconds=seconds)

    return move


def overdue(tenant) -> float:
    (line,) = [
        one for one in metrics.exposition().decode().splitlines() if one.startswith("consentry_overdue_seconds{")
    ]
    assert f'tenant="{tenant.slug}"' in line
    return float(line.split()[-1])


def carry_out(request: RevocationRequest) -> int:
    """As a worker does: what the quota grants goes out now."""
    with tenant_context(request.tenant_id), transaction.atomic():
        granted = budget.take(request.tenant, LIST, interactive=False, high_priority=True).granted
    put(request, granted, "accepted", called_at=timezone.now(), accepted_at=timezone.now())
    return granted


def change(request: RevocationRequest, **facts) -> None:
    with tenant_context(request.tenant_id):
        assert RevocationRequest.objects.filter(pk=request.pk).update(**facts) == 1


def mass(contoso, megan) -> RevocationRequest:
    return asked(contoso, megan, crowd(contoso, LIST), needs_approval=False, high_priority=True)


@pytest.mark.parametrize("reading", ["", "windows", "continuous"])
def test_a_list_that_waits_for_the_quota_is_not_overdue_and_a_stopped_worker_is(contoso, megan, quota, clock, reading):
    request = mass(contoso, megan)
    clock(3)
    assert overdue(contoso) == pytest.approx(3)
    assert 0 < carry_out(request) < LIST
    WriteQuota.objects.update(reading=reading)

    clock(0 if reading == "continuous" else 149)
    assert overdue(contoso) == 0  # more is due, and the quota has no room for it

    clock(150.5 + 300)  # there is room again by now, for a long time, and nobody came
    late = overdue(contoso)
    clock(60)
    assert 290 <= late <= 460
    assert overdue(contoso) == pytest.approx(late + 60)


def test_what_a_429_blocks_is_not_overdue_until_it_is_over(contoso, megan, quota, clock):
    mass(contoso, megan)
    with tenant_context(contoso.pk), transaction.atomic():
        budget.throttled(contoso, 600)
    clock(599)
    assert overdue(contoso) == 0

    clock(61)
    assert overdue(contoso) == pytest.approx(60)


def test_a_click_that_nobody_takes_is_overdue_while_the_list_waits(contoso, megan, quota, clock):
    carry_out(mass(contoso, megan))
    click = asked(contoso, megan, crowd(contoso, 1, start=LIST), needs_approval=False)
    change(click, interactive=True)

    clock(90)

    assert overdue(contoso) == pytest.approx(90)


def test_time_before_the_approval_does_not_count(contoso, megan, quota, clock):
    request = mass(contoso, megan)
    clock(86_400)
    change(request, approved_at=timezone.now())
    clock(5)

    assert overdue(contoso) == pytest.approx(5)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_held_by_the_quota_leaves_nothing_overdue(contoso, megan, entra, settings):
    settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITE_SECONDS = 4, 150.0  # two for lists, two kept for clicks
    people = [in_copy(contoso, name) for name in ("Adele Vance", "Lee Gu", "Diego Siciliani")]
    request = asked(contoso, megan, people, needs_approval=False, high_priority=True)
    assert overdue(contoso) > 0

    executor.turn(contoso.pk, seconds=0, linger=0)

    with tenant_context(contoso.pk):
        assert request.steps.filter(state="waiting").count() == 1
    assert overdue(contoso) == 0
