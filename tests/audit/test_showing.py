"""What the audit pages say: sentences, requests as one row, differences, filters, files, certificates."""

import csv
import io
import json
from datetime import UTC, datetime, time
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from accounts.access import Actor
from accounts.tenancy import tenant_context
from audit import heads
from audit.forms import AuditFilter
from audit.models import AuditEntry, AuditEvent as E
from audit.services import Draft, record_many
from audit.showing.difference import difference
from audit.showing.sentences import SENTENCES
from tests.factories import make_person

pytestmark = pytest.mark.django_db
LIST, FOUND, EXPORT, CHECK, CERTIFICATE = (
    reverse(f"audit:{name}", args=["contoso"]) for name in ("list", "export-found", "export", "check", "certificate")
)
MEGAN = Actor(str(uuid4()), "Megan Bowen")
ISAIAH = Actor(str(uuid4()), "Isaiah Langer")


@pytest.fixture(autouse=True)
def _own_heads(settings, tmp_path):
    settings.AUDIT_HEADS_DIR = tmp_path / "heads"


@pytest.fixture
def auditor(client, sign_in, contoso):
    sign_in(client, make_person(contoso, uuid4(), "Nestor Wilke", "auditor"))
    return client


def write(tenant, *drafts):
    with tenant_context(tenant.pk):
        return record_many([Draft(tenant_id=tenant.pk, **({"actor": MEGAN} | one)) for one in drafts])


def a_request(outcome=E.STEP_VERIFIED, people=("Johanna Lorenz",)):
    """What the record says of a sign-out, as the spine writes it."""
    of_it = {"request_id": uuid4(), "ticket": "INC-20417"}
    title = f"Sign out {people[0]} everywhere"
    steps = [
        of_it | {"action": "revoke_sessions", "target_type": "user", "target_id": str(uuid4()), "target_label": name}
        for name in people
    ]
    asked = of_it | {"action": "sign_out", "target_label": title, "after": {"title": title}, "reason": "A lost phone"}
    return [
        asked | {"event": E.REVOCATION_REQUESTED},
        asked | {"event": E.REVOCATION_APPROVED, "actor": ISAIAH, "reason": ""},
        *(step | {"event": E.STEPS_STARTED, "approver": ISAIAH} for step in steps),
        *(step | {"event": outcome, "approver": ISAIAH, "outcome": outcome.rpartition(".")[2]} for step in steps),
        asked | {"event": E.REVOCATION_FINISHED, "reason": ""},
    ]


def told(auditor, **filters):
    return [
        (" ".join(row.sentence.replace("<b>", "").replace("</b>", "").split()), str(row.state), row.approver)
        for row in auditor.get(LIST, filters).context["rows"]
    ]


def test_a_request_is_one_line_that_says_what_it_did(auditor, contoso):
    write(contoso, *a_request())

    assert told(auditor)[0] == ("Megan Bowen signed Johanna Lorenz out", "Verified", "Isaiah Langer")
    page = auditor.get(LIST).content.decode()
    assert "INC-20417" in page
    assert "A lost phone" in page


@pytest.mark.parametrize(
    ("outcome", "people", "state"),
    [(E.STEP_FAILED, ("Johanna Lorenz",), "Failed"), (E.STEP_VERIFIED, ("Johanna Lorenz", "Alex Wilber"), "Verified")],
    ids=["failed", "two people"],
)
def test_it_says_that_it_was_done_to_somebody_only_where_it_was(auditor, contoso, outcome, people, state):
    write(contoso, *a_request(outcome, people))

    sentence = "Megan Bowen asked for this: Sign out Johanna Lorenz everywhere"
    assert told(auditor)[0] == (sentence, state, "Isaiah Langer")


def test_the_steps_are_folded_under_their_request_until_somebody_asks_for_them(auditor, contoso):
    entries = write(contoso, *a_request())

    assert "Proved by reading back" not in auditor.get(LIST).content.decode()
    inside = auditor.get(LIST, {"request_id": entries[0].request_id}, headers={"HX-Request": "true"})
    assert "Proved by reading back" in inside.content.decode()
    assert "<html" not in inside.content.decode()
    assert [row.entry.event for row in auditor.get(LIST, {"action": "steps"}).context["rows"]] == [E.STEP_VERIFIED]


@pytest.mark.parametrize("event", E)
def test_every_event_has_a_sentence(event):
    assert event in SENTENCES


def test_names_are_text_and_nothing_else(auditor, contoso):
    write(contoso, {"event": E.SIGNED_IN, "actor": Actor("x", "<script>{who}%(who)s")})

    assert "<b>&lt;script&gt;{who}%(who)s</b> signed in" in auditor.get(LIST).content.decode()


