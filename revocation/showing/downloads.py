"""Results and lists as files, row by row."""

import csv
import json
import re
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from accounts.models import Tenant
from accounts.tenancy import tenant_context
from revocation.lists.selection import Selection
from revocation.models import RevocationRequest
from revocation.showing import figures

# Where a formula could begin: at the start, or after what some spreadsheet takes for the end of a cell.
FORMULA = re.compile(r"(?:^|(?<=[;,\t\r\n]))(?=[\s\"']*[=+\-@＝＋－＠])")
BOM = "\ufeff"  # without it Excel reads UTF-8 as Windows-1252
COLUMNS = [
    "id",
    "upn",
    "name",
    "state",
    "outcome",
    "outcome_code",
    "asked_at",
    "called_at",
    "accepted_at",
    "finished_at",
    "attempts",
    "graph_request_ids",
]


class _Echo:
    """A file that hands back what is written to it: `csv` knows no other way to make a line."""

    def write(self, value: str) -> str:
        return value


def results_as_csv(request: RevocationRequest) -> Iterator[str]:
    """A heading and one line per person, UTF-8 with a mark."""
    rows = ([_cell(row[name]) for name in COLUMNS] for row in figures.results(request))
    return _csv(COLUMNS, rows)


def results_as_json(request: RevocationRequest) -> Iterator[str]:
    """A JSON array with one object per line."""
    separator = "["
    for row in figures.results(request):
        yield f"{separator}\n{json.dumps(row, ensure_ascii=False)}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def selection_as_csv(selection: Selection) -> Iterator[str]:
    """Every line of a list as it was read, with whom it named and why that person is in or out."""
    columns = ["line", "as_written", "status", "included", "object_id", "name", "upn", "why"]
    rows = (
        [_cell(value) for value in (r.line, r.text, r.status, r.included, r.person_id, r.label, r.upn, r.why)]
        for r in selection.rows
    )
    return _csv(columns, rows)


def csv_file(tenant: Tenant, columns: list[str], rows: Iterable[list], name: str) -> StreamingHttpResponse:
    """The rows as a file to keep, made line by line while it is sent, in the memory of one line."""

    def scoped() -> Iterator[str]:
        with tenant_context(tenant.pk):  # the middleware has left the tenant's scope by the time a stream is read
            yield from _csv(columns, ([_cell(value) for value in row] for row in rows))

    answer = StreamingHttpResponse(scoped(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _csv(columns: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield BOM + writer.writerow(columns)
    for row in rows:
        yield writer.writerow(row)


def _cell(value) -> str:
    """A value as text that no spreadsheet takes for a formula. https://owasp.org/www-community/attacks/CSV_Injection"""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return FORMULA.sub("'", text)
