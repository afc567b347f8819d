"""The pins: what is installed is the very file that was tried."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
PINS = sorted(path.name for path in PROJECT.glob("requirements*.txt"))


@pytest.mark.parametrize("name", PINS)
def test_every_pin_has_the_digests_of_its_files(name: str):
    entries = re.findall(r"^[a-z0-9].*", (PROJECT / name).read_text().replace("\\\n", " "), re.MULTILINE)

    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_pip_refuses_what_has_none():
    recipes = re.findall(r"^\t.*\binstall\b.*requirements\S*\.txt$", (PROJECT / "Makefile").read_text(), re.MULTILINE)

    assert recipes
    assert [recipe for recipe in recipes if "--require-hashes" not in recipe] == []
