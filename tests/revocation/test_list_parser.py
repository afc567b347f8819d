"""Lists as people paste and export them: every identifier is found, every line is accounted for."""

import time
import uuid
from io import BytesIO

import pytest
from hypothesis import given, settings, strategies as st

from revocation.lists import parser
from revocation.lists.parser import Kind, Tally, parse_file, parse_text

ADELE, MEGAN = "adele@contoso.example", "megan@contoso.example"
OBJECT_ID = "6f0c7a1e-3d1b-4a55-9b0e-0c8f7d1a2b3c"


def keys(entries):
    return [entry.key for entry in entries]


@pytest.mark.parametrize(
    "text",
    [
        f"{ADELE}\n{MEGAN}",
        f"{ADELE};{MEGAN}",
        f"{ADELE}, {MEGAN}",
        f"{ADELE}\t{MEGAN}",
        f"Adele Vance <{ADELE}>; Megan Bowen <{MEGAN}>",
        f'"{ADELE}";"{MEGAN}"',
        f"\n\n  {ADELE.upper()}  \r\n\r\n;;\n{MEGAN}\n",
        f"mailto:{ADELE}\nSMTP:{MEGAN}",
        f'="{ADELE}"\n="{MEGAN}"',
        f"\u200b{ADELE}\u00a0\n{MEGAN}",
        f"UPN\n{ADELE}\n{MEGAN}",
        f"sep=;\nName;Mail\nVance;{ADELE}\nBowen;{MEGAN}",
        f'userPrincipalName,displayName\n{ADELE},"Vance, Adele"\n{MEGAN},Megan',
    ],
)
def test_people_are_found_however_the_list_is_written(text):
    assert keys(parse_text(text)) == [ADELE, MEGAN]


def test_object_ids_and_names_may_be_mixed():
    entries = list(parse_text(f"{OBJECT_ID.upper()}\n{{{OBJECT_ID}}}\n{ADELE}"))

    assert [(entry.kind, entry.key) for entry in entries] == [
        (Kind.OBJECT_ID, OBJECT_ID),
        (Kind.OBJECT_ID, OBJECT_ID),
        (Kind.ADDRESS, ADELE),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_spreadsheets_of_any_language_are_read(encoding, separator):
    rows = [("Anzeigename", "Benutzerprinzipalname"), ("Jörg Müßig", "jörg@contoso.example"), ("Zoë", MEGAN)]
    data = "\r\n".join(separator.join(row) for row in rows).encode(encoding)

    assert keys(parse_file(BytesIO(data))) == ["jörg@contoso.example", MEGAN]


def test_only_the_column_that_names_the_person_is_taken():
    text = f"Manager's mail,mail,Object ID\nboss@contoso.example,{ADELE},\n{ADELE},{MEGAN},{OBJECT_ID}\n"

    assert keys(parse_text(text)) == [ADELE, OBJECT_ID]


def test_a_row_whose_own_column_is_empty_is_reported_and_nobody_else_is_taken():
    (entry,) = parse_text(f"UPN;Assistant\n;{ADELE}\n")

    assert (entry.kind, entry.line, entry.text) == (Kind.UNREADABLE, 2, f";{ADELE}")


def test_what_cannot_be_read_is_reported_with_its_line():
    entries = list(parse_text(f"{ADELE}\n\nCONTOSO\\megan\n@\n{MEGAN}"))

    assert [(entry.line, entry.kind) for entry in entries] == [
        (1, Kind.ADDRESS),
        (3, Kind.UNREADABLE),
        (4, Kind.UNREADABLE),
        (5, Kind.ADDRESS),
    ]


def test_a_stray_quote_swallows_nobody():
    entries = parse_text(f'"{ADELE}\n{MEGAN}\n"diego@contoso.example"')

    assert keys(entries) == [ADELE, MEGAN, "diego@contoso.example"]


def test_a_comment_with_line_breaks_stays_one_row():
    tally = Tally()
    text = f'UPN,Comment\n{ADELE},"left\nthe company"\n{MEGAN},\n'

    assert keys(parse_text(text, tally)) == [ADELE, MEGAN]
    assert (tally.lines, tally.headings) == (4, 1)


def test_headings_repeat_where_exports_were_joined():
    tally = Tally()

    assert keys(parse_text(f"UPN\n{ADELE}\nUPN\n{MEGAN}", tally)) == [ADELE, MEGAN]
    assert tally.headings == 2


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1", b"%PDF-1.7"])
def test_a_workbook_is_refused_with_what_to_do(start):
    with pytest.raises(parser.UnusableList):
        list(parse_file(BytesIO(start + b"\0" * 100)))


def test_a_list_that_is_too_long_is_refused_not_cut(monkeypatch):
    monkeypatch.setattr(parser, "MAX_ENTRIES", 2)

    assert len(list(parse_text("a@b.example\nc@b.example"))) == 2
    with pytest.raises(parser.UnusableList):
        list(parse_text("a@b.example\nc@b.example\nd@b.example"))


def test_a_hundred_thousand_lines_take_about_a_second():
    data = BytesIO("\n".join(f"Person {n};person{n}@contoso.example;x" for n in range(100_000)).encode())
    started = time.perf_counter()

    assert sum(1 for _ in parser.parse_file(data)) == 100_000
    assert time.perf_counter() - started < 5


names = st.from_regex(r"[a-z][a-z0-9._'#-]{0,20}[a-z0-9]@[a-z][a-z0-9-]{0,10}\.example", fullmatch=True)
identifiers = st.one_of(names, st.uuids().map(str))
noise = st.sampled_from(["", "  ", "\u00a0", "\ufeff"])


@given(
    st.lists(st.tuples(noise, identifiers, noise, st.booleans(), st.sampled_from(["\n", "\r\n", ";", ",\t", "\n\n"]))),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
)
@settings(max_examples=200, deadline=None)
def test_every_identifier_comes_back_once_and_in_order(rows, encoding):
    text = "".join(
        before + (f'"{identifier}"' if quoted else identifier) + after + end
        for before, identifier, after, quoted, end in rows
    )

    assert keys(parse_file(BytesIO(text.encode(encoding)))) == [identifier for _b, identifier, *_rest in rows]


@given(st.text(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_without_a_fault_and_every_line_is_accounted_for(text):
    tally = Tally()

    entries = list(parse_text(text, tally))

    lines = len(text.splitlines())
    assert tally.lines == lines
    assert tally.blank + tally.headings + len({entry.line for entry in entries}) <= lines
    if '"' not in text:
        assert tally.blank + tally.headings + len({entry.line for entry in entries}) == lines
    for entry in entries:
        assert (entry.kind == Kind.UNREADABLE) == (not entry.key)
        if entry.kind == Kind.OBJECT_ID:
            assert str(uuid.UUID(entry.key)) == entry.key


@given(st.binary(max_size=600))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(data):
    try:
        list(parse_file(BytesIO(data)))
    except parser.UnusableList:
        assert data.startswith((b"PK", b"\xd0\xcf", b"%PDF"))
