"""A tenant that leaves is in a signed folder, and nowhere else; the others, and the proofs, stay as they were."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts import services as accounts
from accounts.access import Actor
from accounts.ids import OPERATOR
from accounts.models import Tenant, TokenCache
from accounts.tenancy import no_context, tenant_context
from audit import heads
from audit.models import AuditEntry, AuditEvent, ChainHead
from b2c.models import GateCredential
from portal.leaving import offboarding
from revocation.models import RevocationRequest
from tests.portal.test_retention import use


@pytest.fixture
def at(contoso, settings, tmp_path):
    settings.AUDIT_HEADS_DIR, settings.AUDIT_ARCHIVE_DIR = tmp_path / "heads", tmp_path / "archive"
    return contoso


@pytest.fixture
def used(at, adele, megan, fabrikam, robin):
    """Contoso in use, with a person let in at Fabrikam and one of Fabrikam's let in; Fabrikam in use too."""
    for tenant in (at, fabrikam):
        with tenant_context(tenant.pk):
            use(tenant, timezone.now())
            TokenCache.objects.filter(tenant=tenant).update(blob=b"refresh-token")
            GateCredential.objects.filter(tenant=tenant).update(digest="hash-of-a-secret")
    accounts.grant_membership(fabrikam, adele.user, ["helpdesk"], actor=Actor.of(robin.membership))
    accounts.grant_membership(at, robin.user, ["helpdesk"], actor=Actor.of(megan.membership))
    with tenant_context(fabrikam.pk):
        heads.export(fabrikam.pk)
    return at


def offboard(folder, *, name="Contoso", **options):
    out = StringIO()
    call_command("offboard", "contoso", output=folder, yes_destroy=name, stdout=out, **options)
    return out.getvalue()


def rows_of(tenant_id) -> dict[str, int]:
    found = {}
    with tenant_context(tenant_id), connection.cursor() as cursor:
        for model in offboarding.owned():
            cursor.execute(f'SELECT count(*) FROM "{model._meta.db_table}" WHERE tenant_id = %s', [tenant_id])
            if count := cursor.fetchone()[0]:
                found[model._meta.label] = count
    return found


def test_a_tenant_that_leaves_is_exported_and_nothing_of_it_stays(used, fabrikam, tmp_path, settings):
    pk, folder = used.pk, tmp_path / "out"
    had, others = rows_of(pk), rows_of(fabrikam.pk)
    with tenant_context(pk):
        entries = ChainHead.objects.get(tenant_id=pk).sequence

    offboard(folder)

    assert rows_of(pk) == {}
    assert not Tenant.objects.filter(pk=pk).exists()
    assert not (tmp_path / "archive" / str(pk)).exists()
    left = rows_of(fabrikam.pk)
    assert {name: n for name, n in left.items() if not name.startswith("audit.")} == {
        name: n - (name == "accounts.Membership") for name, n in others.items() if not name.startswith("audit.")
    }
    body = json.loads((folder / "manifest.json").read_text())
    counted = {name: n for name, n in had.items() if not name.startswith("audit.") and name in body["rows"]}
    beside = ("accounts.TokenCache", "accounts.Membership")
    assert {name: n for name, n in body["rows"].items() if n and name in counted and name not in beside} == {
        name: n for name, n in counted.items() if name not in beside
    }
    text = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    assert "Adele Vance" in text
    assert "refresh-token" not in text
    assert "cmVmcmVzaC10b2tlbg" not in text, "nor in base64"
    assert "hash-of-a-secret" not in text
    call_command("offboard", check=folder, stdout=StringIO())
    with tenant_context(OPERATOR):
        told = AuditEntry.objects.get(event=AuditEvent.TENANT_LEFT)
    assert (told.target_id, told.target_label) == (str(pk), "Contoso")
    assert told.after["entries"] >= entries
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert "left the portal" in out.getvalue()


@pytest.mark.parametrize("state", ["active", "suspended", "pending"])
def test_it_is_suspended_on_the_record_before_it_is_exported(used, tmp_path, state: str):
    Tenant.objects.filter(pk=used.pk).update(state=state)
    folder = tmp_path / "out"
    offboard(folder)

    entries = [json.loads(line) for path in folder.glob("record/*/*.jsonl") for line in path.read_text().splitlines()]
    changed = [one for one in entries if one.get("event") == AuditEvent.TENANT_CHANGED and one["after"]]
    suspended = [one for one in changed if one["after"].get("state") == "suspended"]
    assert [(one["before"]["state"], one["reason"]) for one in suspended] == (
        [("active", "offboarding")] if state == "active" else []
    )
    assert any(one.get("event") == AuditEvent.SIGNED_OUT for one in entries), "whoever was in is out, whatever it was"


def test_an_exported_folder_that_was_touched_is_told(used, tmp_path):
    folder = tmp_path / "out"
    offboard(folder)
    path = folder / "rows" / "accounts.User.jsonl"
    path.write_text(path.read_text().replace("Adele", "Alex", 1))

    with pytest.raises(CommandError, match="NOT what was exported"):
        call_command("offboard", check=folder, stdout=StringIO())


def test_nothing_is_destroyed_without_its_name_or_while_something_is_open(used, tmp_path):
    with pytest.raises(CommandError, match="not Contoso"):
        offboard(tmp_path / "out", name="contoso")
    with tenant_context(used.pk):
        who = {"actor_id": "x", "actor_label": "x", "digest": "", "step_count": 1}
        RevocationRequest.objects.create(tenant=used, kind="sign_out", title="Sign out 9 people", state="paused", **who)
    with pytest.raises(CommandError, match="Sign out 9 people"):
        offboard(tmp_path / "out")
    used.refresh_from_db()
    assert used.is_active

    offboard(tmp_path / "out", stop=True)

    assert not Tenant.objects.filter(pk=used.pk).exists()


def test_an_export_that_cannot_be_written_destroys_nothing(used, tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(offboarding, "_copy", full)
    had = rows_of(used.pk)
    with pytest.raises(CommandError, match="Nothing was destroyed"):
        offboard(tmp_path / "out")

    assert not (tmp_path / "out").exists()
    left = rows_of(used.pk)
    assert {name for name in had if name not in left} == {"audit.AuditEntry", "accounts.TokenCache"}
    with no_context():
        call_command("verify_audit", tenant="contoso", stdout=StringIO())
