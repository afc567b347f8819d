"""What load balancers and Prometheus are told."""

import os
import re
import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from audit import heads, services as audit
from audit.models import AuditEvent
from audit.tasks import export_heads
from portal import health, metrics

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_heads(settings, tmp_path):
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"


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
    assert answer.json() == {
        "ready": True,
        "database": "ok",
        "migrations": "ok",
        "sweeper": "has not run yet",
        "heads": "have not been written yet",
        "microsoft": "ok",
    }


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


def test_heads_that_are_not_written_are_named_and_pages_are_served_all_the_same(
    client: Client, contoso: Tenant, settings
):
    with tenant_context(contoso.pk):
        audit.record(AuditEvent.SIGNED_IN, tenant_id=contoso.pk, actor=Actor.system())
    export_heads()
    assert client.get("/readyz").json()["heads"] == "ok"
    assert b'consentry_audit_head_lag_entries{tenant="contoso"} 0.0' in metrics.exposition()

    round_file = settings.AUDIT_HEADS_DIR / heads.ROUND
    os.utime(round_file, (time.time() - 900,) * 2)
    settings.AUDIT_HEADS_DIR.joinpath(f"{contoso.pk}.jsonl").unlink()
    settings.AUDIT_HEADS_DIR.joinpath(f"{contoso.pk}.jsonl").mkdir()  # nothing can be appended to that
    export_heads()
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["heads"]) == (200, "late: last written for every tenant 900 s ago")
    # What cannot be read vouches for nothing, and does not take the figures away.
    assert b'consentry_audit_head_lag_entries{tenant="contoso"} 1.0' in metrics.exposition()


def test_how_far_the_heads_are_behind_is_a_figure(contoso: Tenant, monkeypatch: pytest.MonkeyPatch):
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() - timedelta(minutes=30))
    with tenant_context(contoso.pk):
        for _ in range(3):
            audit.record(AuditEvent.SIGNED_IN, tenant_id=contoso.pk, actor=Actor.system())
    monkeypatch.undo()

    page = metrics.exposition().decode()

    assert 'consentry_audit_head_lag_entries{tenant="contoso"} 3.0' in page
    (seconds,) = re.findall(r'consentry_audit_head_lag_seconds\{tenant="contoso"\} (\d+)', page)
    assert 1800 <= int(seconds) < 1860


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
