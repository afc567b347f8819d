"""Erasing a person leaves their names nowhere: every column of every table is looked through."""

import json
import zlib
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts import saved_views, services as accounts
from accounts.access import Actor
from accounts.models import Membership, SavedView, Tenant, User
from accounts.tenancy import tenant_context
from audit import heads, selectors, verification
from audit.models import AuditEntry, AuditEvent
from b2c.models import RefreshRule
from directory.models import PermissionGrant, Person as DirectoryPerson, SearchWord
from inbox.models import Dealt, Report
from revocation import services
from revocation.models import ListDraft, RevocationRequest, RevocationStep
from revocation.steps import Sealer
from tests.audit.test_personal import write_in_clear
from tests.revocation.spine import actor, copy_of


@pytest.fixture
def at(contoso, settings, tmp_path):
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"
    with tenant_context(contoso.pk):
        yield contoso


@pytest.fixture
def known(at, entra, world, adele, megan):
    """Adele, in everything that the portal keeps of somebody who was signed out and reported an app."""
    person = copy_of(at, world, "Adele Vance", mail="adele.vance@contoso.example")
    SearchWord.objects.create(tenant=at, kind="person", word="adele", target_id=person.pk)
    services.sign_out(at, [person], actor=actor(megan), reason="Adele Vance lost her phone")
    services.sign_out_self(adele.membership)
    common = {"tenant": at, "app_id": uuid4()}
    Report.objects.create(**common, app_label="x", actor_id=adele.object_id, actor_label="Adele Vance", user_id=uuid4())
    dealt = {"kind": "reported", "subject_id": uuid4(), "subject_label": "x"}
    Dealt.objects.create(tenant=at, **dealt, note="Asked Adele Vance", by_id="x", by_label="Megan Bowen")
    rule = {"person_id": person.pk, "person_label": "Adele Vance", "issued_before": timezone.now()}
    RefreshRule.objects.create(
        tenant=at, **rule, author_id="x", author_label="x", request_id=uuid4(), reason=person.upn
    )
    rows = zlib.compress(json.dumps({"rows": [["1", person.upn]]}).encode())
    draft = {"actor_id": "x", "source": "paste", "recipe": "sign_out", "digest": "", "expires_at": timezone.now()}
    ListDraft.objects.create(tenant=at, rows=rows, **draft)
    Tenant.objects.filter(pk=at.pk).update(contact_name="Adele Vance", contact_phone="555 0100")
    grant = {"client_id": uuid4(), "resource_id": uuid4(), "consent_type": "AllPrincipals", "synced_at": timezone.now()}
    PermissionGrant.objects.create(tenant=at, graph_id="g", consented_by=person.upn, **grant)
    return person


def erase(person, tenant="contoso"):
    out = StringIO()
    call_command("erase_person", tenant, str(person.pk), stdout=out)
    return out.getvalue()


