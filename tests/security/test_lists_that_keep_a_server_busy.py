"""A list of a megabyte is read in about the time of a list of a megabyte, whatever stands in it."""

import io
import time

import pytest

from revocation.lists import parser

HALF = 100_000


def seconds(text: str) -> float:
    began = time.process_time()
    for _entry in parser.parse_text(text):
        pass
    return time.process_time() - began


@pytest.mark.parametrize(
    "piece", ["a", "0", ".", "a.", "a-", "é", "a@", "@", "'", "-", "a =", '"a', "00000000-", "'@a "], ids=repr
)
@pytest.mark.parametrize("end", ["", "@"], ids=["", "then-at"])
def test_a_line_twice_as_long_takes_about_twice_as_long(piece, end):
    short, long = piece * (HALF // 10) + end, piece * HALF + end

    # Ten times the length: ten times the work where it is linear, a hundred times where it is not.
    assert seconds(long) < max(0.05, seconds(short)) * 40


def test_what_is_too_long_to_be_a_name_is_not_looked_at_and_its_neighbours_are():
    people = " ".join(f"user{number}@contoso.example" for number in range(3000))

    found = list(parser.parse_text(f"{people} {'x' * 100_000}@"))

    assert [one.key for one in found[:2]] == ["user0@contoso.example", "user1@contoso.example"]
    assert (len(found), found[-1].kind, len(found[-1].text)) == (3001, "unreadable", parser.SHOWN)


def test_reading_has_an_end(monkeypatch):
    monkeypatch.setattr(parser, "SECONDS", -1)

    with pytest.raises(parser.UnusableList, match="too long to read"):
        list(parser.parse_text("\n" * 1000))


def test_a_file_with_a_mark_is_not_larger_than_others_may_be(monkeypatch):
    monkeypatch.setattr(parser, "MAX_BYTES", 1000)
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"", "utf-16-le"), (b"", "cp1252")):
        data = mark + ("é@contoso.example\n" * 200).encode(encoding)
        with pytest.raises(parser.UnusableList, match="larger"):
            list(parser.parse_file(io.BytesIO(data)))
