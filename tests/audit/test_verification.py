"""What somebody with rights on the database, a folder or an old key tries to hide, `verify_audit` names."""

import shutil
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from audit import export, heads, services
from audit.models import AuditEntry, AuditEvent
from audit.state import state_of
from tests.audit.test_chain import tamper
from tests.factories import make_tenant

OLD, NEW = "a1" * 32, "b2" * 32


@pytest.fixture(autouse=True)
def _own_heads(settings, tmp_path):
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"
    settings.AUDIT_KEYS = [OLD]


@pytest.fixture
def ago(monkeypatch):
    """Set the clock back by this long, from now on; `ago()` sets it right again."""
    real = timezone.now

    def set_back(**by) -> None:
        monkeypatch.setattr(timezone, "now", lambda: real() - timedelta(**by))

    return set_back


@pytest.fixture
def tailspin(db):
    """A tenant with a record, and nothing else that would have to go with it."""
    return make_tenant(uuid4(), "Tailspin", "tailspin.example")


def record(tenant, count=1):
    with tenant_context(tenant.pk):
        for number in range(count):
            services.record(
                AuditEvent.SIGNED_IN, tenant_id=tenant.pk, actor=Actor("a", "Adele"), reason=f"number {number}"
            )


def export_heads(tenant):
    with tenant_context(tenant.pk):
        return heads.export(tenant.pk)


def verify(**options):
    """What the command says, and whether it is content."""
    out = StringIO()
    try:
        call_command("verify_audit", stdout=out, **options)
    except CommandError as error:
        return f"{out.getvalue()}{error}", False
    return out.getvalue(), True


def cut_to(tenant, length):
    """Cut the newest entries off and put the head back, so that the chain by itself is whole."""
    with tenant_context(tenant.pk):
        left = AuditEntry.objects.get(tenant_id=tenant.pk, sequence=length)
        tamper("DELETE FROM audit_auditentry WHERE sequence > %s", length)
        tamper("UPDATE audit_chainhead SET sequence = %s, mac = %s", length, bytes(left.mac))


# --- heads that are not there ------------------------------------------------------------------------------


def test_without_its_heads_a_chain_is_not_proven_complete(contoso, settings, ago):
    ago(hours=1)
    record(contoso, 5)
    export_heads(contoso)
    shutil.rmtree(settings.AUDIT_HEADS_DIR)
    cut_to(contoso, 3)
    ago()

    said, content = verify()

    assert not content
    assert "completeness: NOT PROVEN" in said
    assert "NOT what was written" not in said, "nothing contradicts it either"


def test_a_chain_that_just_began_needs_no_head_yet(contoso):
    record(contoso, 2)

    said, content = verify()

    assert content
    assert "no signed head was exported yet" in said


def test_the_heads_of_a_tenant_whose_row_is_gone_are_looked_at(tailspin):
    record(tailspin, 3)
    export_heads(tailspin)
    with tenant_context(tailspin.pk):
        tamper("DELETE FROM audit_auditentry")
        tamper("DELETE FROM audit_chainhead")
    Tenant.objects.filter(pk=tailspin.pk).delete()

    said, content = verify()

    assert not content
    assert "A signed head recorded 3 entries; the newest found is 0" in said
    assert "the database knows it no more" in said


def test_a_tenant_whose_row_alone_is_gone_is_missed_too(tailspin):
    record(tailspin, 3)
    export_heads(tailspin)
    Tenant.objects.filter(pk=tailspin.pk).delete()

    said, content = verify()

    assert not content
    assert "3 entries" in said


def test_a_tenant_that_left_is_no_fault(tailspin, settings):
    record(tailspin, 3)
    export_heads(tailspin)
    heads.end(tailspin.pk)
    with tenant_context(tailspin.pk):
        tamper("DELETE FROM audit_auditentry")
        tamper("DELETE FROM audit_chainhead")
    Tenant.objects.filter(pk=tailspin.pk).delete()

    said, content = verify()

    assert content
    assert "left the portal" in said

    (file,) = settings.AUDIT_HEADS_DIR.glob("*.jsonl")
    file.write_text(file.read_text().replace('"ended":false', '"ended":true').replace('"sequence":3', '"sequence":2'))
    assert not verify()[1]


def test_heads_that_are_behind_are_said_to_be(contoso, ago):
    ago(hours=1)
    record(contoso, 2)
    export_heads(contoso)
    record(contoso, 4)
    ago()

    said, content = verify()

    assert content
    assert "the newest signed head is of entry 2: no head vouches for the 4 since" in said


# --- keys that were replaced -------------------------------------------------------------------------------


