"""/metrics: as many queries for many tenants as for one, and durations that every process adds to."""

import json
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import durations, everywhere
from accounts.access import Actor
from accounts.everywhere import HERE, number_given
from accounts.models import Tenant
from accounts.tenancy import current_tenant_id, tenant_context
from audit import services as audit
from audit.models import AuditEntry, AuditEvent
from graph import transport
from portal import metrics
from revocation.models import WriteQuota
from tests.factories import make_person
from tests.revocation.copies import asked, crowd

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted_yet(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(durations, "_new", {})


def happened(tenant: Tenant, event: AuditEvent = AuditEvent.SIGNED_IN) -> None:
    with tenant_context(tenant.pk):
        audit.record(event, tenant_id=tenant.pk, actor=Actor.system())


def busy(tenant: Tenant) -> None:
    """One with a record, a list that waits and a quota: everything there is to tell of."""
    happened(tenant)
    megan = make_person(tenant, uuid4(), "Megan Bowen", "tenant_admin")
    asked(tenant, megan, crowd(tenant, 2), needs_approval=False)
    now = timezone.now()
    WriteQuota.objects.create(key=f"tenant:{tenant.pk}", opened_at=now, level=10, level_at=now)


def queries() -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked_for:
        metrics.exposition()
    return len(asked_for)


def test_five_tenants_cost_as_many_queries_as_one(contoso: Tenant):
    busy(contoso)
    metrics.exposition()
    for_one = queries()

    others = [
        Tenant.objects.create(id=uuid4(), slug=f"tenant-{n}", name=f"Tenant {n}", state="active") for n in range(4)
    ]
    for tenant in others:
        busy(tenant)

    assert queries() == for_one  # tenants that were never counted before
    assert queries() == for_one
    said = metrics.exposition().decode()
    for tenant in (contoso, *others):
        assert f'consentry_open_steps{{state="waiting",tenant="{tenant.slug}"}} 2.0' in said


def test_each_tenant_is_asked_in_its_own_context(contoso: Tenant, fabrikam: Tenant):
    happened(contoso)
    for _ in range(3):
        happened(fabrikam)
    unfiltered = AuditEntry.objects.values("tenant_id", "sequence").order_by("sequence")
    later = AuditEntry.objects.filter(tenant_id=HERE, sequence__gt=number_given("seen")).values("sequence")

    with tenant_context(contoso.pk):
        found = everywhere.ask({"all": unfiltered, "later": later}, {contoso.pk: {}, fabrikam.pk: {"seen": 2}})
        assert current_tenant_id() == contoso.pk
        assert {entry.tenant_id for entry in AuditEntry.objects.all()} == {contoso.pk}, "the setting is as it was"

    assert [row["tenant_id"] for row in found[contoso.pk]["all"]] == [str(contoso.pk)]
    assert [row["tenant_id"] for row in found[fabrikam.pk]["all"]] == [str(fabrikam.pk)] * 3
    assert [row["sequence"] for row in found[contoso.pk]["later"]] == [1]
    assert [row["sequence"] for row in found[fabrikam.pk]["later"]] == [3]


@pytest.mark.parametrize("change", ["{} RETURNING sequence", "WITH done AS ({} RETURNING sequence) SELECT * FROM done"])
def test_nothing_can_be_written_everywhere(contoso: Tenant, change: str):
    happened(contoso)
    question = change.format("UPDATE audit_chainhead SET sequence = 0")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM accounts_in_every_tenant(%s, %s)", [json.dumps({str(contoso.pk): {}}), [question]]
        )


def test_durations_add_up_over_processes(contoso: Tenant):
    for seconds in (0.003, 0.2, 20.0):
        durations.PAGES.add(seconds, "GET", "200")
    durations.flush()
    durations.PAGES.add(0.2, "GET", "200")  # as another process
    durations.PAGES.add(0.2, "POST", "503")
    durations.flush()

    said = metrics.exposition().decode().splitlines()

    name = "consentry_http_request_duration_seconds"
    of_get = [line.split()[-1] for line in said if line.startswith(f'{name}_bucket{{code="200"') and '"GET"' in line]
    assert [float(value) for value in of_get] == [1, 1, 1, 1, 3, 3, 3, 3, 3, 3, 4]
    assert f'{name}_count{{code="200",method="GET"}} 4.0' in said
    assert f'{name}_sum{{code="200",method="GET"}} 20.403' in said
    assert f'{name}_count{{code="503",method="POST"}} 1.0' in said
    assert f"# TYPE {name} histogram" in said


def test_what_could_not_be_added_counts_the_next_time(monkeypatch: pytest.MonkeyPatch):
    durations.PROVED.add(3, "mass")
    with monkeypatch.context() as away:
        away.setattr(durations, "_ADD", "SELECT 1 / 0 WHERE %s IS NOT NULL")
        with pytest.raises(DatabaseError), transaction.atomic():
            durations.flush()
    durations.PROVED.add(4, "mass")
    durations.flush()

    (row,) = durations.stored()["consentry_step_duration_seconds"]
    assert (row.labels, sum(row.counts), row.seconds) == (["mass"], 2, 7)


def test_a_page_and_a_call_to_microsoft_are_timed(client, entra):
    client.get("/accounts/sign-in/")
    client.generic("BREW", "/accounts/sign-in/")
    transport.session().get("https://graph.microsoft.com/v1.0/$metadata")
    durations.flush()

    counted = {(row.figure, *row.labels) for rows in durations.stored().values() for row in rows}
    assert ("consentry_http_request_duration_seconds", "GET", "200") in counted
    assert {labels[0] for name, *labels in counted if "http" in name} == {"GET", "other"}
    assert ("consentry_microsoft_request_duration_seconds", "graph.microsoft.com", "GET", "401") in counted
