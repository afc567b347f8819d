"""A tenant's directory as the portal's first reading of the untouched sandbox leaves it, for tests that begin there.

The reading itself is tested in tests/directory. Here it takes place once in a process; afterwards its rows are put
back, with their moments moved to now. Who has changed the sandbox's world reads it: `directory.sync.sync_tenant`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from audit.models import AuditEntry, AuditEvent
from audit.services import record
from directory import sync


@dataclass(frozen=True)
class Kept:
    rows: dict[type[models.Model], str]  # as JSON
    tenant: dict[str, Any]  # what the reading wrote into the tenant's own row
    entry: AuditEntry
    at: datetime


_kept: dict[Any, Kept] = {}


def read_directory(tenant: Tenant) -> Tenant:
    """The tenant, read whole. The sandbox must be as `entra` resets it."""
    with tenant_context(tenant.pk):
        if kept := _kept.get(tenant.pk):
            with transaction.atomic(), connection.cursor() as cursor:
                _put_back(cursor, tenant, kept)
        else:
            before = _of_its_row(tenant)
            assert sync.sync_tenant(tenant).complete
            with connection.cursor() as cursor:
                _kept[tenant.pk] = _keep(cursor, tenant, before)
    return tenant


def _keep(cursor: CursorWrapper, tenant: Tenant, before: dict[str, Any]) -> Kept:
    rows = {}
    for model in _models():
        cursor.execute(f'SELECT json_agg(row)::text FROM "{model._meta.db_table}" row')
        if found := cursor.fetchone()[0]:
            rows[model] = found
    after = _of_its_row(tenant)
    changed = {name: value for name, value in after.items() if value != before[name]}
    entry = AuditEntry.objects.get(tenant_id=tenant.pk, event=AuditEvent.DIRECTORY_SYNCED)
    return Kept(rows, changed, entry, timezone.now())


def _put_back(cursor: CursorWrapper, tenant: Tenant, kept: Kept) -> None:
    passed = timezone.now() - kept.at
    for model in _models():
        cursor.execute(f'DELETE FROM "{model._meta.db_table}" WHERE tenant_id = %s', [tenant.pk])
    for model, rows in kept.rows.items():
        table, (names, values) = model._meta.db_table, _columns(model)
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {values} FROM json_populate_recordset(NULL::"{table}", %(rows)s)',
            {"rows": rows, "passed": passed},
        )
    for name, value in kept.tenant.items():
        setattr(tenant, name, value + passed if isinstance(value, datetime) else value)
    Tenant.objects.filter(pk=tenant.pk).update(**{name: getattr(tenant, name) for name in kept.tenant})
    record(
        AuditEvent.DIRECTORY_SYNCED,
        tenant_id=tenant.pk,
        actor=Actor.system(),
        target_type=kept.entry.target_type,
        target_id=kept.entry.target_id,
        target_label=tenant.name,
        outcome=kept.entry.outcome,
        after=kept.entry.after,
    )


def _models() -> list[type[models.Model]]:
    return list(apps.get_app_config("directory").get_models())


def _columns(model: type[models.Model]) -> tuple[str, str]:
    """The names of what can be put in, and what to put in; numbers that PostgreSQL counts are counted anew."""
    counted = (models.AutoField, models.BigAutoField, models.GeneratedField)
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, counted)]
    moments = {field.column for field in fields if isinstance(field, models.DateTimeField)}
    names = [f'"{field.column}"' for field in fields]
    values = [f'"{one.column}" + %(passed)s' if one.column in moments else f'"{one.column}"' for one in fields]
    return ", ".join(names), ", ".join(values)


def _of_its_row(tenant: Tenant) -> dict[str, Any]:
    return Tenant.objects.filter(pk=tenant.pk).values().get()