def test_a_difference_names_what_changed_and_what_was_not_there():
    lines = difference(
        {"scopes": ["Mail.Read", "User.Read"], "id": 7}, {"scopes": ["User.Read"], "id": 7, "new": {"a": True}}
    )

    assert [(line.name, line.before, line.after, line.changed) for line in lines] == [
        ("scopes", "Mail.Read, User.Read", "User.Read", True),
        ("id", "7", "7", False),
        ("new.a", None, "true", True),
    ]


def test_presets_find_what_they_say(auditor, contoso, sign_in):
    admin = make_person(contoso, uuid4(), "Megan Bowen", "tenant_admin")
    write(
        contoso,
        {"event": E.SIGN_IN_REFUSED, "actor": Actor("x", "Robin")},
        {"event": E.TENANT_CHANGED, "actor": Actor.of(admin.membership)},
    )

    assert [line[0] for line in told(auditor, only="trouble")] == ["The sign-in of Robin was refused"]
    assert [line[0] for line in told(auditor, only="admins")] == ["Megan Bowen changed the settings of"]
    assert len(told(auditor, since="today")) == 2
    assert len(told(auditor, since="week")) == 2
    assert told(auditor, since="2999-01-01") == []


def test_a_week_is_today_and_seven_days_before():
    zone = ZoneInfo("Europe/Berlin")
    begins = AuditFilter({"since": "week"}, zone=zone).values()["since"]

    assert (timezone.now().astimezone(zone).date() - begins.date()).days == 7
    assert begins.time() == time.min


def test_a_day_begins_at_the_readers_midnight():
    chosen = {"since": "2026-11-26", "until": "2026-11-26"}
    values = AuditFilter(chosen, zone=ZoneInfo("Europe/Berlin")).values()

    assert values["since"] == datetime(2026, 11, 25, 23, tzinfo=UTC)
    assert values["until"] == datetime(2026, 11, 26, 23, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "No/Where", "../../etc/passwd", "\0"])
def test_the_zone_is_named_and_a_wrong_one_is_utc(auditor, zone):
    said = auditor.get(LIST, {"since": "2026-11-26", "zone": zone}).context["zone"]

    assert said == (zone if zone == "Europe/Berlin" else "UTC")


def test_the_export_is_exactly_what_is_filtered_and_holds_no_formula(auditor, contoso):
    write(contoso, {"event": E.SIGNED_IN}, *a_request(), {"event": E.SIGNED_OUT, "reason": "=1+1"})
    wanted = {"action": "sessions", "format": "csv"}

    answer = auditor.post(FOUND, wanted)
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    as_json = json.loads(b"".join(auditor.post(FOUND, wanted | {"format": "json"}).streaming_content))

    assert [row["event"] for row in rows] == [row["event"] for row in as_json] == [E.SIGNED_OUT, E.SIGNED_IN]
    assert rows[0]["reason"] == "'=1+1"
    with tenant_context(contoso.pk):
        newest = AuditEntry.objects.order_by("-sequence").first()
    assert (newest.event, newest.after) == (E.AUDIT_EXPORTED, {"filters": {"action": "sessions"}, "format": "json"})


@pytest.fixture
def certificate(auditor, contoso, tmp_path):
    """A certificate and the record it is of, as files."""
    write(contoso, *a_request())
    with tenant_context(contoso.pk):
        heads.export(contoso.pk)
    path, record = tmp_path / "certificate.json", tmp_path / "audit.jsonl"
    path.write_bytes(auditor.post(CERTIFICATE).content)
    record.write_bytes(b"".join(auditor.post(EXPORT).streaming_content))
    return path, record


def test_a_certificate_is_checked_offline_and_against_the_record(certificate, capsys):
    path, record = certificate
    said = json.loads(path.read_text())

    call_command("verify_certificate", str(path), record=record, public_key=said["public_key"])

    assert "the signature holds" in capsys.readouterr().out
    assert said["certificate"]["integrity"] == {"holds": True, "faults": []}
    assert said["certificate"]["completeness"]["holds"] is True
    assert said["certificate"]["head"]["sequence"] == 5


@pytest.mark.parametrize("forge", ["result", "key", "record"])
def test_a_forged_certificate_is_found_out(certificate, forge, capsys):
    path, record = certificate
    said = json.loads(path.read_text())
    if forge == "result":
        said["certificate"]["entries"] = 4
    elif forge == "key":  # whoever signs anew with a key of their own
        said["public_key"] = "00" * 32
    else:
        lines = record.read_text().splitlines(keepends=True)
        record.write_text("".join(line for line in lines if '"sequence":5,' not in line))
    path.write_text(json.dumps(said))

    with pytest.raises(CommandError, match="does NOT hold"):
        call_command("verify_certificate", str(path), record=record)
