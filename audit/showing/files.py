"""Rows as a file to keep, made line by line while it is sent, in the memory of one line."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from accounts.models import Tenant
from accounts.tenancy import tenant_context
from audit import canonical, selectors
from audit.models import AuditEntry

# Where a formula could begin: at the start, or after what some spreadsheet takes for the end of a cell.
FORMULA = re.compile(r"(?:^|(?<=[;,\t\r\n]))(?=[\s\"']*[=+\-@＝＋－＠])")
BOM = "\ufeff"  # without it Excel reads UTF-8 as Windows-1252
CSV = "text/csv; charset=utf-8"
CHUNK = 500
COLUMNS = [
    "sequence",
    "at",
    "event",
    "actor_id",
    "actor_label",
    "approver_id",
    "approver_label",
    "action",
    "target_type",
    "target_id",
    "target_label",
    "outcome",
    "reason",
    "ticket",
    "request_id",
    "graph_request_id",
    "before",
    "after",
]


class _Echo:
    """A file that hands back what is written to it: `csv` knows no other way to make a line."""

    def write(self, value: str) -> str:
        return value


def csv_lines(columns: list[str], rows: Iterable[Iterable]) -> Iterator[str]:
    """A heading and one line for each row, UTF-8 with a mark, in which no spreadsheet finds a formula."""
    writer = csv.writer(_Echo())
    yield BOM + writer.writerow(columns)
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def cell(value: Any) -> str:
    """A value as text that no spreadsheet takes for a formula. https://owasp.org/www-community/attacks/CSV_Injection"""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return FORMULA.sub("'", text)


def entries_as_csv(tenant: Tenant, found: QuerySet[AuditEntry], name: str) -> StreamingHttpResponse:
    rows = ([_text(values[column]) for column in COLUMNS] for values in _values(found))
    return download(tenant, csv_lines(COLUMNS, rows), CSV, name)


def entries_as_json(tenant: Tenant, found: QuerySet[AuditEntry], name: str) -> StreamingHttpResponse:
    """An array with one entry a line."""
    return download(tenant, json_lines(_values(found)), "application/json; charset=utf-8", name)


def json_lines(rows: Iterable[dict]) -> Iterator[str]:
    """A JSON array with one object per line."""
    separator = "["
    for row in rows:
        yield f"{separator}\n{json.dumps(row, ensure_ascii=False)}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def _values(found: QuerySet[AuditEntry]) -> Iterator[dict]:
    """Newest first, as pages show them: `selectors.page` knows whose names may be told."""
    after = None
    while True:
        page = selectors.page(found, after=after, size=CHUNK)
        for entry in page.items:
            yield {column: canonical.plain(getattr(entry, column)) for column in COLUMNS}
        if page.after is None:
            return
        after = page.after


def _text(value: Any) -> Any:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict | list) else value


def download(tenant: Tenant, lines: Iterable[str], content_type: str, name: str) -> StreamingHttpResponse:
    """Lines as an attachment, made in the tenant's scope while they are sent."""

    def scoped() -> Iterator[str]:
        with tenant_context(tenant.pk):  # the middleware has left the tenant's scope by the time a stream is read
            yield from lines

    answer = StreamingHttpResponse(scoped(), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
