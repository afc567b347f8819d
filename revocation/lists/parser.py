"""Reads what people paste and what spreadsheets export: UPNs, mail addresses and object ids, mixed.

Excel writes semicolons or tabs by the computer's language, UTF-16 for "Unicode text", Windows-1252
for plain CSV, and a mark at the start of UTF-8. Mail programs paste `Adele Vance <adele@…>`.
"""

import csv
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from io import SEEK_END, TextIOWrapper
from itertools import islice
from time import monotonic
from typing import BinaryIO

from django.utils.translation import gettext as _

from graph.sentences import grouped

MAX_BYTES = 64 * 1024 * 1024
MAX_ENTRIES = 500_000
LONGEST_KEY = 320  # a mail address's limit (RFC 3696 erratum 1690); UPNs are shorter
SHOWN = 200  # characters of an unreadable line that are kept to show
AROUND = 100  # characters of a cell beside what cannot be read in it: never the whole cell again and again
LONGEST_CELL = 64 * 1024  # characters; what is longer is read word by word, and a longer word not at all
SECONDS = 20.0  # for reading one list: whoever asks holds one of the few threads that serve everybody
CONTINUED = 50  # lines one quoted cell may span before the quote is taken for a stray character

GUID = re.compile(r"(?<![0-9a-f-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f-])", re.I)
# Everything but what separates or encloses. Which characters a directory allows is for the directory to say.
PART = r"[^\s<>\"“”„(),;:|\[\]{}@=]"
# Tried once for each word, not at each of its letters: a long line without an address must not cost its square.
ADDRESS = re.compile(rf"(?<!{PART}){PART}++@{PART}+")
PLAIN = re.compile(r"[a-z0-9][\w.+-]*[a-z0-9]@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", re.I | re.A)
SEPARATORS = re.compile(r"[;,\t|]")
SPACES = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"), None) | {0xA0: " ", 0x202F: " ", 0: None}

# Headings of Entra's and Exchange's exports and of lists people keep, most telling first.
ID_HEADINGS = {"objectid", "azureadobjectid", "entraobjectid", "aadobjectid", "userid", "objektid", "oid", "id"}
UPN_HEADINGS = {
    "userprincipalname",
    "upn",
    "username",
    "signinname",
    "benutzerprinzipalname",
    "login",
    "account",
    "user",
}
MAIL_HEADINGS = {"mail", "email", "emailaddress", "primarysmtpaddress", "smtpaddress", "mailaddress", "emailadresse"}
HEADINGS = (ID_HEADINGS, UPN_HEADINGS, MAIL_HEADINGS)


class UnusableList(ValueError):
    """The list cannot be taken as a whole; the message says why. Nothing was read."""


class Kind(StrEnum):
    OBJECT_ID = "object_id"
    ADDRESS = "address"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Entry:
    """One identifier as it was found. `key` is what to look up: lower case, nothing around it."""

    line: int  # 1-based, of the file or the text
    text: str
    key: str
    kind: Kind


@dataclass
class Tally:
    """What the reader passed over, so that a page can account for every line."""

    lines: int = 0
    blank: int = 0
    headings: int = 0


def parse_text(text: str, tally: Tally | None = None, *, seconds: float | None = None) -> Iterator[Entry]:
    """The entries of a pasted list, in order, duplicates and all. `seconds`: how long it may take; else SECONDS."""
    if len(text) > MAX_BYTES:
        raise UnusableList(_("This list is larger than 64 MB. Split it and ask for each part."))
    return _limited(_entries(text.splitlines(), tally or Tally(), seconds or SECONDS))


def parse_file(file: BinaryIO, tally: Tally | None = None, *, seconds: float | None = None) -> Iterator[Entry]:
    """The entries of an uploaded CSV or text file, in order; read as a stream, whatever its encoding.

    Raises:
        UnusableList: too large, or a spreadsheet or other binary file instead of text.
    """
    encoding = detect_encoding(file)
    file.seek(0)
    # "replace" cannot drop anything: the encodings were tried, and a bad character makes its line unreadable.
    lines = TextIOWrapper(_Unclosed(file), encoding=encoding, errors="replace", newline=None)
    return _limited(_entries((line.rstrip("\n") for line in lines), tally or Tally(), seconds or SECONDS))


