"""Codes in the record read as sentences; what people typed is left alone."""

import re
from pathlib import Path

import pytest

from accounts.refusals import Reason, in_words
from audit.models import AuditEntry
from audit.templatetags.record import why

PROJECT = Path(__file__).resolve().parents[2]


def test_every_reason_somebody_is_refused_for_has_words():
    assert [code for code in Reason.values if in_words(code) == code] == []


def test_every_reason_a_session_ends_for_has_words():
    found = set()
    for file in (PROJECT / "accounts").rglob("*.py"):
        found |= set(re.findall(r'end\w*sessions?\([^)]*reason=f?"([a-z_]+)', file.read_text()))

    assert "front_channel_logout" in found
    assert [code for code in found if in_words(code) == code] == []


@pytest.mark.parametrize("event", ["revocation.request.created", "accounts.membership.granted"])
def test_what_a_person_typed_stays_as_it_is(event):
    assert why(AuditEntry(event=event, reason="guest list leaked")) == "guest list leaked"


def test_microsofts_number_is_kept():
    assert in_words("entra_refused AADSTS50173") == "Microsoft no longer lets this person in. (AADSTS50173)"
