"""Who was refused a page stands in the log, and nobody writes a line of it that is not the portal's (ASVS V16)."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from django.conf import settings

from portal.request_id import JsonLines, Lines, WithRequestId

FORGED = "2026-11-27 08:00:00,000 INFO portal: Everything is in order."


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the console is told, as objects."""
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.addFilter(WithRequestId())
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    yield told
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize(
    ("page", "status"),
    [
        ("/t/contoso/audit/", 403),
        ("/t/contoso/settings/", 403),
        ("/t/fabrikam/", 404),
        ("/t/contoso/people/00000000-0000-4000-8000-000000000001/", 403),
    ],
)
def test_a_page_that_is_refused_is_logged_with_who_asked_for_it(
    client, sign_in, contoso, fabrikam, adele, log, page, status
):
    sign_in(client, adele)

    answer = client.get(page)

    assert answer.status_code == status
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert line["message"].endswith(f": {page}")
    assert (line["level"], line["request_id"]) == ("WARNING", answer["X-Request-ID"])
    assert (line["actor"], line["tenant"]) == (str(adele.user.pk), str(contoso.pk))


def as_text(message: str, *arguments: object, error: Exception | None = None) -> list[str]:
    """Lines as they stand in a log of text."""
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.addFilter(WithRequestId())
    handler.setFormatter(Lines())
    logger = logging.Logger("of-a-test")
    logger.addHandler(handler)
    logger.error(message, *arguments, exc_info=error)
    return told.getvalue().split("\n")[:-1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\x1b[2K\x1b[G"])
def test_no_name_begins_a_line_of_its_own(end):
    (line,) = as_text("Reading %s failed.", f"Mail Sidekick{end}{FORGED}")

    assert line.splitlines() == [line]
    assert line.index("Mail Sidekick\\") < line.index(FORGED)
    assert "\x1b" not in line


def test_nor_does_what_an_error_says():
    try:
        raise ValueError(f"Mail Sidekick\n{FORGED}")
    except ValueError as error:
        first, *more = as_text("It failed.", error=error)

    assert first.endswith("ERROR of-a-test: It failed.")
    assert any(FORGED in line for line in more)
    assert all(line.startswith("    ") for line in more)


def test_these_are_the_lines_that_processes_write():
    assert settings.LOGGING["formatters"]["line"] == {"()": "portal.request_id.Lines"}
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["database_away", "request_id"]
