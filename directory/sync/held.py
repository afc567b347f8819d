"""Which permission each app holds, and how many apps hold each: what the pages about permissions read."""

from collections.abc import Collection as Sized, Iterable, Iterator
from itertools import groupby
from uuid import UUID

from django.db import connection

from accounts.models import Tenant
from directory.models import AppPermission, PermissionDefinition, ServicePrincipal
from directory.risk import permission_rule
from directory.sync.copying import upsert
from directory.sync.rows import in_parts
from directory.wording import Definitions

APPS_AT_ONCE = 2000
Kind = PermissionDefinition.Kind
Key = tuple[UUID, UUID, str, str]  # app, resource, kind, value
Facts = tuple[str, int, int, bool]  # reason, risk, people, for everyone
Held = tuple[Key, Facts]


def permissions(
    pairs: Iterable[tuple], roles: Iterable[tuple], definitions: Definitions
) -> Iterator[tuple[Key, Facts]]:
    """What apps hold, app by app, from (app, resource, scope, people, for everyone) and (app, resource, app role)."""
    by_app: dict[UUID, list[tuple]] = {}
    for pair in pairs:
        by_app.setdefault(pair[0], []).append((Kind.DELEGATED, *pair[1:]))
    for app_id, resource_id, role_id in roles:
        by_app.setdefault(app_id, []).append((Kind.APPLICATION, resource_id, role_id, 0, True))
    for app_id in sorted(by_app):
        for kind, resource_id, value, people, everyone in by_app[app_id]:
            yield _held(app_id, kind, resource_id, value, people, everyone, definitions)


def _held(app_id, kind, resource_id, value, people, everyone, definitions: Definitions) -> Held:
    alone = kind == Kind.APPLICATION
    known = definitions.app_role(resource_id, value) if alone else definitions.scope(resource_id, value)
    name = (known.value if known else str(value)) if alone else value
    rule = permission_rule(
        name,
        application=alone,
        admin_only=bool(known and known.admin_only),
        microsoft_api=definitions.is_microsoft(resource_id),
    )
    return (app_id, resource_id, str(kind), name[:256]), (rule.key, int(rule.risk), people, everyone)


def save(tenant: Tenant, ids: Sized[UUID] | None, found: Iterable[Held]) -> None:
    """Make `found`, in the order of its apps, all that these apps hold (all apps without `ids`), and count anew."""
    touched: set[tuple[UUID, str, str]] = set()
    seen: set[UUID] = set()
    by_app = ((app_id, list(rows)) for app_id, rows in groupby(found, key=lambda item: item[0][0]))
    for part in in_parts(by_app, APPS_AT_ONCE):
        apps = [app_id for app_id, _rows in part]
        seen.update(apps)
        touched |= _replace(tenant, apps, dict(item for _app, rows in part for item in rows))
    held = AppPermission.objects.filter(tenant=tenant)
    if ids is not None:
        held = held.filter(app_id__in=[app_id for app_id in ids if app_id not in seen])
        touched |= _gone(held)
    else:
        present = set(held.values_list("app_id", flat=True).distinct())
        for part in in_parts(sorted(present - seen), APPS_AT_ONCE):
            touched |= _gone(held.filter(app_id__in=part))
    _count(tenant, touched)


def forget_gone(tenant: Tenant) -> None:
    """What apps held that are not in the copy any more."""
    present = ServicePrincipal.objects.filter(tenant=tenant).values("pk")
    _count(tenant, _gone(AppPermission.objects.filter(tenant=tenant).exclude(app_id__in=present)))


def _replace(tenant: Tenant, apps: list[UUID], wanted: dict[Key, Facts]) -> set[tuple]:
    held = AppPermission.objects.filter(tenant=tenant, app_id__in=apps)
    columns = ("pk", "app_id", "resource_id", "kind", "value", "reason", "risk", "people", "everyone")
    old = {
        tuple(key): (pk, tuple(facts))
        for pk, *key, r, k, p, e in held.values_list(*columns)
        for facts in [(r, k, p, e)]
    }
    gone = [pk for key, (pk, _facts) in old.items() if key not in wanted]
    changed = {key: facts for key, facts in wanted.items() if key not in old or old[key][1] != facts}
    if gone:
        AppPermission.objects.filter(pk__in=gone).delete()
    made = [
        AppPermission(
            tenant=tenant, app_id=app, resource_id=resource, kind=kind, value=value,
            reason=reason, risk=risk, people=people, everyone=everyone,
        )
        for (app, resource, kind, value), (reason, risk, people, everyone) in changed.items()
    ]  # fmt: skip
    upsert(
        AppPermission,
        made,
        ["tenant", "app", "resource_id", "kind", "value"],
        ["reason", "risk", "people", "everyone"],
    )
    return {key[1:] for key in (*changed, *(key for key in old if key not in wanted))}


def _gone(held) -> set[tuple]:
    touched = set(held.values_list("resource_id", "kind", "value"))
    if touched:
        held.delete()
    return touched


def _count(tenant: Tenant, touched: set[tuple]) -> None:
    """Count again how many hold each of these permissions; one nobody holds any more is gone."""
    for part in in_parts(sorted(touched, key=str), 2000):
        columns = [list(column) for column in zip(*part, strict=True)]
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH wanted AS (SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[])"
                " AS w(resource_id, kind, value))"
                " DELETE FROM directory_permissionuse u USING wanted w WHERE u.tenant_id = %s"
                " AND (u.resource_id, u.kind, u.value) = (w.resource_id, w.kind, w.value)",
                [*columns, tenant.pk],
            )
            cursor.execute(
                "WITH wanted AS (SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[])"
                " AS w(resource_id, kind, value)) INSERT INTO directory_permissionuse"
                " (tenant_id, resource_id, kind, value, reason, risk, apps, consents, for_everyone)"
                " SELECT h.tenant_id, h.resource_id, h.kind, h.value, min(h.reason), max(h.risk), count(*),"
                " coalesce(sum(h.people), 0), count(*) FILTER (WHERE h.everyone)"
                " FROM wanted w JOIN directory_apppermission h ON h.value = w.value AND h.kind = w.kind"
                " AND h.resource_id = w.resource_id WHERE h.tenant_id = %s"
                " GROUP BY h.tenant_id, h.resource_id, h.kind, h.value",
                [*columns, tenant.pk],
            )
