"""Django's `migrate`, under the role that owns the tables, so that the role the portal runs under owns nothing.

DATABASE_OWNER_URL names that role and its password; database and server are those of DATABASE_URL. Afterwards the
portal's role may read and write rows, and only add to the record. Without it, DATABASE_URL's own role migrates.
"""

import environ
from django.conf import settings
from django.core.management.commands.migrate import Command as Migrate
from django.db import connections
from psycopg import sql

# The record and the list of migrations: what the portal may do there, where it is less than with any other table.
LESS = {
    "audit_auditentry": "SELECT, INSERT",
    "audit_chainhead": "SELECT, INSERT, UPDATE",
    "django_migrations": "SELECT",
}


class Command(Migrate):
    def handle(self, *args, **options) -> None:
        connection = connections[options["database"]]
        owner = environ.Env.db_url_config(settings.DATABASE_OWNER_URL) if settings.DATABASE_OWNER_URL else {}
        runtime = connection.settings_dict["USER"]
        if not owner or owner["USER"] == runtime:
            super().handle(*args, **options)
            return
        kept = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
        connection.close()
        connection.settings_dict.update({name: owner[name] for name in kept})
        try:
            super().handle(*args, **options)
            _let_in(connection, runtime)
        finally:
            connection.close()
            connection.settings_dict.update(kept)


def _let_in(connection, runtime: str) -> None:
    """Rows to the role the portal runs under, and nothing that changes what a table, a policy or a trigger is."""
    role = sql.Identifier(runtime)
    grants = [
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    ]
    there = set(connection.introspection.table_names())
    for table, rights in LESS.items():
        if table in there:
            grants += [f"REVOKE ALL ON {table} FROM {{role}}", f"GRANT {rights} ON {table} TO {{role}}"]
    with connection.cursor() as cursor:
        for grant in grants:
            cursor.execute(sql.SQL(grant).format(role=role))
