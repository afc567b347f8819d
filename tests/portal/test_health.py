"""What load balancers and Prometheus are told."""

import pytest
from django.test import Client

from accounts.models import Tenant
from portal import health

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ask_for_migrations_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(health, "_schema_is_current", False)


def test_a_living_process_says_so_without_the_database(client: Client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_ready_when_database_and_migrations_are(client: Client):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "database": "ok", "migrations": "ok", "sweeper": "has not run yet"}


def test_not_ready_while_a_migration_is_missing(client: Client, monkeypatch: pytest.MonkeyPatch):
    original = health.MigrationLoader

    def one_less(connection):
        loader = original(connection)
        loader.applied_migrations.pop(("accounts", "0002_isolation"))
        return loader

    monkeypatch.setattr(health, "MigrationLoader", one_less)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["migrations"] == "1 not applied"


@pytest.mark.parametrize(("age", "said"), [(5, "ok"), (3600, "late: last run 3600 s ago")])
def test_a_late_sweeper_is_named_and_pages_are_served_all_the_same(
    client: Client, monkeypatch: pytest.MonkeyPatch, age: int, said: str
):
    monkeypatch.setattr("portal.metrics.sweeper_age", lambda: age)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["sweeper"]) == (200, said)


# --- metrics -------------------------------------------------------------------------------------------


@pytest.fixture
def on_this_machine(settings):
    """A portal that answers to loopback names only."""
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    return Client(headers={"Host": "localhost"})


def test_this_machine_reads_metrics(on_this_machine: Client, contoso: Tenant):
    answer = on_this_machine.get("/metrics")

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b"# TYPE consentry_" in answer.content


@pytest.mark.parametrize("seen_from", [{"REMOTE_ADDR": "192.0.2.7"}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}])
def test_to_others_metrics_do_not_exist(on_this_machine: Client, seen_from: dict):
    assert on_this_machine.get("/metrics", **seen_from).status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-Proto", "X-Real-IP", "Via", "Cf-Connecting-Ip"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_URL", "https://consentry.example"),
        ("ALLOWED_HOSTS", ["localhost", "consentry.example"]),
        ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https")),
    ],
)
def test_behind_a_proxy_metrics_need_a_token_whatever_headers_it_sets(
    on_this_machine: Client, settings, name: str, value: object, header: str
):
    setattr(settings, name, value)

    assert on_this_machine.get("/metrics", headers={header: "https"}).status_code == 404


def test_a_token_opens_metrics_from_anywhere(client: Client, settings):
    settings.METRICS_TOKEN = "scrape-me"

    headers = {"Authorization": "Bearer scrape-me"}
    assert client.get("/metrics", headers=headers, REMOTE_ADDR="192.0.2.7").status_code == 200


def test_with_a_token_set_this_machine_needs_it_too(client: Client, settings):
    settings.METRICS_TOKEN = "scrape-me"

    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer guess"}).status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_only_reading(client: Client, path: str):
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_come_by_plain_http_and_by_address(client: Client, settings, path: str):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 200
