"""Limits: how many writes an app may make, when it may go on, and what it is told."""

import pytest

from sandbox.catalogue import CONTOSO, FABRIKAM, PORTAL_APP_ID
from sandbox.quota import READINGS, Quota
from sandbox.timing import Clock
from tests.sandbox.graph import Graph, refused

REVOKE = "users/adele@contoso.example/revokeSignInSessions"
WRITE = {"method": "POST", "url": f"/{REVOKE}", "headers": {"Content-Type": "application/json"}, "body": {}}


class StillClock(Clock):
    """Moves only when it is told to, so that a bucket does not refill while writes are counted."""

    def elapsed(self) -> float:
        return self.offset.total_seconds()


@pytest.fixture
def graph(served):
    return Graph.as_portal(served)


def spent(quota, app="app", tenant="tenant", count=1):
    """How many of `count` writes were let through."""
    return sum(quota.write(app, tenant)[0] is None for _ in range(count))


def test_an_app_may_write_3000_times_in_150_seconds_to_a_tenant():
    clock = Clock()
    quota = Quota(clock)

    assert spent(quota, count=3_100) == 3_000
    clock.advance(149)
    assert spent(quota, count=10) == 0
    clock.advance(1.1)
    assert spent(quota, count=3_100) == 3_000


def test_a_bucket_refills_all_the_time():
    clock = StillClock()
    quota = Quota(clock, "bucket")

    assert spent(quota, count=3_100) == 3_000
    clock.advance(1)
    assert spent(quota, count=100) == 20
    clock.advance(150)
    assert spent(quota, count=3_100) == 3_000


@pytest.mark.parametrize(("reading", "seconds"), [("window", 450), ("bucket", 350)])
def test_ten_thousand_writes_take_as_long_as_the_reading_says(reading, seconds):
    """3,000 at once, then 3,000 in 150 seconds: in steps or evenly. Whoever waits as told loses no time to it."""
    clock = StillClock()
    quota, started, done = Quota(clock, reading), clock.elapsed(), 0

    while done < 10_000:
        refusal, _ = quota.write("app", "tenant")
        if refusal:
            clock.advance(refusal.retry_after)
        else:
            done += 1

    assert clock.elapsed() - started == pytest.approx(seconds, abs=1.5)


@pytest.mark.parametrize("reading", READINGS)
def test_the_limit_over_all_tenants_is_told_by_its_scope(served, graph, reading):
    """The first word of `x-ms-throttle-scope` says whose limit it was:
    https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits"""
    graph.world.quota.configure({"reading": reading, "writes_per_app": {"amount": 2, "seconds": 300}})
    elsewhere = Graph.as_portal(served, FABRIKAM)

    told = [one.post(REVOKE.replace("adele", name)) for one, name in ((graph, "adele"), (graph, "alex"))]
    refusal = elsewhere.post("users/robin@fabrikam.example/revokeSignInSessions")

    assert [one.status_code for one in told] == [200, 200]
    refused(refusal, 429, "TooManyRequests")
    assert refusal.headers["x-ms-throttle-scope"] == f"Application/Write/{PORTAL_APP_ID}/{FABRIKAM}"
    assert int(refusal.headers["Retry-After"]) in ((299, 300) if reading == "window" else (150,))


def test_items_of_a_batch_are_told_whose_limit_it_was(graph):
    graph.world.quota.configure({"reading": "bucket", "writes_per_app_and_tenant": {"amount": 3, "seconds": 150}})

    answers = graph.batch(*[WRITE] * 5)

    refusals = [one["headers"] for one in answers.values() if one["status"] == 429]
    assert [one["Retry-After"] for one in refusals] == ["50", "50"]
    assert {one["x-ms-throttle-scope"] for one in refusals} == {f"Tenant_Application/Write/{PORTAL_APP_ID}/{CONTOSO}"}


def test_an_app_may_write_35000_times_in_300_seconds_to_all_tenants():
    quota = Quota(Clock())

    assert [spent(quota, tenant=str(number), count=3_000) for number in range(13)] == [3_000] * 11 + [2_000, 0]


def test_all_apps_may_write_18000_times_in_300_seconds_to_a_tenant():
    quota = Quota(Clock())

    assert sum(spent(quota, app=str(number), count=3_000) for number in range(7)) == 18_000


