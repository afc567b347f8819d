"""The role that owns the tables: for migrations, and for the few commands that take something out of the record.

The role that the portal runs under owns nothing and may only add to the record. What DATABASE_OWNER_URL names is given
to no process that serves people.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import environ
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections


@contextmanager
def as_owner(alias: str = DEFAULT_DB_ALIAS) -> Iterator[str]:
    """Connect as the owner until the block ends. Yields the other role, where there are two; else an empty string."""
    connection = connections[alias]
    owner = environ.Env.db_url_config(settings.DATABASE_OWNER_URL) if settings.DATABASE_OWNER_URL else {}
    runtime = connection.settings_dict["USER"]
    if not owner or owner["USER"] == runtime:
        yield ""
        return
    kept = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    connection.close()
    connection.settings_dict.update({name: owner[name] for name in kept})
    try:
        yield runtime
    finally:
        connection.close()
        connection.settings_dict.update(kept)


def may_take_out() -> bool:
    """Whether this connection's role may take entries out of the record."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('audit_auditentry', 'DELETE')")
        return cursor.fetchone()[0]
