"""Policies are uploaded through the spine: what was there is kept, what was sent is read back, an undo restores."""

import json
from dataclasses import replace
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from accounts.access import Actor
from accounts.tenancy import tenant_context
from b2c import kept
from b2c.models import PolicyText
from b2c.spec import spec
from graph import custom_policies
from graph.errors import NotFound
from graph.requesting import Requester
from revocation import services
from revocation.actions import upload_policy
from revocation.models import RevocationRequest
from revocation.rules.refusals import NotGranted, NotPossible
from revocation.services import uploading
from revocation.spine import executor
from tests.factories import PERMISSIONS, make_person, make_tenant, with_known_roles

pytestmark = pytest.mark.django_db

CUSTOMERS = UUID("55555555-5555-4555-8555-555555555555")
WRITE = "Policy.ReadWrite.TrustFramework"
TAKEN = "B2C_1A_ProfileEdit"  # one of the sandbox's


@pytest.fixture
def customers(db, entra):
    tenant = with_known_roles(
        make_tenant(CUSTOMERS, "Customers", "cc.onmicrosoft.com", granted_permissions=[*PERMISSIONS, WRITE])
    )
    with tenant_context(tenant.pk):
        yield tenant


@pytest.fixture
def nadia(customers):
    return Actor.of(make_person(customers, UUID(int=0x77), "Nadia Fischer", "tenant_admin").membership)


@pytest.fixture
def hugo(customers):
    return Actor.of(make_person(customers, UUID(int=0x78), "Hugo Baker", "tenant_admin").membership)


@pytest.fixture
def upload(customers, nadia, hugo):
    """Asked for by one administrator, agreed to by another, and carried out."""

    def upload(files, **options):
        return agreed(uploading.upload(customers, files, actor=nadia, reason="The gate", **options), hugo)

    return upload


@pytest.fixture
def undo(nadia, hugo):
    return lambda request: agreed(services.undo(request, nadia), hugo)


def agreed(request, by):
    assert request.state == "awaiting_approval"  # everybody who signs in through it feels it
    request = services.approve(request, by, request.digest)
    executor.run_request(request, seconds=5)
    request.refresh_from_db()
    return request


def there(policy_id: str) -> bytes | None:
    try:
        return Requester(CUSTOMERS, "high").content(f"/trustFramework/policies/{policy_id}/$value", beta=True)
    except NotFound:
        return None


def steps_of(request):
    return [(step.target_id, step.state, step.outcome_code) for step in request.steps.order_by("position")]


def child(of: bytes, policy_id: str, base: str = "") -> bytes:
    """The same policy under another id, on another base."""
    text = of.decode().replace(f'PolicyId="{TAKEN}"', f'PolicyId="{policy_id}"')
    if base:
        start, end = text.index("<PolicyId>"), text.index("</PolicyId>")
        text = f"{text[:start]}<PolicyId>{base}{text[end:]}"
    return text.encode()


def test_a_changed_policy_and_what_was_there_before(customers, upload, undo):
    kept.read_from_graph(customers)
    before = there(TAKEN)
    after = before.replace(b"<DisplayName>", b"<DisplayName>Changed ", 1)

    request = upload({"a.xml": after}, ticket="C-1")

    assert steps_of(request) == [(TAKEN, "verified", "")]
    assert (there(TAKEN), kept.digests(customers)[TAKEN.lower()]) == (after, kept.digest_of(after))
    step = request.steps.get()
    assert "<" not in json.dumps([step.params, step.observed, step.before])  # digests; the texts are rows of their own
    assert kept.text(customers.pk, step.observed["found"]["sha256"]) == before

    undone = undo(request)

    assert steps_of(undone) == [(TAKEN, "verified", "")]
    assert there(TAKEN) == before


def test_new_ones_go_base_first_and_an_undo_deletes_them(customers, upload, undo, entra):
    old = there(TAKEN)
    base, leaf = child(old, "B2C_1A_ZBase"), child(old, "B2C_1A_ALeaf", base="B2C_1A_ZBase")

    request = upload({"1.xml": leaf, "2.xml": base})

    assert steps_of(request) == [("B2C_1A_ZBase", "verified", ""), ("B2C_1A_ALeaf", "verified", "")]

    undone = undo(request)

    assert [code for _id, code, _why in steps_of(undone)] == ["verified", "verified"]
    assert (there("B2C_1A_ZBase"), there("B2C_1A_ALeaf"), there(TAKEN)) == (None, None, old)


def test_what_is_there_already_is_not_sent_and_not_undone(customers, upload, undo, entra):
    spaced = there(TAKEN).replace(b"<RelyingParty>", b"\n\n  <RelyingParty>")

    request = upload({"a.xml": spaced})

    assert steps_of(request) == [(TAKEN, "verified", "there_already")]
    assert not services.undoable(request)


def test_what_somebody_changed_since_it_was_read_stays(customers, upload):
    read = custom_policies.read_all(CUSTOMERS)
    mine = read[TAKEN].replace(b"<DisplayName>", b"<DisplayName>Mine ", 1)
    read[TAKEN] = read[TAKEN].replace(b"<DisplayName>", b"<DisplayName>Earlier ", 1)
    kept.keep(customers, read)  # as the asker saw it
    before = there(TAKEN)

    request = upload({"a.xml": mine})

    assert steps_of(request) == [(TAKEN, "failed", "changed_meanwhile")]
    assert there(TAKEN) == before