def test_the_time_to_wait_is_told_in_real_seconds():
    clock = Clock(time_scale=10)
    quota = Quota(clock)
    spent(quota, count=3_000)

    refusal, _ = quota.write("app", "tenant")

    assert refusal.retry_after == 15


def test_one_write_too_many_is_429_with_the_time_to_wait(graph):
    graph.world.quota.configure({"writes_per_app_and_tenant": {"amount": 2, "seconds": 150}})
    for _ in range(2):
        assert graph.post(REVOKE).status_code == 200
    before = graph.user("adele").valid_from

    answer = graph.post(REVOKE)

    error = refused(answer, 429, "TooManyRequests")
    assert error["innerError"]["status"] == "429"
    assert 149 <= int(answer.headers["Retry-After"]) <= 150
    assert answer.headers["x-ms-throttle-scope"].startswith("Tenant_Application/Write/c0c0c0c0-")
    assert answer.headers["x-ms-throttle-information"] == "WriteLimitExceeded"
    assert graph.user("adele").valid_from == before


def test_reads_and_other_tenants_go_on(served, graph):
    graph.world.quota.configure({"writes_per_app_and_tenant": {"amount": 1, "seconds": 150}})
    graph.post(REVOKE)

    assert graph.post(REVOKE).status_code == 429
    assert graph.get("users")
    elsewhere = Graph.as_portal(served, FABRIKAM)
    assert elsewhere.post("users/robin@fabrikam.example/revokeSignInSessions").status_code == 200


def test_items_of_a_batch_are_counted_one_by_one(graph):
    graph.world.quota.configure({"writes_per_app_and_tenant": {"amount": 12, "seconds": 150}})

    answers = graph.batch(*[WRITE] * 20)

    statuses = sorted(one["status"] for one in answers.values())
    assert statuses == [200] * 12 + [429] * 8
    assert all("Retry-After" in one["headers"] for one in answers.values() if one["status"] == 429)


def test_what_is_refused_for_other_reasons_costs_no_write(served, graph):
    graph.world.quota.configure({"writes_per_app_and_tenant": {"amount": 1, "seconds": 150}})

    refused(Graph.as_app_with(served).post(REVOKE), 403, "Authorization_RequestDenied")

    assert graph.post(REVOKE).status_code == 200


def test_a_window_nearly_full_is_announced(graph):
    graph.world.quota.configure({"writes_per_app_and_tenant": {"amount": 5, "seconds": 150}})

    told = [graph.post(REVOKE).headers.get("x-ms-throttle-limit-percentage") for _ in range(5)]

    assert told == [None, None, None, "0.80", "1.00"]


def test_units_of_reads_are_counted_when_switched_on(graph):
    limit = {"amount": 6, "seconds": 10}
    graph.world.quota.configure({"count_reads": True, "units_per_app_and_tenant": limit})

    answers = [graph.send("GET", path) for path in ("users", "users?$select=id", "oauth2PermissionGrants", "users")]

    assert [one.headers.get("x-ms-resource-unit") for one in answers] == ["2", "1", "2", None]
    refused(answers[-1], 429, "TooManyRequests")
    assert answers[-1].headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    assert graph.post(REVOKE).status_code == 200


@pytest.mark.parametrize(
    ("path", "units"),
    [
        ("users", "2"),
        ("users?$select=id", "1"),
        ("users?$top=5&$select=id", "1"),
        ("oauth2PermissionGrants", "2"),
        ("servicePrincipals", "1"),
        ("users/adele@contoso.example/oauth2PermissionGrants", "1"),
    ],
)
def test_units_follow_microsofts_table(graph, path, units):
    assert graph.send("GET", path).headers["x-ms-resource-unit"] == units


def test_a_setting_nobody_knows_is_refused():
    quota = Quota(Clock())

    with pytest.raises(ValueError, match="unknown: writes"):
        quota.configure({"writes": 3})
    with pytest.raises(ValueError, match="reading must be one of window, bucket"):
        quota.configure({"reading": "leaky"})
    with pytest.raises(ValueError, match="above nothing"):
        quota.configure({"writes_per_app": {"amount": 0, "seconds": 3}})
