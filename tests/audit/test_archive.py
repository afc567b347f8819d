"""Older entries leave the database for signed files; database, files and heads are still one record."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.access import Actor
from accounts.tenancy import tenant_context
from audit import archive, export, heads, services, tally, verification
from audit.models import AuditEntry, AuditEvent, ChainHead, Segment
from audit.state import state_of

OLD, NEW = 9, 4  # entries


@pytest.fixture
def at(contoso, settings, tmp_path, monkeypatch):
    """A record of which the first nine entries are two years old, archived four at a time."""
    settings.AUDIT_HEADS_DIR, settings.AUDIT_ARCHIVE_DIR = tmp_path / "heads", tmp_path / "archive"
    monkeypatch.setattr(archive, "SIZE", 4)
    with tenant_context(contoso.pk):
        with monkeypatch.context() as then:
            long_ago = timezone.now() - timedelta(days=730)
            then.setattr(timezone, "now", lambda: long_ago)
            write(contoso, OLD)
        write(contoso, NEW)
        heads.export(contoso.pk)
        yield contoso


def write(tenant, count):
    drafts = [
        services.Draft(event=AuditEvent.STEP_RETRIED, tenant_id=tenant.pk, actor=Actor.system(), after={"code": "429"})
        for _ in range(count)
    ]
    services.record_many(drafts)


def archived(tenant) -> list[Segment]:
    call_command("archive_audit", tenant="contoso", stdout=StringIO())
    return list(Segment.objects.filter(tenant_id=tenant.pk))


def report(tenant, **options):
    return verification.verify(tenant.pk, options.pop("heads", None) or _heads(), **options)


def _heads() -> Path:
    from django.conf import settings

    return settings.AUDIT_HEADS_DIR


def test_older_entries_leave_and_the_chain_goes_on(at, tmp_path):
    before = tally.of_all([at.pk])[at.pk]
    segments = archived(at)
    write(at, 1)

    assert [(one.first, one.last) for one in segments] == [(1, 4), (5, 8), (9, 9)]
    assert AuditEntry.objects.order_by("sequence").values_list("sequence", flat=True)[0] == OLD + 1
    found = report(at)
    assert (found.ok, found.entries) == (True, OLD + NEW + 3 + 1)
    assert "up to 9 are in the archive" in " ".join(found.notes)
    state = state_of(at.pk)
    assert (state.ok, state.archived) == (True, OLD)
    tally._counted.clear()
    assert tally.of_all([at.pk])[at.pk].codes["429"] == before.codes["429"] + 1, "a counter never falls"
    assert archived(at) == segments, "nothing more is due"


def test_an_export_names_the_segments_and_is_checked_with_them(at, tmp_path):
    archived(at)
    path = tmp_path / "record.jsonl"
    export.write(at.pk, path)
    folder = tmp_path / "archive"

    assert export.verify_file(path).ok
    assert export.verify_file(path, _heads(), folder).ok
    edit(next(folder.rglob("*-000000000004.jsonl")), "429", "428")
    assert export.verify_file(path).ok, "what it does not look at it does not judge"
    assert export.verify_file(path, _heads(), folder).integrity


def test_the_folder_of_a_tenant_is_checked_without_a_database(at, tmp_path, django_assert_num_queries):
    archived(at)
    folder = tmp_path / "archive" / str(at.pk)
    with django_assert_num_queries(0):
        assert verification.verify_folder(folder, _heads()).ok
        call_command("verify_audit", file=folder, stdout=StringIO())

    edit(folder / "000000000005-000000000008.manifest.json", '"last":8', '"last":7')
    assert not verification.verify_folder(folder).ok


def edit(path, old, new):
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


HANDS = {
    "an edited entry": lambda folder: edit(next(folder.rglob("*-000000000008.jsonl")), "429", "428"),
    "a file that is gone": lambda folder: next(folder.rglob("*-000000000008.jsonl")).unlink(),
    "a line that is gone": lambda folder: edit(next(folder.rglob("*-000000000009.jsonl")), "{", ""),
    "a segment's row that is gone": lambda folder: sql("DELETE FROM audit_segment WHERE last = 8"),
    "every row of a segment gone": lambda folder: sql("DELETE FROM audit_segment"),
    "a row that was edited": lambda folder: sql("UPDATE audit_segment SET digest = 'x' WHERE last = 4"),
    "a segment made up": lambda folder: sql("UPDATE audit_segment SET last = 10 WHERE last = 9"),
}


@pytest.mark.parametrize("hand", HANDS.values(), ids=HANDS)
def test_what_somebody_does_to_the_archive_is_a_fault(at, tmp_path, hand):
    archived(at)
    hand(tmp_path / "archive")

    assert not report(at).untouched


def sql(statement):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE audit_segment DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE audit_segment ENABLE TRIGGER USER")


def test_an_archive_that_is_elsewhere_is_not_proven_and_no_fault(at, tmp_path):
    archived(at)
    (tmp_path / "archive").rename(tmp_path / "moved")

    assert report(at).untouched
    assert report(at).unproven
    assert report(at, archives=tmp_path / "moved").ok


def test_a_file_that_does_not_read_back_costs_no_entry(at, monkeypatch):
    real = archive._write

    def torn(path, rows):
        digest = real(path, rows)
        path.write_bytes(path.read_bytes()[:-20])
        return digest

    monkeypatch.setattr(archive, "_write", torn)
    with pytest.raises(CommandError, match="does not read back"):
        archived(at)

    assert AuditEntry.objects.count() == OLD + NEW
    assert report(at).ok


def test_what_no_head_vouches_for_stays(at, tmp_path, settings):
    settings.AUDIT_HEADS_DIR = tmp_path / "empty"

    assert archived(at) == []
    assert AuditEntry.objects.count() == OLD + NEW


def test_entries_stay_as_long_as_requests(at, settings):
    settings.AUDIT_KEEP_DAYS = 300
    with pytest.raises(CommandError, match="KEEP_REQUESTS_DAYS"):
        archived(at)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_auditentry WHERE sequence = 10",
        "DELETE FROM audit_chainhead",
        "DELETE FROM audit_segment",
        "UPDATE audit_segment SET last = 99",
    ],
)
def test_the_database_lets_go_of_what_is_archived_and_of_nothing_else(at, statement):
    archived(at)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_whole_record_of_one_who_leaves_is_archived_and_let_go(at, tmp_path):
    last = ChainHead.objects.get(tenant_id=at.pk).sequence
    segments = list(archive.archive(at.pk, None, Actor.command_line()))
    archive.let_go(at.pk)

    assert segments[-1].last == last
    assert not AuditEntry.objects.exists()
    found = verification.verify_folder(tmp_path / "archive" / str(at.pk), _heads())
    assert (found.ok, found.entries) == (True, last)
    body = json.loads(next((tmp_path / "archive").rglob("*.manifest.json")).read_text())
    assert archive.holds(body)
