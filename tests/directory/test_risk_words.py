"""What a permission is rated, in words: reading is not writing, and alone means everybody's."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

import sandbox
from directory.risk import AppFacts, HeldPermission, permission_rule, rate, reasons

PUBLISHED = Path(sandbox.__file__).parent / "facts" / "graph-endpoint-permissions.csv"


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("RoleManagement.Read.Directory", "app_read"),
        ("DeviceManagementApps.Read.All", "app_read"),
        ("EntitlementManagement.Read.All", "app_read"),
        ("User.RevokeSessions.All", "app_write"),
        ("User.Invite.All", "app_write"),
        ("Calls.Initiate.All", "app_write"),
        ("Sites.Selected", "app_selected"),
        ("Mail.Read", "app_mail"),
        ("Mail.Send", "app_mail_write"),
        ("Mail.ReadBasic.All", "app_mail_basic"),
        ("Files.Read.All", "app_files"),
        ("Files.ReadWrite.All", "app_files_write"),
        ("Calendars.ReadWrite", "app_content_write"),
    ],
)
def test_what_an_app_may_do_alone_is_rated_by_its_verb(value, key):
    assert permission_rule(value, application=True, admin_only=True).key == key


def test_no_permission_that_only_reads_is_called_a_write():
    with PUBLISHED.open() as file:
        rows = list(csv.reader(line for line in file if not line.startswith("#")))
    reading = {row[3] for row in rows if row[2] == "application" and ".Read." in row[3]}

    assert len(reading) > 20
    assert {value for value in reading if permission_rule(value, application=True).key.endswith("write")} == set()


@pytest.mark.parametrize(
    ("value", "key"),
    [("DeviceManagement.Read", "app_read"), ("Orders.Manage", "app_write"), ("orders.write", "app_write")],
)
def test_other_publishers_names_are_read_as_words(value, key):
    assert permission_rule(value, application=True, microsoft_api=False).key == key


def test_mail_of_everyone_is_said_to_be_everyones():
    held = [HeldPermission("Mail.Read", application=True, admin_only=True)]
    facts = AppFacts("Backup", False, False, True, held, now=datetime.now(UTC))

    (reason,) = reasons(rate(facts)[1])

    assert reason.text == "Reads everyone's mail, with nobody signed in: Mail.Read."
    assert permission_rule("Mail.Read").text % {"values": "Mail.Read"} == "Reads, changes or sends mail: Mail.Read."