def test_a_replaced_key_signs_nothing_any_more(contoso, settings, ago):
    ago(days=3)
    record(contoso, 2)
    settings.AUDIT_KEYS = [NEW, OLD]
    record(contoso)
    ago()
    record(contoso)
    settings.AUDIT_KEYS = [OLD, NEW]  # whoever kept the old one writes
    record(contoso)
    settings.AUDIT_KEYS = [NEW, OLD]
    export_heads(contoso)

    said, content = verify()

    assert not content
    assert "Entry 5 is signed with the key" in said
    assert said.count("had been replaced") == 1


def test_setting_the_time_back_helps_a_replaced_key_nothing(contoso, settings, ago):
    ago(days=3)
    settings.AUDIT_KEYS = [NEW, OLD]
    record(contoso, 2)
    ago()
    record(contoso)
    ago(days=3)
    settings.AUDIT_KEYS = [OLD, NEW]
    record(contoso)
    settings.AUDIT_KEYS = [NEW, OLD]

    assert "Entry 4 is signed with the key" in verify()[0]


def test_processes_may_take_the_new_key_one_after_the_other(contoso, settings):
    for order in ([OLD], [NEW, OLD], [OLD, NEW], [NEW, OLD]):
        settings.AUDIT_KEYS = order
        record(contoso)
        export_heads(contoso)

    assert verify()[1]


def test_a_replaced_key_signs_no_head(contoso, settings, ago):
    ago(days=3)
    settings.AUDIT_KEYS = [NEW, OLD]
    record(contoso)
    export_heads(contoso)
    ago()
    record(contoso)
    settings.AUDIT_KEYS = [OLD, NEW]
    export_heads(contoso)
    settings.AUDIT_KEYS = [NEW, OLD]

    said, content = verify()

    assert not content
    assert "line 2: this head is signed with the key" in said


def test_the_page_names_a_replaced_key(contoso, settings, ago):
    ago(days=3)
    settings.AUDIT_KEYS = [NEW, OLD]
    record(contoso)
    ago()
    settings.AUDIT_KEYS = [OLD, NEW]
    record(contoso)
    settings.AUDIT_KEYS = [NEW, OLD]

    with tenant_context(contoso.pk):
        assert "had been replaced" in " ".join(state_of(contoso.pk).faults)


# --- files that can be read in two ways --------------------------------------------------------------------


@pytest.fixture
def file(contoso, tmp_path):
    record(contoso, 4)
    path = tmp_path / "record.jsonl"
    with tenant_context(contoso.pk):
        export.write(contoso.pk, path)
    return path


def changed(text, number, old, new):
    lines = text.splitlines(keepends=True)
    assert old in lines[number]
    return "".join([*lines[:number], lines[number].replace(old, new, 1), *lines[number + 1 :]])


AMBIGUOUS = {
    "a reason twice": (2, '"reason":', '"reason":"nothing happened","reason":'),
    "a nested field twice": (2, '"before":null', '"before":null,"before":null'),
    "another order": (2, '{"action":"",', '{ "action":"",'),
    "an escape": (2, "Adele", "\\u0041dele"),
    "another line end": (2, "\n", "\r\n"),
    "the time of the header": (0, '"at":"2', '"at":"1'),
    "more in the header": (0, '{"at"', '{"approved":true,"at"'),
    "a number in another spelling": (0, '"entries":4', '"entries":4.0'),
    "a head's field twice": (-1, '"at":', '"at":"2020-01-01T00:00:00.000000Z","at":'),
}


@pytest.mark.parametrize("way", AMBIGUOUS)
def test_a_line_that_reads_in_two_ways_is_a_fault(file, way):
    assert export.verify_file(file).ok
    number, old, new = AMBIGUOUS[way]
    text = file.read_bytes().decode()
    number %= text.count("\n")
    file.write_bytes(changed(text, number, old, new).encode())

    assert export.verify_file(file).integrity, way


@pytest.mark.parametrize("line", [b"[" * 100_000, b'{"type":"entry","sequence":NaN}', b"\xff\xfe", b"7" * 5000, b'"x"'])
def test_a_line_that_is_no_entry_is_a_fault_and_no_crash(file, line):
    file.write_bytes(file.read_bytes() + line + b"\n")

    assert not export.verify_file(file).ok


def test_an_export_is_compared_with_the_heads_of_its_time(contoso, settings, file):
    assert "holds no signed head" in " ".join(export.verify_file(file, settings.AUDIT_HEADS_DIR).unproven)
    export_heads(contoso)
    record(contoso, 3)
    export_heads(contoso)

    report = export.verify_file(file, settings.AUDIT_HEADS_DIR)

    assert report.ok, "what came after it is not missing from it"
    assert any("as it stood at" in note for note in report.notes)


def test_a_head_that_names_a_field_twice_is_a_fault(contoso):
    record(contoso, 2)
    path = export_heads(contoso)
    path.write_text(path.read_text().replace('"sequence":2', '"sequence":1,"sequence":2'))

    said, content = verify()

    assert not content
    assert "the signature of this head does not hold" in said
