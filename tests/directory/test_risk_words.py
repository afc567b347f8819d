"""What a permission is rated, in words: reading is not writing, alone means everybody's, and every name is rated."""

import csv
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import sandbox
from directory import sync
from directory.models import AppPermission, Collection, PermissionUse, Risk
from directory.ratings import lines
from directory.reasons import ALONE, PERMISSION_REASONS, RULES
from directory.risk import AppFacts, HeldPermission, danger, permission_rule, rate, reasons
from tests.directory.rows import a_grant, an_app, graph_api, somebody

PUBLISHED = Path(sandbox.__file__).parent / "facts" / "graph-endpoint-permissions.csv"
# Microsoft's whole list lies beside the project where it is worked on, and not in it: the product does not need it.
REFERENCE = Path(sandbox.__file__).parents[2] / "shared" / "reference" / "graph-permissions.csv"
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def _rows(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def _facts(name="Backup", **more) -> AppFacts:
    return AppFacts(name, False, False, True, **({"now": NOW} | more))


# --- the file --------------------------------------------------------------------------------------


@pytest.mark.skipif(not REFERENCE.exists(), reason="Microsoft's list of permissions is not here")
def test_every_permission_of_microsoft_graph_has_a_line():
    wanted = {(row["kind"], row["value"]) for row in _rows(REFERENCE)}

    assert wanted - {(line.kind, line.value) for line in lines() if line.api == "Microsoft Graph"} == set()


def test_every_permission_that_lets_a_call_through_has_a_line():
    wanted = {(row["kind"], row["permission"]) for row in _rows(PUBLISHED)}

    assert len(wanted) > 150
    assert wanted - {(line.kind, line.value) for line in lines()} == set()


def test_each_line_is_one_permission_with_a_reason_that_exists():
    keys = [(line.api, line.kind, line.value) for line in lines()]
    ratings = {}
    for line in lines():
        ratings.setdefault((line.kind, line.value), set()).add((line.risk, line.reason))

    assert len(keys) == len(set(keys))
    assert {line.reason for line in lines()} <= set(PERMISSION_REASONS)
    assert all(line.source for line in lines())
    assert [key for key, found in ratings.items() if len(found) > 1] == []  # one name means one thing


def test_no_sentence_is_shared_by_what_works_alone_and_what_works_in_somebodys_name():
    for reason in PERMISSION_REASONS:
        assert str(RULES[reason].text) != str(RULES[ALONE + reason].text)
        assert "nobody signed in" in str(RULES[ALONE + reason].text)
        assert "nobody signed in" not in str(RULES[reason].text)


# --- what is rated -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("RoleManagement.Read.Directory", "app_roles"),
        ("DeviceManagementApps.Read.All", "app_devices"),
        ("EntitlementManagement.Read.All", "app_directory"),
        ("User.RevokeSessions.All", "app_sessions"),
        ("User.Invite.All", "app_directory_write"),
        ("Calls.Initiate.All", "app_meetings_write"),
        ("Sites.Selected", "app_chosen"),
        ("Mail.Read", "app_mail"),
        ("Mail.Send", "app_mail_send"),
        ("Mail.ReadBasic.All", "app_mail_basic"),
        ("Files.Read.All", "app_files"),
        ("Files.ReadWrite.All", "app_files_write"),
        ("Calendars.ReadWrite", "app_calendar_write"),
        ("full_access_as_app", "app_legacy_mail"),
        # Not in the file: like the worst that begins with the same word, else by what the verb does.
        ("Mail.Archive.All", "app_mail_write"),
        ("Telepathy.Read.All", "app_read"),
        ("Telepathy.Command.All", "app_write"),
    ],
)
def test_what_an_app_may_do_alone_is_rated_by_the_file(value, key):
    assert permission_rule(value, application=True, admin_only=True).key == key


def test_no_permission_that_only_reads_is_called_a_write():
    reading = {row["permission"] for row in _rows(PUBLISHED) if ".Read." in row["permission"]}

    assert len(reading) > 20
    assert {value for value in reading if permission_rule(value, application=True).key.endswith("write")} == set()


@pytest.mark.parametrize(
    ("value", "key"),
    [("DeviceManagement.Read", "app_read"), ("Orders.Manage", "app_write"), ("orders.write", "app_write")],
)
def test_other_publishers_names_are_read_as_words(value, key):
    assert permission_rule(value, application=True, microsoft_api=False).key == key


