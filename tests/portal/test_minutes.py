"""How long something takes or lasts is said in one place: no page has its own idea of it."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from revocation.showing import sign_outs, timeline

PROJECT = Path(settings.BASE_DIR)
LITERAL = re.compile(r"\b\d+ minutes?\b")
PAGES = sorted(
    path.relative_to(PROJECT)
    for path in (
        *(PROJECT / "templates").rglob("*.html"),
        *PROJECT.glob("*/views/*.py"),
        *PROJECT.glob("*/showing/*.py"),
        *PROJECT.glob("*/views.py"),
    )
)


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_no_page_types_a_number_of_minutes(path):
    text = re.sub(r"^\s*#.*$", "", (PROJECT / path).read_text(), flags=re.M)  # comments cite their source

    assert LITERAL.findall(text) == []


def test_the_words_of_a_sign_out_follow_the_constants():
    words = " ".join(truth.text for truth in sign_outs.truths_of_one("Adele Vance"))
    assert f"up to {timeline.TOKEN_LIFETIME.total_seconds() // 60:.0f} minutes" in words
    assert f"within {timeline.CAE_DELAY.total_seconds() // 60:.0f} minutes" in words
