"""The record on a page: filtered, paged, checked and exported, for those who may."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.access import Actor
from accounts.tenancy import tenant_context
from audit import export, heads, personal
from audit.models import Area, AuditEntry, AuditEvent
from audit.services import Draft, record_many
from tests.factories import make_person

pytestmark = pytest.mark.django_db
LIST, EXPORT, CHECK = (reverse(f"audit:{name}", args=["contoso"]) for name in ("list", "export", "check"))


@pytest.fixture(autouse=True)
def _own_heads(settings, tmp_path):
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"


@pytest.fixture
def auditor(client, sign_in, contoso):
    sign_in(client, make_person(contoso, uuid4(), "Nestor Wilke", "auditor"))
    return client


def record(tenant, count=1, **details):
    details = {"event": AuditEvent.STEP_VERIFIED, "actor": Actor.system()} | details
    with tenant_context(tenant.pk):
        return record_many([Draft(tenant_id=tenant.pk, **details) for _ in range(count)])


def shown(client, **filters):
    return [entry.sequence for entry in client.get(LIST, filters).context["entries"]]


def test_entries_are_filtered_by_person_app_action_outcome_and_words(auditor, contoso):
    person, app = uuid4(), uuid4()
    (first,) = record(contoso, target_id=str(person), target_label="Adele Vance", outcome="verified", reason="Phone")
    (second,) = record(contoso, target_id=str(app), action="delete_app", outcome="failed")
    (third,) = record(contoso, event=AuditEvent.SIGNED_IN, actor=Actor(id=str(person), label="Adele Vance"))

    assert shown(auditor, person=str(person)) == [third.sequence, first.sequence]
    assert shown(auditor, app=str(app)) == [second.sequence]
    assert shown(auditor, action=Area.SESSIONS) == [third.sequence]
    assert shown(auditor, outcome="failed") == [second.sequence]
    assert shown(auditor, q="phone") == [first.sequence]
    assert shown(auditor, since="2020-01-01", until="2020-01-02") == []
    assert shown(auditor, person="adele vance") == [third.sequence, first.sequence]
    assert len(shown(auditor, since="no date", action="no action", outcome="no outcome")) == 3


def test_pages_lose_and_repeat_nothing(auditor, contoso):
    record(contoso, 130)
    seen, after = [], ""
    while after is not None:
        context = auditor.get(LIST, {"after": after}).context
        seen += [entry.sequence for entry in context["entries"]]
        after = context["page"]["next"]

    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 130


def test_an_entry_opens_to_before_and_after_which_the_list_does_not_carry(auditor, contoso):
    (entry,) = record(contoso, before={"scopes": ["Mail.Read"]}, after={"scopes": []})

    address = reverse("audit:entry", args=["contoso", entry.sequence])
    page = auditor.get(LIST).content.decode()

    assert "Mail.Read" not in page
    assert f'data-from="{address}"' in page
    for headers in ({}, {"HX-Request": "true"}):
        assert "<del>Mail.Read</del>" in auditor.get(address, headers=headers).content.decode()


def test_another_tenants_entries_are_not_there(auditor, contoso, fabrikam):
    record(fabrikam, target_label="Robin Counts")

    assert shown(auditor) == []
    assert auditor.get(reverse("audit:list", args=["fabrikam"])).status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
def test_helpdesk_does_not_read_the_record(client, sign_in, contoso, method):
    sign_in(client, make_person(contoso, uuid4(), "Henrietta Mueller", "helpdesk"))

    assert getattr(client, method)(LIST if method == "get" else EXPORT).status_code == 403


def test_the_export_is_the_whole_record_and_is_itself_recorded(auditor, contoso, tmp_path):
    record(contoso, 5)

    answer = auditor.post(EXPORT)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(answer.streaming_content))

    report = export.verify_file(path)
    assert (report.ok, report.entries) == (True, 6)
    with tenant_context(contoso.pk):
        (newest,) = personal.reveal(contoso.pk, list(AuditEntry.objects.order_by("-sequence")[:1]))
    assert (newest.event, newest.actor_label) == (AuditEvent.AUDIT_EXPORTED, "Nestor Wilke")


def test_exporting_by_a_link_is_not_possible(auditor):
    assert auditor.get(EXPORT).status_code == 405


# --- What the page says about the chain ---------------------------------------------------------------


def tamper(contoso, sql):
    """As somebody with the database's own rights would."""
    with tenant_context(contoso.pk), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no trigger events may be pending on an altered table
        for table in ("audit_auditentry", "audit_chainhead"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql)
        for table in ("audit_auditentry", "audit_chainhead"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_an_intact_chain_is_said_to_hold(auditor, contoso):
    record(contoso, 3)
    with tenant_context(contoso.pk):
        heads.export(contoso.pk)

    page, check = auditor.get(LIST), auditor.get(CHECK)

    assert page.context["state"].ok
    assert page.context["state"].sealed == 3
    assert check.context["report"].ok


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_auditentry SET reason = 'nothing' WHERE sequence = 3",
        "DELETE FROM audit_auditentry WHERE sequence = 3",
        "DELETE FROM audit_auditentry WHERE sequence >= 4",
    ],
    ids=["edited", "taken out", "cut off"],
)
def test_a_chain_that_was_touched_is_said_so(auditor, contoso, sql):
    record(contoso, 5)
    tamper(contoso, sql)

    assert "not what was written" in auditor.get(LIST).content.decode()
    assert not auditor.get(CHECK).context["report"].ok


def test_a_chain_and_head_cut_together_contradict_the_signed_head(auditor, contoso):
    record(contoso, 5)
    with tenant_context(contoso.pk):
        heads.export(contoso.pk)
    tamper(contoso, "DELETE FROM audit_auditentry WHERE sequence >= 4")
    tamper(
        contoso,
        "UPDATE audit_chainhead SET sequence = 3, mac = (SELECT mac FROM audit_auditentry WHERE sequence = 3)",
    )

    assert "signed head" in auditor.get(LIST).content.decode()


@pytest.mark.parametrize("address", [LIST, f"{LIST}?q=adele&action=sessions"])
def test_the_page_costs_the_same_for_few_entries_and_for_many(auditor, contoso, address):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert auditor.get(address).status_code == 200
        return len(queries)

    record(contoso, 3, target_label="Adele")
    cost()
    few = cost()
    record(contoso, 200, target_label="Adele")

    assert cost() == few <= 30


@pytest.mark.parametrize("event", AuditEvent)
def test_every_event_is_found_by_its_area(auditor, contoso, event):
    (entry,) = record(contoso, event=event)

    assert entry.sequence in shown(auditor, action=event.area)
    assert shown(auditor, action=next(area for area in Area if area != event.area)) == []


def test_a_step_is_shown_with_what_was_about_to_be_asked(auditor, contoso):
    (started,) = record(contoso, event=AuditEvent.STEPS_STARTED)

    assert shown(auditor, action=Area.STEPS) == [started.sequence]
