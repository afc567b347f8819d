"""Microsoft's errors in plain words."""

import pytest

from graph import tokens
from graph.errors import Forbidden, Rejected, Throttled, TokenUnavailable, Unauthorized, Unavailable
from graph.explain import NUMBERS, words


def refused(number: str):
    described = f"AADSTS{number}: Words of Microsoft's. Trace ID: 1 Correlation ID: 2"
    return tokens.refusal({"error": "invalid_request", "error_description": described, "trace_id": "trace-1"})


# Numbers that connecting a tenant and living with one bring up.
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
@pytest.mark.parametrize(
    "number",
    [
        "650056",
        "650057",
        "650052",
        "500212",
        "500213",
        "530035",
        "53004",
        "53011",
        "50055",
        "50072",
        "50132",
        "50133",
        "70001",
        "90038",
        "900432",
    ],
)
def test_what_an_administrator_is_likely_to_meet_comes_with_what_to_do(number):
    said = words(refused(number))

    assert "Words of Microsoft's" not in said.what
    assert said.fix
    assert (said.code, said.request_id) == (f"AADSTS{number}", "trace-1")


def test_an_unknown_number_is_told_in_microsofts_words():
    assert "Words of Microsoft's" in words(refused("999999999")).what


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (Forbidden("x"), "has not granted"),
        (Throttled("x"), "wait"),
        (TokenUnavailable("x"), "sign-in could not be asked"),
        (Unauthorized("Invalid x5t claim."), "x5t"),
        (Unauthorized("x"), "token"),
        (Unavailable("x", sent=True), "could not be reached"),
        (Rejected("The scope is unknown"), "Microsoft refused: The scope is unknown."),
    ],
)
def test_every_error_has_words_that_promise_nothing(error, part):
    said = words(error)

    assert part in said.what
    assert "changed" not in str(said)


def test_sentences_end():
    for what, fix in NUMBERS.values():
        for text in filter(None, map(str, (what, fix))):
            assert text.endswith(".")