def test_an_undo_leaves_what_somebody_uploaded_since(customers, upload, undo):
    kept.read_from_graph(customers)
    before = there(TAKEN)
    first = upload({"a.xml": before.replace(b"<DisplayName>", b"<DisplayName>One ", 1)})
    second = before.replace(b"<DisplayName>", b"<DisplayName>Two ", 1)
    upload({"a.xml": second})

    undone = undo(first)

    assert steps_of(undone) == [(TAKEN, "failed", "changed_meanwhile")]
    assert there(TAKEN) == second


def test_b2c_s_own_words_say_why_it_was_refused(customers, upload):
    orphan = child(there(TAKEN), "B2C_1A_Orphan", base="B2C_1A_NoSuchBase")

    request = upload({"a.xml": orphan})

    step = request.steps.get()
    assert (step.state, step.outcome_code, "B2C_1A_NoSuchBase" in step.outcome) == ("failed", "AADB2C", True)
    assert not services.undoable(request)


def test_an_answer_that_is_lost_is_looked_for(customers, upload, undo, entra):
    changed = there(TAKEN).replace(b"<DisplayName>", b"<DisplayName>Lost ", 1)
    entra.faults({"method": "PUT", "path": "trustFramework", "status": 503, "count": 1})

    request = upload({"a.xml": changed})

    assert (steps_of(request), there(TAKEN)) == ([(TAKEN, "verified", "")], changed)


def test_a_text_that_was_edited_is_never_sent(customers, nadia, hugo):
    before = there(TAKEN)
    changed = before.replace(b"<DisplayName>", b"<DisplayName>Approved ", 1)
    request = uploading.upload(customers, {"a.xml": changed}, actor=nadia, reason="x")
    PolicyText.objects.update(xml=before.replace(b"<DisplayName>", b"<DisplayName>Other ", 1))

    request = agreed(request, hugo)

    assert (steps_of(request), there(TAKEN)) == ([(TAKEN, "failed", "no_text")], before)


def test_it_counts_as_everybody_s_and_has_to_be_granted(customers, nadia):
    xml = there(TAKEN)
    step = upload_policy.step(customers, TAKEN, xml)
    assert upload_policy.UploadPolicy().hits(step).everyone

    customers.granted_permissions, customers.permissions_checked_at = ["Policy.Read.All"], timezone.now()
    customers.save()
    with pytest.raises(NotGranted):
        uploading.upload(customers, {"a.xml": xml}, actor=nadia, reason="x")


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "no policy"),
        ({"a.xml": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}, "document type"),
        ({f"{n}.xml": b"" for n in range(11)}, "At most 10"),
    ],
)
def test_what_is_no_policy_is_not_asked_for(customers, nadia, files, why):
    with pytest.raises(NotPossible, match=why):
        uploading.upload(customers, files, actor=nadia, reason="x")


def test_helpdesk_does_not_upload(customers):
    hal = Actor.of(make_person(customers, UUID(int=0x79), "Hal", "helpdesk").membership)
    with pytest.raises(NotPossible, match="administrator"):
        uploading.upload(customers, {"a.xml": there(TAKEN)}, actor=hal, reason="x")


def test_the_command_asks_for_it_as_well(customers, tmp_path, capsys):
    (tmp_path / "a.xml").write_bytes(there(TAKEN))

    call_command("b2c_policies", "upload", str(tmp_path), "--tenant", customers.slug, "--reason", "The gate")

    assert "Upload the policy B2C_1A_ProfileEdit" in capsys.readouterr().out
    (tmp_path / "a.xml").write_bytes(b"<a/>")
    with pytest.raises(CommandError, match="TrustFrameworkPolicy"):
        call_command("b2c_policies", "upload", str(tmp_path), "--tenant", customers.slug, "--reason", "The gate")


def test_the_page_uploads_what_was_shown(customers, client, sign_in, monkeypatch):
    person = make_person(customers, UUID(int=0x7A), "Ada Admin", "tenant_admin")
    sign_in(client, person)
    address = reverse("tenants:upload-policies", args=[customers.slug])
    assert "have not been read yet" in client.get(address).content.decode()
    found = custom_policies.read_all(CUSTOMERS)
    gated = {one for one in found if one.startswith("B2C_1A_Consentry")}
    kept.keep(customers, {one: xml for one, xml in found.items() if one not in gated})

    plain = spec(customers)
    monkeypatch.setattr(
        "tenants.views.uploading.spec", lambda tenant: replace(plain, url=f"https://p.example/{tenant}")
    )

    page = client.get(address)
    assert page.context["confirm"].refusal == ""
    shown = page.context["differences"]
    stale = client.post(address, {"reason": "The gate", "digest": "0" * 64})
    made = client.post(address, {"reason": "The gate", "digest": page.context["confirm"].digest})

    assert {one.kind for one in shown} == {"new"}
    assert (stale.status_code, stale["Location"]) == (302, address)
    request = RevocationRequest.objects.get()
    assert str(request.pk) in made["Location"]
    assert (request.state, request.kind, request.reason) == ("awaiting_approval", "upload_policy", "The gate")
    assert [step.target_id for step in request.steps.order_by("position")] == [one.policy for one in shown]
