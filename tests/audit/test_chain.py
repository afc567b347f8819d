"""Every edit, insertion, deletion, swap and tail cut of the record is reported, in the database and in a file."""

import json
import uuid
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.access import Actor
from accounts.tenancy import tenant_context
from audit import canonical, chain, export, heads, services, verification
from audit.models import AuditEntry, AuditEvent, ChainHead

LENGTH = 6


@pytest.fixture
def record(contoso, settings, tmp_path):
    """A record of six entries, with a signed head exported after the last."""
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"
    with tenant_context(contoso.id):
        for number in range(LENGTH):
            services.record(
                AuditEvent.STEP_VERIFIED,
                tenant_id=contoso.id,
                actor=Actor("someone", "Someone"),
                approver=Actor("other", "Other"),
                action="delete_grant",
                target_type="grant",
                target_id=f"grant-{number}",
                target_label="Mail Sidekick",
                outcome="verified",
                reason="Because",
                ticket=f"T-{number}",
                request_id=uuid.uuid4(),
                graph_request_id="g",
                before={"scopes": ["Mail.Read", "ü", 1.5, None]},
                after={"n": number},
            )
        heads.export(contoso.id)
        yield contoso


def tamper(sql: str, *parameters) -> None:
    """What somebody can do who owns the tables: switch the triggers off first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE audit_auditentry DISABLE TRIGGER USER; ALTER TABLE audit_chainhead DISABLE TRIGGER USER"
        )
        cursor.execute(sql, parameters)
        cursor.execute(
            "ALTER TABLE audit_auditentry ENABLE TRIGGER USER; ALTER TABLE audit_chainhead ENABLE TRIGGER USER"
        )


def live_report(tenant):
    return verification.verify(tenant.id, settings_heads())


def settings_heads():
    from django.conf import settings

    return settings.AUDIT_HEADS_DIR


def file_report(tenant, tmp_path):
    path = tmp_path / "record.jsonl"
    export.write(tenant.id, path)
    return export.verify_file(path, settings_heads())


def test_an_untouched_record_is_whole(record, tmp_path):
    assert live_report(record).ok
    assert file_report(record, tmp_path).ok
    assert live_report(record).entries == LENGTH


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_auditentry SET reason = 'x'",
        "DELETE FROM audit_auditentry",
        "TRUNCATE audit_auditentry",
        "DELETE FROM audit_chainhead",
        "UPDATE audit_chainhead SET sequence = 1",
    ],
)
def test_the_database_refuses_to_change_the_record(record, sql):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


EDITS = {
    "id": uuid.UUID(int=1),
    "tenant_id": None,  # below: needs a second tenant
    "sequence": 99,
    "at": timezone.now() - timedelta(days=1),
    "event": "revocation.step.failed",
    "actor_id": "x",
    "actor_label": "x",
    "approver_id": "x",
    "approver_label": "x",
    "action": "x",
    "target_type": "x",
    "target_id": "x",
    "target_label": "x",
    "outcome": "x",
    "reason": "x",
    "ticket": "x",
    "request_id": uuid.UUID(int=2),
    "graph_request_id": "x",
    "before": '{"scopes": []}',
    "after": "null",
    "key_id": "0" * 16,
}


def test_every_field_is_signed():
    assert set(chain.SIGNED_FIELDS) == set(EDITS)
    assert {f.attname for f in AuditEntry._meta.concrete_fields} == set(EDITS) | {"mac"}


@pytest.mark.parametrize("field", [name for name in EDITS if name != "tenant_id"])
@pytest.mark.parametrize("place", [1, 3, LENGTH])
def test_an_edit_is_reported(record, tmp_path, field, place):
    tamper(f'UPDATE audit_auditentry SET "{field}" = %s WHERE sequence = %s', EDITS[field], place)

    assert live_report(record).integrity
    assert not file_report(record, tmp_path).ok


@pytest.mark.parametrize("place", [1, 3, LENGTH])
def test_an_edited_mac_is_reported(record, tmp_path, place):
    tamper("UPDATE audit_auditentry SET mac = %s WHERE sequence = %s", b"\x00" * 32, place)

    assert live_report(record).integrity
    assert not file_report(record, tmp_path).ok


@pytest.mark.parametrize("place", [1, 3, LENGTH - 1])
def test_a_deletion_is_reported(record, tmp_path, place):
    tamper("DELETE FROM audit_auditentry WHERE sequence = %s", place)

    assert live_report(record).integrity
    assert not file_report(record, tmp_path).ok


@pytest.mark.parametrize("renumbered", [False, True])
def test_an_insertion_is_reported(record, tmp_path, renumbered):
    if renumbered:
        tamper("UPDATE audit_auditentry SET sequence = -sequence WHERE sequence > 3")
        tamper("UPDATE audit_auditentry SET sequence = 1 - sequence WHERE sequence < 0")
    columns = ", ".join(f'"{f.column}"' for f in AuditEntry._meta.concrete_fields if f.column not in ("id", "sequence"))
    number = 4 if renumbered else LENGTH + 1
    tamper(
        f"INSERT INTO audit_auditentry (id, sequence, {columns})"
        f" SELECT gen_random_uuid(), {number}, {columns} FROM audit_auditentry WHERE sequence = 3"
    )

    assert live_report(record).integrity
    # An export ends at the head, so what was put behind it does not get that far.
    assert file_report(record, tmp_path).ok is not renumbered


def test_a_swap_is_reported(record, tmp_path):
    tamper("UPDATE audit_auditentry SET sequence = -sequence WHERE sequence IN (2, 3)")
    tamper("UPDATE audit_auditentry SET sequence = 5 + sequence WHERE sequence < 0")

    assert live_report(record).integrity
    assert not file_report(record, tmp_path).ok


@pytest.mark.parametrize("cut", [1, 3, LENGTH])
def test_a_cut_tail_is_reported(record, cut):
    tamper("DELETE FROM audit_auditentry WHERE sequence > %s", LENGTH - cut)

    assert live_report(record).completeness


@pytest.mark.parametrize("cut", [1, 3])
def test_a_cut_tail_is_reported_even_with_the_head_set_back(record, tmp_path, cut):
    left = AuditEntry.objects.get(sequence=LENGTH - cut)
    tamper("DELETE FROM audit_auditentry WHERE sequence > %s", left.sequence)
    tamper("UPDATE audit_chainhead SET sequence = %s, mac = %s", left.sequence, bytes(left.mac))

    report = live_report(record)
    assert (bool(report.integrity), bool(report.completeness)) == (False, True)
    assert file_report(record, tmp_path).completeness


def test_a_record_wiped_whole_is_reported(record):
    tamper("DELETE FROM audit_auditentry")
    tamper("DELETE FROM audit_chainhead")

    assert live_report(record).completeness


def test_a_record_written_anew_after_a_cut_is_reported(record):
    tamper("DELETE FROM audit_auditentry WHERE sequence = %s", LENGTH)
    left = AuditEntry.objects.get(sequence=LENGTH - 1)
    tamper("UPDATE audit_chainhead SET sequence = %s, mac = %s", left.sequence, bytes(left.mac))
    services.record(AuditEvent.SIGNED_IN, tenant_id=record.id, actor=Actor("a", "A"))

    assert live_report(record).integrity


def test_an_entry_of_another_tenant_does_not_fit(record, fabrikam):
    with tenant_context(fabrikam.id):
        services.record(AuditEvent.SIGNED_IN, tenant_id=fabrikam.id, actor=Actor("a", "A"))
    theirs = fabrikam.id
    with tenant_context(fabrikam.id):
        foreign = AuditEntry.objects.get(tenant_id=theirs)
        fields, mac = chain.fields_of(foreign), bytes(foreign.mac).hex()

    report = chain.verify_rows(str(record.id), [(fields | {"tenant_id": str(record.id)}, mac)])
    assert report.integrity


def test_a_rotated_key_still_verifies_what_it_signed(record, settings):
    settings.AUDIT_KEYS = ["b2" * 32, *settings.AUDIT_KEYS]
    services.record(AuditEvent.SIGNED_IN, tenant_id=record.id, actor=Actor("a", "A"))

    assert live_report(record).ok
    entries = AuditEntry.objects.order_by("sequence")
    assert entries.last().key_id != entries.first().key_id


def test_without_the_key_nothing_verifies(record, settings):
    settings.AUDIT_KEYS = ["c3" * 32]

    assert not live_report(record).ok


def test_nothing_is_written_into_another_tenants_chain(record, fabrikam):
    with pytest.raises(DatabaseError), transaction.atomic():
        services.record(AuditEvent.SIGNED_IN, tenant_id=fabrikam.id, actor=Actor("a", "A"))


FILE_ATTACKS = {
    "an edit": lambda lines: [lines[0], lines[1].replace("Because", "Never"), *lines[2:]],
    "a deletion": lambda lines: [*lines[:3], *lines[4:]],
    "a swap": lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    "an insertion": lambda lines: [*lines[:3], lines[2], *lines[3:]],
    "a cut tail": lambda lines: lines[:-1],
    "a cut tail with the head kept": lambda lines: [*lines[:-2], lines[-1]],
    "a cut end of line": lambda lines: [*lines[:-1], lines[-1][: len(lines[-1]) // 2]],
    "an entry after the head": lambda lines: [*lines, lines[-2]],
    "a missing header": lambda lines: lines[1:],
    "a forged head": lambda lines: [*lines[:-1], lines[-1].replace('"sequence":6', '"sequence":5')],
    "an unreadable line": lambda lines: [*lines[:2], "not json\n", *lines[2:]],
    "an empty file": lambda lines: [],
}


@pytest.mark.parametrize("attack", FILE_ATTACKS)
def test_an_exported_file_shows(record, tmp_path, attack):
    path = tmp_path / "record.jsonl"
    export.write(record.id, path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(FILE_ATTACKS[attack](lines)))

    assert not export.verify_file(path).ok


def test_each_byte_of_an_exported_entry_counts(record, tmp_path):
    path = tmp_path / "record.jsonl"
    export.write(record.id, path)
    lines = path.read_text().splitlines(keepends=True)
    entry = json.loads(lines[2])

    for name, value in entry.items():
        if name == "type":
            continue
        changed = f"{value}x" if isinstance(value, str) else [value]
        edited = canonical.encode(entry | {name: changed}).decode() + "\n"
        path.write_text("".join([*lines[:2], edited, *lines[3:]]))
        assert not export.verify_file(path).ok, name


def test_the_command_says_integrity_and_completeness_apart(record, tmp_path):
    out = StringIO()
    call_command("verify_audit", tenant="contoso", stdout=out)
    assert "integrity: ok" in out.getvalue()
    tamper("DELETE FROM audit_auditentry WHERE sequence = %s", LENGTH)

    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit", tenant="contoso", stdout=out)
    assert "integrity: ok" in out.getvalue()
    assert "completeness: FAULT" in out.getvalue()


def test_a_head_that_was_edited_is_reported(record):
    path = settings_heads() / f"{record.id}.jsonl"
    path.write_text(path.read_text().replace('"sequence":6', '"sequence":3'))

    assert not live_report(record).ok


def test_the_head_of_an_empty_chain_is_its_beginning(record):
    assert ChainHead.objects.get(tenant_id=record.id).sequence == LENGTH
