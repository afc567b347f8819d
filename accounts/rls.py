"""Migration operations that put a table behind row-level security.

https://www.postgresql.org/docs/current/ddl-rowsecurity.html
"""

from django.db import migrations

TENANT = "nullif(current_setting('consentry.tenant', true), '')::uuid"
USER = "nullif(current_setting('consentry.user', true), '')::uuid"
OPERATOR = "current_setting('consentry.operator', true) = 'on'"


def isolate(table: str, *, own_rows_by: str | None = None, operator: bool = False) -> migrations.RunSQL:
    """Show rows of `table` only to their tenant; FORCE binds the owning role too.

    Args:
        own_rows_by: a column that names a portal user, who sees these rows whatever the tenant.
        operator: whether the operator's admin pages see all rows.
    """
    rule = f"tenant_id = {TENANT}"
    if own_rows_by:
        rule += f" OR {own_rows_by} = {USER}"
    if operator:
        rule += f" OR {OPERATOR}"
    return migrations.RunSQL(
        sql=[
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
            f'CREATE POLICY tenant_isolation ON "{table}" USING ({rule}) WITH CHECK ({rule})',
        ],
        reverse_sql=[
            f'DROP POLICY tenant_isolation ON "{table}"',
            f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY',
        ],
    )
