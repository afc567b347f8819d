"""`make test`: its two runs are one answer."""

import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
NOTHING_TO_RUN = 5  # of pytest


@pytest.mark.parametrize(
    ("browser", "others", "good"),
    [
        (0, 0, True),
        (NOTHING_TO_RUN, 0, True),
        (0, NOTHING_TO_RUN, True),
        (NOTHING_TO_RUN, NOTHING_TO_RUN, False),
        (1, 0, False),
        (0, 1, False),
        (NOTHING_TO_RUN, 1, False),
        (1, NOTHING_TO_RUN, False),
    ],
)
def test_a_half_in_which_nothing_was_asked_for_is_no_fault(tmp_path: Path, browser: int, others: int, good: bool):
    pytest_of_the_test = tmp_path / "pytest"
    pytest_of_the_test.write_text(
        f'#!/bin/sh\ncase "$*" in *"not browser"*) exit {others};; *) exit {browser};; esac\n'
    )
    pytest_of_the_test.chmod(0o755)

    # Old, as far as make is concerned: nothing is installed.
    command = ["make", "-o", ".venv/.dev", "-o", "chromium", "test", f"BIN={tmp_path}"]
    made = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)

    assert (made.returncode == 0) is good, made.stdout + made.stderr
