"""Many rows into a table at once: PostgreSQL's COPY beside it, and one statement that inserts or updates from there.

https://www.postgresql.org/docs/current/sql-copy.html
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, make_dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from psycopg import sql

NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": ""})  # a text keeps no NUL
FEW = 40  # up to so many rows, a plain statement costs less than a table beside


def plain(model: type[models.Model]) -> type:
    """A class of plain objects with a model's columns and their defaults.

    For rows by the hundred thousand: the model's own objects cost ten times as much to make.
    """
    columns = []
    for one in _stored(model):
        if callable(one.default) and one.has_default():
            default = field(default_factory=one.default)
        elif one.has_default():
            default = field(default=one.default)
        elif one.null or one.blank:
            default = field(default=None if one.null else "")
        else:
            default = field()
        columns.append((one.attname, Any, default))
    made = make_dataclass(f"{model.__name__}Row", columns, kw_only=True, slots=True)
    if not isinstance(model._meta.pk, models.AutoField):
        made.pk = property(attrgetter(model._meta.pk.attname))
    return made


def as_text(model: type[models.Model], rows: Sequence[Any]) -> str:
    """What `upsert` copies, made wherever there is time for it: it needs no database."""
    return "".join(_lines(_stored(model), rows))


def upsert(
    model: type[models.Model],
    rows: Sequence[Any],
    unique: Sequence[str] = (),
    fields: Sequence[str] = (),
    *,
    text: str = "",
) -> None:
    """Insert these rows, or update `fields` of those that are there. Call inside a transaction.

    Args:
        rows: the model's own or `plain` ones. One per key: PostgreSQL refuses to update a row twice in one statement.
        unique: the names of the fields that make the key; none where every row is known to be new, which is cheaper.
        text: these very rows `as_text`, where that was made before.
    """
    if not rows:
        return
    meta, stored = model._meta, _stored(model)
    if len(rows) <= FEW:
        made = [row if isinstance(row, model) else _own(model, stored, row) for row in rows]
        anyway = {"update_conflicts": True, "unique_fields": unique, "update_fields": fields} if unique else {}
        model.objects.bulk_create(made, **anyway)
        return
    columns, table = _names(one.column for one in stored), sql.Identifier(meta.db_table)
    conflict = sql.SQL("")
    if unique:
        keys = _names(meta.get_field(name).column for name in unique)
        changed = sql.SQL(", ").join(
            sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(meta.get_field(name).column)) for name in fields
        )
        conflict = sql.SQL(" ON CONFLICT ({}) DO UPDATE SET {}").format(keys, changed)
    beside = sql.Identifier("incoming_rows")
    with connection.cursor() as wrapped:
        cursor = wrapped.cursor  # Django's own wrapper knows no COPY
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                beside, columns, table
            )
        )
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(beside, columns)) as copy:
            copy.write(text or as_text(model, rows))
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}{}").format(table, columns, columns, beside, conflict)
        )
        cursor.execute(sql.SQL("DROP TABLE {}").format(beside))


def _names(columns) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _stored(model: type[models.Model]) -> list[models.Field]:
    columns = model._meta.local_concrete_fields
    return [one for one in columns if not one.generated and not isinstance(one, models.AutoField)]


def _own(model: type[models.Model], stored: Sequence[models.Field], row: Any) -> models.Model:
    return model(**{one.attname: getattr(row, one.attname) for one in stored})


def _lines(fields: Sequence[models.Field], rows: Sequence[Any]) -> Iterator[str]:
    """In the text format, made here: that is several times as fast as one value after the other by the driver."""
    for one in fields:
        if getattr(one, "auto_now_add", False):
            for row in rows:
                one.pre_save(row, add=True)
    values_of, texts = attrgetter(*(one.attname for one in fields)), [_text_of(one) for one in fields]
    for row in rows:
        values = zip(values_of(row), texts, strict=True)
        yield "\t".join([NULL if value is None else text(value) for value, text in values]) + "\n"


def _text_of(column: models.Field) -> Callable[[Any], str]:
    if isinstance(column, ArrayField):
        return _remembered(_array, key=tuple)
    if isinstance(column, models.JSONField):
        return lambda value: escaped(json.dumps(value))
    if isinstance(column, models.BooleanField):
        return lambda value: "t" if value else "f"
    if isinstance(column, models.CharField | models.TextField):
        return escaped
    if isinstance(column, models.UUIDField | models.ForeignKey):
        return lambda value: value.hex if isinstance(value, UUID) else str(value)
    if isinstance(column, models.DateTimeField):
        return _remembered(str)
    return str  # numbers have nothing to escape


def _remembered(text: Callable[[Any], str], key: Callable[[Any], Any] = lambda value: value) -> Callable[[Any], str]:
    """The same, of values of which most come again and again."""
    known: dict[Any, str] = {}

    def again(value: Any) -> str:
        if (found := known.get(same := key(value))) is None:
            found = known[same] = text(value)
        return found

    return again


def _array(values: Sequence) -> str:
    quoted = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return escaped("{" + ",".join(f'"{one}"' for one in quoted) + "}")


def escaped(text: str) -> str:
    """A text as COPY reads it."""
    return text if text.isprintable() and "\\" not in text else str(text).translate(_ESCAPES)
