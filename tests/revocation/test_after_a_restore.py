"""A backup made in the middle of a list is restored after the list was done: nobody is signed out twice."""

from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.access import Actor
from accounts.ids import OPERATOR
from accounts.tenancy import tenant_context
from audit import heads, services as audit, verification
from audit.models import AuditEntry, AuditEvent
from revocation import services
from revocation.models import RevocationRequest, RevocationStep
from revocation.services.restoring import after_restore
from revocation.spine import executor
from tests.revocation.spine import actor, calls, one_round, sign_out_many, states

State = RevocationRequest.State
# Rows of these are what a list's progress and its record are made of.
TABLES = ["revocation_revocationrequest", "revocation_revocationstep", "audit_auditentry", "audit_chainhead"]


@pytest.fixture(autouse=True)
def _own_heads(settings, tmp_path):
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"
    settings.REVOCATION_READ_BACK_SECONDS = 0


@pytest.fixture
def people(world) -> list[dict]:
    return [one for one in world["tenants"][0]["users"] if not one["guest"]][:6]


def export_head(tenant) -> None:
    with tenant_context(tenant.pk):
        heads.export(tenant.pk)


def back_up() -> None:
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"CREATE TEMPORARY TABLE kept_{table} AS SELECT * FROM {table}")


def restore() -> None:
    """Put the rows back as they were, as whoever owns the tables can."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("audit_auditentry", "audit_chainhead"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for table in reversed(TABLES):
            cursor.execute(f"DELETE FROM {table}")
        for table in TABLES:
            cursor.execute(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM kept_{table}")
        for table in ("audit_auditentry", "audit_chainhead"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def verified(tenant) -> tuple[str, bool]:
    out = StringIO()
    try:
        call_command("verify_audit", tenant=tenant.slug, stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}{error}", False
    return out.getvalue(), True


def run(tenant) -> None:
    RevocationStep.objects.filter(state="claimed").update(lease_until=timezone.now())
    executor.turn(tenant.pk, seconds=15, linger=2)


def signed_out(entra) -> Counter:
    return Counter(one["path"] for one in calls(entra, "POST", "revokeSignInSessions"))


@pytest.fixture
def restored(at_contoso, entra, megan, people):
    """Half of the list was done when the backup was made; then the other half, and another list altogether."""
    half = sign_out_many(at_contoso, megan, people[:3])
    run(at_contoso)
    rest = sign_out_many(at_contoso, megan, people[3:])
    export_head(at_contoso)
    back_up()
    run(at_contoso)
    assert set(states(rest)) == {"verified"}
    export_head(at_contoso)
    restore()
    assert set(states(rest)) == {"waiting"}
    assert set(states(half)) == {"verified"}
    return rest


def test_nothing_goes_on_before_somebody_says_that_it_was_meant(at_contoso, entra, restored, caplog):
    run(at_contoso)

    assert set(states(restored)) == {"waiting"}
    assert max(signed_out(entra).values()) == 1
    assert "after_restore" in caplog.text
    with pytest.raises(heads.Ahead):
        export_head(at_contoso)
    said, content = verified(at_contoso)
    assert not content
    assert "the end is missing" in said


def test_what_was_done_meanwhile_is_found_and_not_done_again(at_contoso, entra, restored):
    call_command("after_restore", tenant=at_contoso.slug, stdout=StringIO())

    restored.refresh_from_db()
    assert restored.state == State.PAUSED
    run(at_contoso)

    assert set(states(restored)) == {"verified"}
    assert set(signed_out(entra).values()) == {1}
    restored.refresh_from_db()
    assert restored.state == State.FINISHED


def test_what_was_not_done_is_done_once_an_administrator_lets_it_go_on(at_contoso, entra, megan, people):
    waiting = sign_out_many(at_contoso, megan, people)
    export_head(at_contoso)
    back_up()
    services.cancel(waiting, actor(megan))
    export_head(at_contoso)
    restore()

    after_restore(at_contoso, Actor.command_line(at_contoso.pk))
    run(at_contoso)
    assert not signed_out(entra)
    services.resume(waiting, actor(megan))
    RevocationStep.objects.update(not_before=None)
    run(at_contoso)

    assert set(states(waiting)) == {"verified"}
    assert set(signed_out(entra).values()) == {1}


def test_the_record_names_the_restore_and_holds_again(at_contoso, restored):
    out = StringIO()
    call_command("after_restore", stdout=out)
    export_head(at_contoso)

    said, content = verified(at_contoso)
    assert content, said
    assert "restored from a backup" in said
    assert AuditEntry.objects.get(event=AuditEvent.TENANT_RESTORED).after["steps"] == 3
    assert AuditEntry.objects.filter(event=AuditEvent.REVOCATION_PAUSED).exists()
    assert "are read back first" in out.getvalue()
    # Once more: nothing is ahead any more.
    assert after_restore(at_contoso, Actor.command_line(at_contoso.pk)) is None


def test_rows_cut_off_without_a_signed_word_stay_a_fault(at_contoso, restored):
    one_round(at_contoso)
    (file,) = heads.settings.AUDIT_HEADS_DIR.glob("*.jsonl")
    lines = file.read_bytes().splitlines(keepends=True)
    forged = lines[0].replace(b'{"', b'{"restored":0,"abandoned":9,"abandoned_mac":"00","', 1)
    file.write_bytes(b"".join([*lines, forged]))

    said, content = verified(at_contoso)
    assert not content
    assert "signature" in said


def test_the_operators_record_goes_on_as_well(db):
    def signed_in() -> None:
        with tenant_context(OPERATOR):
            audit.record(AuditEvent.SIGNED_IN, tenant_id=OPERATOR, actor=Actor.command_line(OPERATOR))
            heads.export(OPERATOR)

    with tenant_context(OPERATOR):
        back_up()
        signed_in()
        signed_in()
        restore()
        audit.record(AuditEvent.SIGNED_IN, tenant_id=OPERATOR, actor=Actor.command_line(OPERATOR))
        with pytest.raises(heads.Ahead):
            heads.export(OPERATOR)

    call_command("after_restore", stdout=StringIO())

    with tenant_context(OPERATOR):
        heads.export(OPERATOR)
    assert verification.verify(OPERATOR, heads.settings.AUDIT_HEADS_DIR).ok
