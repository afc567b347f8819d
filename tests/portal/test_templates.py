"""Templates that can be read in a diff: short lines, and partials that say what they take."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
LONGEST = 160  # characters; one element a line comes to less than 120


def _names(pattern: str, *folders: str) -> list[str]:
    found = [path for folder in folders for path in (PROJECT / folder).rglob(pattern)]
    return sorted(str(path.relative_to(PROJECT)) for path in found)


@pytest.mark.parametrize("name", _names("*.html", "templates", "sandbox/templates"))
def test_no_line_is_too_long(name: str):
    lines = (PROJECT / name).read_text().splitlines()

    assert [f"{name}:{number}" for number, line in enumerate(lines, 1) if len(line) > LONGEST] == []


@pytest.mark.parametrize("name", _names("_*.html", "templates"))
def test_a_partial_says_what_it_takes(name: str):
    first_lines = (PROJECT / name).read_text().splitlines()[:3]

    assert any(line.startswith("{# ") for line in first_lines), f"{name} has no comment at its head"
