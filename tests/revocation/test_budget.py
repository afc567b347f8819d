"""Write quotas: what a mass action may take, what it leaves for clicks, and how tenants share the app's."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from graph.errors import ThrottleScope
from revocation.spine import budget


@pytest.fixture(autouse=True)
def _small_quotas(settings):
    settings.GRAPH_TENANT_WRITES, settings.GRAPH_TENANT_WRITE_SECONDS = 100, 10.0
    settings.GRAPH_APP_WRITES, settings.GRAPH_APP_WRITE_SECONDS = 1000, 10.0


def take(tenant, wanted, **options) -> budget.Allowance:
    with transaction.atomic():
        return budget.take(tenant, wanted, **({"interactive": False} | options))


@pytest.fixture
def time_passes(monkeypatch):
    """Moves the clock on by so many seconds."""
    begin, passed = timezone.now(), [0.0]
    monkeypatch.setattr(timezone, "now", lambda: begin + timedelta(seconds=passed[0]))

    def later(seconds: float) -> None:
        passed[0] += seconds

    return later


def test_a_mass_action_takes_its_share_and_no_more(contoso):
    assert take(contoso, 60).granted == 60
    assert take(contoso, 60).granted == 20
    assert take(contoso, 60).granted == 0


def test_it_is_told_when_the_next_window_opens(contoso):
    take(contoso, 80)

    wait = (take(contoso, 1).again_at - timezone.now()).total_seconds()
    assert 9 < wait <= 10.5


def test_the_next_window_is_whole_again(contoso, time_passes):
    take(contoso, 80)
    time_passes(11)

    assert take(contoso, 200).granted == 80


def test_high_priority_may_use_all_but_a_reserve_for_clicks(contoso):
    assert take(contoso, 200, high_priority=True).granted == 100 - budget.RESERVE


def test_a_click_never_waits_for_a_mass_action(contoso):
    take(contoso, 200, high_priority=True)

    assert take(contoso, 30, interactive=True).granted == 30


def test_what_clicks_used_is_not_there_for_lists(contoso):
    take(contoso, 90, interactive=True)

    assert take(contoso, 50).granted == 0


def test_a_429_makes_everything_wait_as_long_as_it_says(contoso, time_passes):
    with transaction.atomic():
        until = budget.throttled(contoso, 7)

    for interactive in (True, False):
        allowed = take(contoso, 1, interactive=interactive)
        assert (allowed.granted, allowed.again_at) == (0, until)
    time_passes(7.1)
    assert take(contoso, 1).granted == 1


def test_a_429_over_all_tenants_makes_every_tenant_wait(contoso, fabrikam, time_passes, settings):
    settings.GRAPH_APP_WRITES = 0  # whether or not we pace ourselves
    with transaction.atomic():
        until = budget.throttled(contoso, 7, ThrottleScope.APP)

    for tenant in (contoso, fabrikam):
        for interactive in (True, False):
            allowed = take(tenant, 1, interactive=interactive)
            assert (allowed.granted, allowed.again_at) == (0, until)
        assert budget.outlook(tenant).blocked_until == until
    time_passes(7.1)
    assert take(fabrikam, 1).granted == 1


def test_a_429_of_one_tenant_is_that_tenants(contoso, fabrikam):
    with transaction.atomic():
        budget.throttled(contoso, 7)

    assert take(fabrikam, 1).granted == 1


def test_a_tenant_that_stopped_writing_leaves_its_part_to_the_others(contoso, fabrikam, settings, time_passes):
    settings.GRAPH_APP_WRITES, settings.GRAPH_APP_WRITE_SECONDS = 120, 300.0
    settings.GRAPH_TENANT_WRITE_SECONDS = 60.0
    take(contoso, 60)
    take(fabrikam, 1)
    assert take(fabrikam, 70).granted == 19
    time_passes(31)

    assert take(fabrikam, 70).granted == 20


def test_of_two_429s_the_longer_one_counts(contoso):
    with transaction.atomic():
        first = budget.throttled(contoso, 30)
        budget.throttled(contoso, 2)

    assert take(contoso, 1).again_at == first


def test_tenants_share_what_the_app_has_left(contoso, fabrikam, settings):
    settings.GRAPH_APP_WRITES = 120
    assert take(contoso, 70).granted == 70
    assert take(fabrikam, 1).granted == 1

    assert take(fabrikam, 70).granted < 20
    assert take(fabrikam, 70, interactive=True).granted == 70


def test_without_pacing_only_429s_count(contoso, settings):
    settings.GRAPH_TENANT_WRITES = settings.GRAPH_APP_WRITES = 0

    assert take(contoso, 10_000).granted == 10_000
    with transaction.atomic():
        budget.throttled(contoso, 5)
    assert take(contoso, 1).granted == 0
