"""The lengths and limits that docs/security.md names are those that hold by default (ASVS 2.1.3, 7.1.1)."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| `([A-Z_]+)` \| (\d+) ?(hours?|minutes)? \|", re.MULTILINE)
SECONDS = {"": 1, "minutes": 60, "hour": 3600, "hours": 3600}
UNIT_OF_NAME = {"_MINUTES": 60, "_HOURS": 3600}


def documented() -> list[tuple[str, int]]:
    """Each setting with what is said of it: seconds where it is a time."""
    text = (PROJECT / "docs/security.md").read_text()
    return [(name, int(number) * SECONDS[unit]) for name, number, unit in ROW.findall(text)]


@pytest.mark.parametrize(("name", "said"), documented())
def test_a_number_in_the_document_is_the_default(name, said):
    default = re.search(rf"^# {name}=(\d+)$", (PROJECT / ".env.example").read_text(), re.MULTILINE)
    unit = next((seconds for end, seconds in UNIT_OF_NAME.items() if name.endswith(end)), 1)

    assert int(default[1]) * unit == said


def test_every_length_of_a_session_is_in_the_document():
    names = {name for name, _said in documented()}

    text = (PROJECT / ".env.example").read_text()
    lengths = re.findall(r"^# ((?:\w*SESSION_\w*|IDENTITY_\w+|STEP_UP_\w+|OWN_\w+))=\d+$", text, re.MULTILINE)
    assert set(lengths) <= names
    assert len(names) == 14
