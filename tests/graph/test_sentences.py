"""Kept sentences, with texts of Django's own catalogues."""

import pytest
from django.utils.translation import override

from graph.sentences import Sentence, english, gettext, made, ngettext, read

ONE, MANY = "%(num)d year", "%(num)d years"
AT_MOST = "Ensure this value is less than or equal to %(limit_value)s."


def test_it_is_said_in_the_language_of_the_moment_and_kept_in_english():
    with override("de"):
        text = ngettext(ONE, MANY, 3) % {"num": 3}

    assert (text, english(text)) == ("3 Jahre", "3 years")


def test_it_is_read_in_the_readers_language():
    kept = ngettext(ONE, MANY, 1) % {"num": 1}

    with override("fr"):
        assert read(english(kept), made(kept)) == "1 année"


def test_a_sentence_within_a_sentence_is_read_too():
    with override("de"):
        kept = gettext(AT_MOST) % {"limit_value": gettext("Yes")}
    text, parts = english(kept), made(kept)

    with override("fr"):
        assert read(text, parts).endswith(" Oui.")
    assert text.endswith(" Yes.")


@pytest.mark.parametrize(
    "parts",
    [
        {"text": "No"},  # another sentence
        {"text": "%(x)s", "with": {"x": "Yes"}, "plural": "%(x)s"},  # no number
        {"text": "%(x)s", "with": {"y": "Yes"}},
        {"text": 3},
        {"text": "Yes", "with": 3},
    ],
    ids=["another", "no-number", "no-value", "no-text", "no-names"],
)
def test_parts_that_do_not_make_the_stored_text_do_not_count(parts: dict):
    with override("de"):
        assert read("Yes", parts) == "Yes"


def test_text_that_was_not_made_here_stays_as_it_is():
    assert (english("Ja"), made("Ja"), read("Ja", {})) == ("Ja", {}, "Ja")
    assert isinstance(gettext("Yes"), Sentence)


def test_what_is_put_in_without_a_name_makes_plain_text():
    text = gettext("At most %d policies.") % 10

    assert (text, made(text)) == ("At most 10 policies.", {})
