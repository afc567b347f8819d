"""Many rows into a table at once: PostgreSQL's COPY beside it, and one statement that inserts or updates from there.

https://www.postgresql.org/docs/current/sql-copy.html
"""

from collections.abc import Sequence

from django.db import connection, models
from psycopg import sql
from psycopg.types.json import Jsonb

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
            for row in rows:
                copy.write_row([_value(one, row) for one in stored])
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT ({}) DO UPDATE SET {}").format(
                table, columns, columns, beside, keys, changed
            )
        )
        cursor.execute(sql.SQL("DROP TABLE {}").format(beside))


def _names(columns) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _value(field: models.Field, row: models.Model):
    value = field.pre_save(row, add=True)
    return Jsonb(value) if isinstance(field, models.JSONField) else value
