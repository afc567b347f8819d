"""The small pieces of the pages, where they decide what is said."""

from datetime import timedelta

from django.utils import timezone

from portal.templatetags.pieces import first_seen


def test_what_came_after_the_first_reading_has_its_age():
    now = timezone.now()

    assert ">3 hours ago<" in first_seen(now - timedelta(hours=3), now - timedelta(days=9))


def test_what_the_first_reading_found_may_be_older_than_it():
    reading = timezone.now() - timedelta(days=9)

    for moment in (reading, reading - timedelta(minutes=1)):
        assert first_seen(moment, reading).startswith("before <time ")


def test_before_any_complete_reading_nothing_is_known():
    assert first_seen(timezone.now(), None) == "unknown"
