"""Results and lists as files, row by row."""

from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

from accounts.models import Tenant
from audit.showing.files import CSV, csv_lines, download, json_lines
from revocation.lists.selection import Selection
from revocation.models import RevocationRequest
from revocation.showing import figures

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


def results_as_csv(request: RevocationRequest) -> Iterator[str]:
    """A heading and one line per person, UTF-8 with a mark."""
    rows = ([row[name] for name in COLUMNS] for row in figures.results(request))
    return csv_lines(COLUMNS, rows)


def results_as_json(request: RevocationRequest) -> Iterator[str]:
    """A JSON array with one object per person."""
    return json_lines(figures.results(request))


def selection_as_csv(selection: Selection) -> Iterator[str]:
    """Every line of a list as it was read, with whom it named and why that person is in or out."""
    columns = ["line", "as_written", "status", "included", "object_id", "name", "upn", "why"]
    rows = ([r.line, r.text, r.status, r.included, r.person_id, r.label, r.upn, r.why] for r in selection.rows)
    return csv_lines(columns, rows)


def csv_file(tenant: Tenant, columns: list[str], rows: Iterable[list], name: str) -> StreamingHttpResponse:
    """The rows as a file to keep, made line by line while it is sent, in the memory of one line."""
    return download(tenant, csv_lines(columns, rows), CSV, name)