def detect_encoding(file: BinaryIO) -> str:
    """How this file's text is written: by its mark, by the zero bytes of UTF-16, else UTF-8 or Windows-1252."""
    if file.seek(0, SEEK_END) > MAX_BYTES:
        raise UnusableList(_("This file is larger than 64 MB. Split it and ask for each part."))
    file.seek(0)
    start = file.read(4096)
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise UnusableList(_("This is an Excel workbook. Save the sheet as CSV and choose that file."))
    if start.startswith(b"%PDF"):
        raise UnusableList(_("This is a PDF. Paste the names instead, or choose a CSV file."))
    if start.startswith(BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start:
        # Latin letters in UTF-16 have their zero byte always on the same side.
        return "utf-16-le" if start[1::2].count(0) >= start[0::2].count(0) else "utf-16-be"
    decoder = getincrementaldecoder("utf-8")()
    file.seek(0)
    while chunk := file.read(1 << 18):
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            return "cp1252"
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


class _Unclosed:
    """Lends a file to TextIOWrapper, which would close it with itself."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.closed = False

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    read1 = read


def _limited(entries: Iterator[Entry]) -> Iterator[Entry]:
    yield from islice(entries, MAX_ENTRIES)
    if next(entries, None) is not None:
        raise UnusableList(
            _("This list has more than %(count)s entries. Split it and ask for each part.")
            % {"count": grouped(MAX_ENTRIES)}
        )


def _entries(lines: Iterable[str], tally: Tally, seconds: float) -> Iterator[Entry]:
    heading: tuple[str, ...] | None = None
    columns: list[int] = []
    separator: str | None = None
    started = False
    until = monotonic() + seconds
    for number, raw, joined in _records(lines, tally):
        if number % 256 == 0 and monotonic() > until:
            raise UnusableList(_("This list takes too long to read. Split it and ask for each part."))
        line = raw.translate(SPACES)
        if not line.strip(" \t;,|\"'"):
            tally.blank += joined
            continue
        if not started and re.fullmatch(r"\W*sep=(.)\s*", line, re.I):
            tally.headings += joined  # Excel's own first line, which names the separator
            continue
        cells = _split(line, separator)
        if not started:
            started = True
            separator_found, split = _heading_separator(line)
            named = _identity_columns(split)
            if not _has_identifier(line) and (named or _looks_like_heading(split)):
                separator, columns = separator_found, named
                heading = tuple(_heading(cell) for cell in split)
                tally.headings += joined
                continue
        # A heading names no one, so that most lines need not be compared with it cell by cell.
        if heading and "@" not in line and tuple(_heading(cell) for cell in cells) == heading:
            tally.headings += joined  # lists put together from several exports
            continue
        yield from _row(number, line, cells, columns)


def _records(lines: Iterable[str], tally: Tally) -> Iterator[tuple[int, str, int]]:
    """Lines with their number, joined where a quoted cell holds line breaks: (number, text, lines it took)."""
    source = iter(lines)
    waiting: deque[str] = deque()
    number = 0
    while True:
        line = waiting.popleft() if waiting else next(source, None)
        if line is None:
            return
        number += 1
        if line.count('"') % 2 == 0:
            tally.lines += 1
            yield number, line, 1
            continue
        while len(waiting) < CONTINUED and (further := next(source, None)) is not None:
            waiting.append(further)
        closing = next((index for index, text in enumerate(waiting) if text.count('"') % 2), None)
        if closing is None or any(_has_identifier(waiting[index]) for index in range(closing)):
            tally.lines += 1  # a stray quote: it must not swallow the people on the lines below
            yield number, line.replace('"', " "), 1
            continue
        parts = [line, *(waiting.popleft() for _ in range(closing + 1))]
        tally.lines += len(parts)
        yield number, "\n".join(parts), len(parts)
        number += len(parts) - 1


def _split(line: str, separator: str | None) -> list[str]:
    if separator is None:
        if '"' not in line:
            return SEPARATORS.split(line)
        separator = _heading_separator(line)[0]
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return SEPARATORS.split(line.replace('"', " "))


def _heading_separator(line: str) -> tuple[str, list[str]]:
    bare = re.sub(r'"[^"]*"', "", line)
    separator = max("\t;,|", key=bare.count)
    return separator, _split(line, separator)


def _heading(cell: str) -> str:
    return re.sub(r"[\W_]+", "", cell).lower()


def _identity_columns(cells: list[str]) -> list[int]:
    """Columns that name a person, the most telling first; headings like "Manager's e-mail" are not among them."""
    names = [_heading(cell) for cell in cells]
    return [index for known in HEADINGS for index, name in enumerate(names) if name in known]


def _looks_like_heading(cells: list[str]) -> bool:
    """Several worded columns, none of them a value: a table whose headings we do not know."""
    worded = [cell.strip() for cell in cells if cell.strip()]
    return len(worded) >= 2 and all(re.fullmatch(r"[^\d@]{2,40}", cell) for cell in worded)


def _has_identifier(text: str) -> bool:
    return bool(ADDRESS.search(text) or GUID.search(text))


def _row(number: int, line: str, cells: list[str], columns: list[int]) -> Iterator[Entry]:
    """The identifiers of one row: of the first telling column that holds one, else of every cell."""
    for index in columns:
        if index < len(cells) and (found := list(_identifiers(number, cells[index]))):
            yield from found
            return
    if columns:
        # Other columns may name someone else (a manager, an assistant): they are not taken in their place.
        yield Entry(number, _shown(line), "", Kind.UNREADABLE)
        return
    found_any = False
    for cell in cells:
        for entry in _identifiers(number, cell):
            found_any = True
            yield entry
    if not found_any:
        yield Entry(number, _shown(line), "", Kind.UNREADABLE)


def _identifiers(number: int, cell: str) -> Iterator[Entry]:
    if len(cell) > LONGEST_CELL:
        for word in cell.split():
            if len(word) <= LONGEST_CELL:
                yield from _identifiers(number, word)
            else:
                yield Entry(number, _shown(word), "", Kind.UNREADABLE)
        return
    if PLAIN.fullmatch(plain := cell.strip()) and len(plain) <= LONGEST_KEY:
        yield Entry(number, plain, plain.lower(), Kind.ADDRESS)  # what nearly every cell holds
        return
    if "@" not in cell:
        for match in GUID.finditer(cell):
            yield Entry(number, match[0], match[0].lower(), Kind.OBJECT_ID)
        return
    position = 0
    for match in ADDRESS.finditer(cell):
        yield from _identifiers(number, cell[position : match.start()].replace("@", " "))
        position = match.end()
        key = match[0].strip("'`’‘*.!?").lower()
        local, _at, domain = key.partition("@")
        if local and domain and len(key) <= LONGEST_KEY:
            yield Entry(number, match[0], key, Kind.ADDRESS)
        else:
            around = cell[max(0, match.start() - AROUND) : match.end() + AROUND]
            yield Entry(number, _shown(around), "", Kind.UNREADABLE)
    yield from _identifiers(number, cell[position:].replace("@", " "))


def _shown(line: str) -> str:
    text = " ".join(line[: SHOWN * 4].split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
