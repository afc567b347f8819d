"""Many ids in one statement, as one array: thousands of separate parameters cost more than the query itself."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL


def id_array(ids: Iterable[UUID]) -> str:
    """Ids as one `%s::uuid[]`, for statements of our own."""
    return "{" + ",".join([one.hex for one in ids]) + "}"


def among(column: str, ids: Iterable[UUID]) -> RawSQL:
    """The same as a condition on a column, given with its table. A queryset filters by it, and so does a `Q`."""
    return RawSQL(f"{column} = ANY(%s::uuid[])", [id_array(ids)], BooleanField())  # noqa: S611 # nosec B611 - no column is a text of anybody