def where(word) -> list[str]:
    """Tables with this word in any column of a row; lists are packed, and looked into."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text ILIKE %s', [f"%{word}%"])
            found += [table] * cursor.fetchone()[0]
    packed = [zlib.decompress(bytes(rows)) for rows in ListDraft.objects.values_list("rows", flat=True)]
    return found + ["a list" for text in packed if word.encode() in text.lower()]


def test_nothing_in_the_database_says_what_an_erased_person_was_called(at, known, megan, tmp_path):
    heads.export(at.pk)
    assert len(set(where("adele"))) > 10, "it was everywhere"
    assert "audit_auditentry" not in where("adele")

    told = erase(known)

    assert where("adele") == []
    assert where("vance") == []
    assert where("Megan Bowen") != []
    assert not User.objects.filter(object_id=known.pk).exists()
    assert not DirectoryPerson.objects.filter(pk=known.pk).exists()
    assert "Contoso: names destroyed: 1," in told
    report = verification.verify(at.pk, tmp_path / "heads")
    assert (report.ok, report.integrity) == (True, [])
    newest = AuditEntry.objects.filter(event=AuditEvent.PERSON_ERASED).get()
    assert newest.target_id == str(known.pk)
    shown = {entry.actor_label for entry in selectors.page(selectors.entries(at.pk)).items}
    assert {"Megan Bowen", "(erased)"} <= shown


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("Mine", {"q": "Adele Vance"}),
        ("Mine", {"q": "vance, adele"}),
        ("Mine", {"q": "VANCE"}),
        ("Mine", {"sort": "name", "q": "adele.vance@contoso.example"}),
        ("Mine", {"q": "adele.vance"}),
        ("Adele's apps", {"q": "mail"}),
    ],
)
def test_searches_that_colleagues_keep_of_them_go_and_it_is_said(at, known, megan, name, chosen):
    saved_views.keep(megan.membership, "people", name, chosen)
    saved_views.keep(megan.membership, "people", "Berlin", {"q": "berlin", "sort": "name"})

    told = erase(known)

    assert list(SavedView.objects.values_list("name", flat=True)) == ["Berlin"]
    assert where("adele") == where("vance") == []
    assert "kept filters deleted: 1," in told
    assert AuditEntry.objects.get(event=AuditEvent.PERSON_ERASED).after["views"] == 1


def test_what_they_kept_themselves_goes_with_them_and_is_counted(at, known, adele):
    saved_views.keep(adele.membership, "apps", "Mine", {"q": "mail"})

    assert "kept filters deleted: 1," in erase(known)

    assert not SavedView.objects.exists()


def test_a_particle_of_a_name_takes_no_search_away(at, known, megan):
    DirectoryPerson.objects.filter(pk=known.pk).update(display_name="Adele van der Vance")
    saved_views.keep(megan.membership, "apps", "Apps der Woche", {"q": "van"})

    assert "kept filters deleted: 0," in erase(known)

    assert SavedView.objects.count() == 1


def test_older_entries_that_name_them_in_clear_are_withheld(at, known, adele, tmp_path):
    label = {"actor_id": str(known.pk), "actor_label": "Adele Vance"}
    write_in_clear(at, **label)
    write_in_clear(at, actor_id="x", actor_label="X", target_id=str(adele.user.pk), target_label="Adele V.")

    erase(known)

    told = [(one.actor_label, one.target_label) for one in selectors.page(selectors.entries(at.pk)).items]
    assert "Adele" not in str(told)
    assert ("X", "(erased)") in told
    assert verification.verify(at.pk, tmp_path / "heads").untouched


def test_what_was_done_is_still_what_was_sealed(at, known):
    erase(known)

    sealer = Sealer(at.pk)
    steps = list(RevocationStep.objects.all())
    assert {step.target_label for step in steps} == {"(erased)"}
    assert all(sealer.holds(step) for step in steps)
    assert set(RevocationRequest.objects.values_list("title", flat=True)) == {
        "Sign out (erased) everywhere",
        "Sign out everywhere",
    }


def test_a_step_that_somebody_edited_is_not_vouched_for(at, known):
    step = RevocationStep.objects.order_by("pk").first()
    RevocationStep.objects.filter(pk=step.pk).update(urgency=1)

    erase(known)

    step.refresh_from_db()
    assert not Sealer(at.pk).holds(step)


def test_nobody_is_erased_in_the_middle_of_something(at, known):
    RevocationRequest.objects.filter(kind="sign_out").update(state="running")

    with pytest.raises(CommandError, match="is open"):
        erase(known)

    assert "audit_label" in where("adele")


def test_a_person_is_named_by_their_id(at):
    with pytest.raises(CommandError, match="object id"):
        call_command("erase_person", "contoso", "adele@contoso.example")


def test_whom_another_tenant_let_in_is_erased_there_too(at, known, adele, fabrikam, robin):
    with tenant_context(fabrikam.pk):
        accounts.grant_membership(fabrikam, adele.user, ["helpdesk"], actor=Actor.of(robin.membership))
        assert where("adele") != []

    erase(known)

    with tenant_context(fabrikam.pk):
        assert where("adele") == []
        assert AuditEntry.objects.filter(event=AuditEvent.PERSON_ERASED).exists()
        assert not Membership.objects.filter(source="granted").exists()
