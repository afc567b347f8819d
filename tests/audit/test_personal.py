"""Names of people stand beside the record: found and shown as before, destroyed when asked, and the chain holds."""

import json
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Actor
from accounts.tenancy import tenant_context
from audit import chain, export, heads, personal, selectors, services, verification
from audit.models import AuditEntry, AuditEvent, ChainHead, Label

ADELE, MEGAN = (Actor(str(uuid4()), name) for name in ("Adele Vance", "Megan Bowen"))
TITLE = "Sign out Adele Vance everywhere"
E = AuditEvent


@pytest.fixture
def at(contoso, settings, tmp_path):
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"
    settings.AUDIT_ARCHIVE_DIR = tmp_path / "archive"
    with tenant_context(contoso.pk):
        yield contoso


def asked_for(tenant):
    """A sign-out of Adele from beginning to end, as the spine writes it: later entries repeat the title."""
    request = uuid4()
    common = {"tenant_id": tenant.pk, "actor": MEGAN, "request_id": request, "reason": "Adele Vance lost her phone"}
    about = {"target_type": "request", "target_id": str(request), "target_label": TITLE}
    services.record(E.REVOCATION_REQUESTED, **common, **about, about=ADELE, after={"title": TITLE})
    services.record(
        E.REVOCATION_APPROVED, **common | {"actor": Actor.system()}, **about, after={"asked_by": MEGAN.label}
    )
    step = {"target_type": "user", "target_id": ADELE.id, "target_label": ADELE.label}
    services.record(E.STEP_VERIFIED, **common, **step, before={"principal_id": ADELE.id, "principal_name": "Adele V."})
    services.record(E.REVOCATION_FINISHED, **common, **about)


