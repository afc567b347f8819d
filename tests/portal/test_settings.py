"""Where settings come from: `.env` beside manage.py, and the environment, which wins."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
SAY = "from portal import settings as s; print(s.VAR_DIR, s.STATIC_ROOT, s.AUDIT_HEADS_DIR, sep='|')"


@pytest.mark.parametrize(("environment", "expected"), [({}, "kept"), ({"VAR_DIR": "{}/other"}, "other")])
def test_the_folder_for_everything_kept_can_be_named_in_the_file(tmp_path: Path, environment: dict, expected: str):
    shutil.copytree(PROJECT / "portal", tmp_path / "portal", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".env").write_text(f"VAR_DIR={tmp_path}/kept\n")
    clean = {name: value for name, value in os.environ.items() if name not in {"VAR_DIR", "DJANGO_SETTINGS_MODULE"}}
    given = {name: value.format(tmp_path) for name, value in environment.items()}

    said = subprocess.run(
        [sys.executable, "-c", SAY], cwd=tmp_path, env=clean | given, capture_output=True, text=True, check=True
    )

    folder = tmp_path / expected
    assert said.stdout.strip() == f"{folder}|{folder}/static|{folder}/audit-heads"