def test_mail_of_everyone_is_said_to_be_everyones():
    (reason,) = reasons(rate(_facts(permissions=[HeldPermission("Mail.Read", application=True)]))[1])

    assert reason.text == "Reads everyone's mail, with nobody signed in: Mail.Read."
    assert permission_rule("Mail.Read").text % {"values": "Mail.Read"} == "Reads its users' mail: Mail.Read."


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"app_id": "e0476654-c1d5-430b-ab80-70cbd947616a"}, "Hands what it reads to an AI service: ChatGPT."),
        (
            {"secret_added_at": NOW - timedelta(days=2)},
            "A secret was added to it here 2 days ago, not by its publisher.",
        ),
        ({"secret_ends_at": NOW + timedelta(days=1, hours=1)}, "A secret of it here ends in 1 day."),
        ({"created_at": NOW - timedelta(hours=3)}, "Came to this tenant today."),
        ({"reply_urls": ["http://shop.example/cb"]}, "Sends sign-ins over an unprotected connection: http://shop.example/cb."),
        ({"recent_consents": 25}, "25 people consented within 14 days."),
    ],
)  # fmt: skip
def test_what_is_said_of_the_app_itself(facts, text):
    assert text in [reason.text for reason in reasons(rate(_facts(**facts))[1])]


def test_a_name_alone_makes_no_connector_of_an_app():
    assert rate(_facts("ChatGPT"))[1] == []


def test_an_imitation_that_works_while_people_are_away_comes_before_plain_high_risk():
    mail = [HeldPermission("Mail.Read"), HeldPermission("offline_access")]
    plain, fake = rate(_facts(permissions=mail)), rate(AppFacts("Micros0ft", False, False, False, mail, now=NOW))

    assert plain[0] == fake[0] == Risk.HIGH
    assert danger(*fake) > danger(*plain) > danger(Risk.MEDIUM, [])


# --- and kept ----------------------------------------------------------------------------------------


def test_another_version_of_the_file_rates_anew_without_reading_the_directory(inside, monkeypatch):
    api, app = graph_api(inside), an_app(inside, "Mail Sidekick")
    portal = an_app(inside, "Consentry", app_id="c0c0c0c0-0000-4000-8000-000000000001")
    for client in (app, portal):
        a_grant(client, api, "Mail.Read", somebody(inside, "Adele Vance"))
    Collection.objects.create(tenant=inside, kind=Collection.Kind.GRANTS, complete_at=NOW, first_complete_at=NOW)
    assert sync.rate_anew(inside) is True
    assert sync.rate_anew(inside) is False  # the same file, on the same day
    app.refresh_from_db()
    portal.refresh_from_db()
    assert (app.risk, portal.risk, portal.rank) == (Risk.HIGH, Risk.HIGH, 0)  # the portal leads no list
    assert app.rank == app.danger > 600

    monkeypatch.setattr(sys.modules["directory.sync.derive"], "VERSION", "another")
    monkeypatch.setattr("directory.risk.permission_rule", lambda value, **how: RULES["sign_in"])
    monkeypatch.setattr("directory.sync.held.permission_rule", lambda value, **how: RULES["sign_in"])
    assert sync.rate_anew(inside) is True
    app.refresh_from_db()
    assert app.risk == Risk.MEDIUM  # what is left is that nobody verified who publishes it
    sync.mark_disabled(inside, app.pk)
    app.refresh_from_db()
    assert app.rank == 0  # what is stopped leads no list either


def test_what_each_app_holds_follows_the_grants(inside):
    api, app = graph_api(inside), an_app(inside, "Mail Sidekick")
    adele, megan = somebody(inside, "Adele Vance"), somebody(inside, "Megan Bowen")
    first = a_grant(app, api, "Mail.Read User.Read", adele)
    a_grant(app, api, "Mail.Read", megan)
    a_grant(an_app(inside, "Trey Research"), api, "Mail.Read")
    sync.derive(inside)
    held = AppPermission.objects.filter(app=app).values_list("value", "reason", "people", "everyone")
    assert set(held) == {("Mail.Read", "mail", 2, False), ("User.Read", "sign_in", 1, False)}
    used = PermissionUse.objects.values_list("value", "apps", "consents", "for_everyone")
    assert set(used) == {("Mail.Read", 2, 2, 1), ("User.Read", 1, 1, 0)}

    sync.forget_grants(inside, [first.graph_id])

    assert set(held.all()) == {("Mail.Read", "mail", 1, False)}
    assert set(used.all()) == {("Mail.Read", 2, 1, 1)}  # what nobody holds any more is gone