def in_the_rows(*words):
    """Of these words, those that stand anywhere in the entries as they are stored."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(e::text, ''), '') FROM audit_auditentry e")
        (text,) = cursor.fetchone()
    return [word for word in words if word in text]


def shown(tenant, **filters):
    return [
        (entry.actor_label, entry.target_label, entry.reason, entry.before, entry.after)
        for entry in selectors.page(selectors.entries(tenant.pk, **filters)).items
    ]


def write_in_clear(tenant, **fields):
    """An entry as the release before wrote it, with names in it."""
    head = ChainHead.objects.get(tenant_id=tenant.pk)
    defaults = {"event": E.SIGNED_IN, "at": timezone.now(), "key_id": "", "before": None, "after": None}
    entry = AuditEntry(tenant_id=tenant.pk, sequence=head.sequence + 1, **defaults | fields)
    entry.key_id = chain.keys.newest()
    entry.mac = chain.mac(bytes(head.mac), chain.fields_of(entry))
    entry.save(force_insert=True)
    ChainHead.objects.filter(tenant_id=tenant.pk).update(sequence=entry.sequence, mac=entry.mac)


def erase(tenant, person, *names):
    gone = personal.erase(tenant.pk, [person.id], names)
    services.record(
        E.PERSON_ERASED,
        tenant_id=tenant.pk,
        actor=Actor.command_line(),
        target_id=person.id,
        after={"people": [person.id], "entries": gone.entries},
    )
    return gone


def test_no_name_is_in_the_rows_and_every_page_shows_them(at):
    asked_for(at)

    assert in_the_rows("Adele", "Megan", "Vance") == []
    assert in_the_rows("lost her phone", ADELE.id) == ["lost her phone", ADELE.id]
    finished, step, approved, first = shown(at)
    assert (first[1], first[4]) == (TITLE, {"title": TITLE})
    assert (finished[0], finished[1]) == ("Megan Bowen", TITLE)
    assert (step[1], step[3]["principal_name"]) == ("Adele Vance", "Adele V.")
    assert approved[4] == {"asked_by": "Megan Bowen"}
    assert Label.objects.count() == 3, "one row for each name, however many entries have it"


def test_a_name_is_found_though_no_entry_has_it(at):
    asked_for(at)
    services.record(E.SIGNED_IN, tenant_id=at.pk, actor=MEGAN)

    assert len(shown(at, text="vance")) == 4
    assert len(shown(at, text="vance phone")) == 4
    assert len(shown(at, text="bowen")) == 4
    assert shown(at, text="nobody") == []


def test_what_an_erased_person_was_called_is_gone_and_the_chain_holds(at, tmp_path):
    asked_for(at)
    erase(at, ADELE)
    heads.export(at.pk)

    told = json.dumps(shown(at), default=str)
    assert "Adele" not in told
    assert "Sign out (erased) everywhere" in told
    assert "Megan Bowen" in told
    assert shown(at, text="vance") == []
    assert len(shown(at, person=ADELE.id)) == 2
    assert verification.verify(at.pk, tmp_path / "heads").ok
    export.write(at.pk, tmp_path / "record.jsonl")
    assert "Adele" not in (tmp_path / "record.jsonl").read_text()
    assert export.verify_file(tmp_path / "record.jsonl", tmp_path / "heads").ok
    services.record(E.SIGNED_IN, tenant_id=at.pk, actor=ADELE)
    assert shown(at)[0][0] == "Adele Vance", "who comes back is somebody again"


def test_older_entries_that_have_the_name_in_clear_are_withheld(at, tmp_path):
    services.record(E.SIGNED_IN, tenant_id=at.pk, actor=MEGAN)
    write_in_clear(at, actor_id=ADELE.id, actor_label="Adele Vance")
    write_in_clear(at, actor_id=MEGAN.id, actor_label="Megan Bowen", target_label=TITLE, after={"title": TITLE})
    write_in_clear(at, actor_id=MEGAN.id, actor_label="Megan Bowen", target_label="Mail Sidekick")

    assert erase(at, ADELE, "Adele Vance").entries == [2, 3]

    told = json.dumps(shown(at), default=str)
    assert "Adele" not in told
    assert told.count("Megan Bowen") == 3
    assert shown(at, text="Adele") == []
    path = tmp_path / "record.jsonl"
    assert export.write(at.pk, path) == 3
    assert "Adele" not in path.read_text()
    heads.export(at.pk)
    assert verification.verify(at.pk, tmp_path / "heads").ok
    assert export.verify_file(path).ok
    path.write_text(path.read_text().replace('"entries":[2,3]', '"entries":[2]'))
    assert "withheld" in " ".join(export.verify_file(path).integrity)


TOUCHED = {
    "changed": "UPDATE audit_label SET text = 'Alex Wilber' WHERE text = 'Adele Vance'",
    "gone": "DELETE FROM audit_label WHERE text = 'Adele Vance'",
    "destroyed in silence": "UPDATE audit_label SET text = '', key = '', erased_at = now()",
}


@pytest.mark.parametrize("sql", TOUCHED.values(), ids=TOUCHED)
def test_a_name_that_somebody_touched_is_a_fault(at, tmp_path, sql):
    asked_for(at)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_label DISABLE TRIGGER USER")
        cursor.execute(sql)
        cursor.execute("ALTER TABLE audit_label ENABLE TRIGGER USER")

    assert verification.verify(at.pk, tmp_path / "heads").integrity


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_label SET text = 'x'",
        "UPDATE audit_label SET text = '', key = '', erased_at = now(), person_id = 'x'",
        "DELETE FROM audit_label",
        "TRUNCATE audit_label",
    ],
)
def test_the_database_lets_names_be_destroyed_and_nothing_else(at, sql):
    asked_for(at)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_nobody_passes_for_another_by_their_name(at):
    """A name may hold what looks like a reference: it is taken out."""
    services.record(E.SIGNED_IN, tenant_id=at.pk, actor=ADELE)
    (ref,) = Label.objects.values_list("ref", flat=True)
    services.record(E.SIGNED_IN, tenant_id=at.pk, actor=Actor("app", f"\x02{ref}\x03"), target_label=f"\x02{ref}\x03")

    assert shown(at)[0][:2] == (ref, ref)


def test_many_entries_cost_two_queries_more_and_a_page_two(at):
    people = [Actor(str(uuid4()), f"Person {number}") for number in range(40)]
    drafts = [services.Draft(event=E.STEP_VERIFIED, tenant_id=at.pk, actor=one, target_label=TITLE) for one in people]
    services.record_many(drafts)

    with CaptureQueriesContext(connection) as again:
        services.record_many(drafts)
    with CaptureQueriesContext(connection) as page:
        selectors.page(selectors.entries(at.pk))

    beside = [query["sql"] for query in again if "audit_label" in query["sql"]]
    assert len(beside) == 1, "known names are read once and stored never again"
    assert len(page) == 3


def test_names_cost_one_statement_for_a_batch_be_they_new_or_known(at):
    services.record(E.SIGNED_IN, tenant_id=at.pk, actor=MEGAN)  # the chain has begun
    people = [Actor(str(uuid4()), f"Person {number}") for number in range(20)]

    def statements(event) -> list[str]:
        with CaptureQueriesContext(connection) as asked, transaction.atomic():
            services.record_many([services.Draft(event=event, tenant_id=at.pk, actor=who) for who in people])
        return [one["sql"].split()[0] for one in asked if "SAVEPOINT" not in one["sql"]]

    new, known = statements(E.SIGNED_IN), statements(E.SIGNED_OUT)

    assert new == known == ["SELECT", "WITH", "WITH"]  # the chain's lock, the names, the entries with the chain's end
    assert Label.objects.count() == len(people) + 1
    assert shown(at)[0][0] == "Person 19"


def test_an_erased_name_is_never_referred_to_again(at):
    services.record(E.SIGNED_IN, tenant_id=at.pk, actor=ADELE)
    erase(at, ADELE)
    (erased,) = Label.objects.filter(erased_at__isnull=False)

    services.record(E.SIGNED_IN, tenant_id=at.pk, actor=ADELE)

    newest = AuditEntry.objects.order_by("sequence").last()
    anew = Label.objects.get(person_id=ADELE.id, erased_at=None)
    assert newest.actor_label == f"{personal.OPEN}{anew.ref}{personal.CLOSE}"
    assert anew.ref != erased.ref
    assert bytes(Label.objects.get(pk=erased.pk).key) == b""


def test_a_record_that_cannot_be_written_takes_the_callers_transaction_with_it(at, settings):
    settings.AUDIT_KEYS = []

    def go_on_all_the_same():
        with pytest.raises(ImproperlyConfigured):
            services.record(E.SIGNED_IN, tenant_id=at.pk, actor=MEGAN)
        Label.objects.exists()

    with transaction.atomic(), pytest.raises(transaction.TransactionManagementError):
        go_on_all_the_same()
