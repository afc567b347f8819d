"""Many rows into a table at once: PostgreSQL's COPY beside it, and one statement that inserts or updates from there.

https://www.postgresql.org/docs/current/sql-copy.html
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from psycopg import sql

NULL = "\\N"
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": ""}  # PostgreSQL keeps no NUL in a text
_SPECIAL = re.compile("[\\\\\t\n\r\0]")
FEW = 40  # up to so many rows, a plain statement costs less than a table beside


def upsert(
    model: type[models.Model], rows: Sequence[models.Model], unique: Sequence[str], fields: Sequence[str]
) -> None:
    """Insert these rows, or update `fields` of those that are there. Call inside a transaction.

    Args:
        rows: one row per key: PostgreSQL refuses to update a row twice in one statement.
        unique: the names of the fields that make the key.
    """
    if not rows:
        return
    if len(rows) <= FEW:
        model.objects.bulk_create(rows, update_conflicts=True, unique_fields=unique, update_fields=fields)
        return
    meta = model._meta
    stored = [one for one in meta.local_concrete_fields if not one.generated and not isinstance(one, models.AutoField)]
    columns, table = _names(one.column for one in stored), sql.Identifier(meta.db_table)
    keys = _names(meta.get_field(name).column for name in unique)
    changed = sql.SQL(", ").join(
        sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(meta.get_field(name).column)) for name in fields
    )
    beside = sql.Identifier("incoming_rows")
    with connection.cursor() as wrapped:
        cursor = wrapped.cursor  # Django's own wrapper knows no COPY
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                beside, columns, table
            )
        )
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(beside, columns)) as copy:
            copy.write("".join(_lines(stored, rows)))
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT ({}) DO UPDATE SET {}").format(
                table, columns, columns, beside, keys, changed
            )
        )
        cursor.execute(sql.SQL("DROP TABLE {}").format(beside))


def _names(columns) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _lines(fields: Sequence[models.Field], rows: Sequence[models.Model]) -> Iterator[str]:
    """In the text format, made here: that is several times as fast as one value after the other by the driver."""
    readers = [(one, one.attname, _text_of(one), getattr(one, "auto_now_add", False)) for one in fields]
    for row in rows:
        values = []
        for field, name, text, set_now in readers:
            value = field.pre_save(row, add=True) if set_now else getattr(row, name)
            values.append(NULL if value is None else text(value))
        yield "\t".join(values) + "\n"


def _text_of(field: models.Field) -> Callable[[Any], str]:
    if isinstance(field, ArrayField):
        return _array
    if isinstance(field, models.JSONField):
        return lambda value: _escaped(json.dumps(value))
    if isinstance(field, models.BooleanField):
        return lambda value: "t" if value else "f"
    if isinstance(field, models.CharField | models.TextField):
        return lambda value: _escaped(str(value))
    return str  # ids, numbers and moments have nothing to escape


def _array(values: Sequence) -> str:
    quoted = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return _escaped("{" + ",".join(f'"{one}"' for one in quoted) + "}")


def _escaped(text: str) -> str:
    if not _SPECIAL.search(text):
        return text
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], text)
