"""Names come from a directory that others write to: no cell of a download may start a formula."""

import csv

import pytest

from revocation.lists.selection import Row, Selection
from revocation.showing import downloads

HOSTILE = [
    "=HYPERLINK(A1)",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "＝1",
    "Adele;=1+1",
    'Adele;"=1+1',
    "Adele;\t=1+1",
    "Adele\n=1+1",
    "Adele\t@SUM(A1)",
]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_cell_begins_a_formula_whatever_separator_the_spreadsheet_expects(name, separator):
    rows = Selection([Row(1, name, "found", "id", name, name, name)])

    text = "".join(downloads.selection_as_csv(rows)).lstrip("\ufeff")

    cells = [cell for row in csv.reader(text.splitlines(keepends=True), delimiter=separator) for cell in row]
    naive = [cell for line in text.splitlines() for cell in line.split(separator)]
    for cell in cells + naive:
        assert not cell.strip(' \t\r\n"').startswith(("=", "+", "-", "@", "＝")), repr(cell)


def test_an_ordinary_name_is_left_as_it_is():
    rows = Selection([Row(1, "adele@contoso.example", "found", "id", "Jean-Luc O'Neill, Dr.; PhD", "a+b@c.example")])

    text = "".join(downloads.selection_as_csv(rows))

    assert "Jean-Luc O'Neill, Dr.; PhD" in text
    assert "a+b@c.example" in text
