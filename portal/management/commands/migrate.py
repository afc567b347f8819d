"""Django's `migrate`, under the role that owns the tables, so that the role the portal runs under owns nothing.

DATABASE_OWNER_URL names that role and its password; database and server are those of DATABASE_URL. Afterwards the
portal's role may read and write rows, and only add to the record. Without it, DATABASE_URL's own role migrates.
"""

from django.core.management.commands.migrate import Command as Migrate
from django.db import connections
from psycopg import sql

from accounts.owner import as_owner

# The record and the list of migrations: what the portal may do there, where it is less than with any other table.
LESS = {
    "audit_auditentry": "SELECT, INSERT",
    "audit_chainhead": "SELECT, INSERT, UPDATE",
    "audit_label": "SELECT, INSERT",
    "audit_redaction": "SELECT",
    "audit_segment": "SELECT",
    "django_migrations": "SELECT",
}


class Command(Migrate):
    def handle(self, *args, **options) -> None:
        with as_owner(options["database"]) as runtime:
            super().handle(*args, **options)
            if runtime:
                _let_in(connections[options["database"]], runtime)


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
