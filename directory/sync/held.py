"""Which permission each app holds, and how many apps hold each: what the pages about permissions read.

Apps hold the same few hundred permissions a hundred thousand times. Each is named and rated here once; who holds it
never leaves the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection

from accounts.models import Tenant
from directory.many import id_array
from directory.models import AppPermission, PermissionDefinition, ServicePrincipal
from directory.risk import HeldPermission, permission_rule
from directory.sync.rows import in_parts
from directory.wording import Definitions

AT_ONCE = 2000
Kind = PermissionDefinition.Kind
Permission = tuple[UUID, str, str]  # resource, kind, and the scope or the id of the app role

# Looked up once for all that is made of them: some thousand apps' grants lie on most pages of that table.
_GRANTS = """
INSERT INTO grants_now
SELECT client_id, resource_id, principal_id, consent_type, scopes, risk, consented_at, first_seen_at
FROM directory_permissiongrant WHERE tenant_id = %(tenant)s AND client_id = ANY(%(apps)s::uuid[])
"""

# An agent holds for everyone what it inherits.
_GATHER = """
INSERT INTO held_now SELECT app_id, resource_id, kind, raw, sum(people), bool_or(everyone) FROM (
    SELECT client_id AS app_id, resource_id, 'delegated' AS kind, raw, count(principal_id) AS people,
        bool_or(consent_type = 'AllPrincipals') AS everyone
    FROM grants_now, unnest(scopes) AS raw GROUP BY client_id, resource_id, raw
  UNION ALL SELECT agent_id, resource_id, kind, raw, 0, true FROM directory_inheritedgrant, unnest(scopes) AS raw
    WHERE tenant_id = %(tenant)s AND kind = 'delegated' AND agent_id = ANY(%(apps)s::uuid[])
  UNION ALL SELECT agent_id, resource_id, kind, role::text, 0, true
    FROM directory_inheritedgrant, unnest(app_role_ids) AS role
    WHERE tenant_id = %(tenant)s AND kind = 'application' AND agent_id = ANY(%(apps)s::uuid[])
  UNION ALL SELECT principal_id, resource_id, 'application', app_role_id::text, 0, true
    FROM directory_approleassignment
    WHERE tenant_id = %(tenant)s AND principal_type = 'ServicePrincipal' AND principal_id = ANY(%(apps)s::uuid[])
) AS one GROUP BY app_id, resource_id, kind, raw
"""

_BY_APP = """
SELECT h.app_id, array_agg(n.at::int - 1), bool_or(h.everyone AND h.kind = 'delegated')
FROM held_now h JOIN unnest(%s::uuid[], %s::text[], %s::text[]) WITH ORDINALITY AS n (resource_id, kind, raw, at)
    USING (resource_id, kind, raw)
GROUP BY h.app_id
"""

# Rows that are right already are not written again. Two roles of one resource may have the same name.
_SAVE = """
WITH named AS (SELECT * FROM unnest(%(resources)s::uuid[], %(kinds)s::text[], %(raws)s::text[], %(values)s::text[],
    %(reasons)s::text[], %(risks)s::int[]) AS n (resource_id, kind, raw, value, reason, risk)),
wanted AS MATERIALIZED (SELECT h.app_id, h.resource_id, h.kind, n.value, min(n.reason) AS reason, max(n.risk) AS risk,
        max(h.people) AS people, bool_or(h.everyone) AS everyone
    FROM held_now h JOIN named n USING (resource_id, kind, raw) GROUP BY h.app_id, h.resource_id, h.kind, n.value),
old AS MATERIALIZED (SELECT id, app_id, resource_id, kind, value, reason, risk, people, everyone
    FROM directory_apppermission WHERE tenant_id = %(tenant)s AND app_id = ANY(%(apps)s::uuid[])),
gone AS (DELETE FROM directory_apppermission p USING (
        SELECT old.id FROM old LEFT JOIN wanted w USING (app_id, resource_id, kind, value) WHERE w.app_id IS NULL) AS d
    WHERE p.id = d.id AND p.tenant_id = %(tenant)s RETURNING p.resource_id, p.kind, p.value),
changed AS (UPDATE directory_apppermission p
    SET reason = w.reason, risk = w.risk, people = w.people, everyone = w.everyone
    FROM old JOIN wanted w USING (app_id, resource_id, kind, value)
    WHERE p.id = old.id AND p.tenant_id = %(tenant)s
        AND (old.reason, old.risk, old.people, old.everyone) IS DISTINCT FROM (w.reason, w.risk, w.people, w.everyone)
    RETURNING p.resource_id, p.kind, p.value),
new AS (INSERT INTO directory_apppermission
        (tenant_id, app_id, resource_id, kind, value, reason, risk, people, everyone)
    SELECT %(tenant)s, w.app_id, w.resource_id, w.kind, w.value, w.reason, w.risk, w.people, w.everyone
    FROM wanted w LEFT JOIN old USING (app_id, resource_id, kind, value) WHERE old.id IS NULL
    ORDER BY w.value, w.kind, w.resource_id
    RETURNING resource_id, kind, value)
TABLE gone UNION TABLE changed UNION TABLE new
"""  # sorted, so that neighbours in most of its indexes come one after the other

_COUNT = """
WITH now AS MATERIALIZED (
    SELECT tenant_id, resource_id, kind, value, min(reason) AS reason, max(risk) AS risk, count(*) AS apps,
        coalesce(sum(people), 0) AS consents, count(*) FILTER (WHERE everyone) AS for_everyone
    FROM directory_apppermission
    WHERE tenant_id = %(tenant)s AND {these} GROUP BY tenant_id, resource_id, kind, value),
old AS MATERIALIZED (SELECT * FROM directory_permissionuse WHERE tenant_id = %(tenant)s AND {these}),
gone AS (DELETE FROM directory_permissionuse u USING (
        SELECT old.id FROM old LEFT JOIN now USING (resource_id, kind, value) WHERE now.tenant_id IS NULL) AS d
    WHERE u.id = d.id AND u.tenant_id = %(tenant)s)
INSERT INTO directory_permissionuse (tenant_id, resource_id, kind, value, reason, risk, apps, consents, for_everyone)
SELECT now.* FROM now LEFT JOIN old USING (resource_id, kind, value)
WHERE old.id IS NULL OR (old.reason, old.risk, old.apps, old.consents, old.for_everyone)
    IS DISTINCT FROM (now.reason, now.risk, now.apps, now.consents, now.for_everyone)
ON CONFLICT (tenant_id, resource_id, kind, value) DO UPDATE SET reason = EXCLUDED.reason, risk = EXCLUDED.risk,
    apps = EXCLUDED.apps, consents = EXCLUDED.consents, for_everyone = EXCLUDED.for_everyone
"""
_THESE = (
    "(value, kind, resource_id) IN (SELECT * FROM unnest(%(values)s::text[], %(kinds)s::text[], %(resources)s::uuid[]))"
)
_COUNT, _COUNT_ALL = (_COUNT.replace("{these}", these) for these in (_THESE, "true"))


@dataclass
class Held:
    """What one app holds."""

    permissions: list[HeldPermission] = field(default_factory=list)
    everyone: bool = False  # an administrator gave some of it for everyone


@dataclass(frozen=True)
class _Named:
    permission: Permission
    value: str
    reason: str
    risk: int
    held: HeldPermission


class Now:
    """What some apps hold by their grants and assignments, and by what they inherit. Made inside a transaction.

    `name` it once; until the next is made, `by_app` and `save` say and store it, and their grants are in the temporary
    table `grants_now`.
    """

    def __init__(self, tenant: Tenant, apps: Sequence[UUID]):
        self.tenant, self.apps = tenant, apps
        self._named: list[_Named] = []
        self._changed: list[Permission] = []
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMPORARY TABLE IF NOT EXISTS held_now (app_id uuid, resource_id uuid, kind text, raw text,"
                " people int, everyone bool) ON COMMIT DROP"
            )
            cursor.execute(
                "CREATE TEMPORARY TABLE IF NOT EXISTS grants_now (client_id uuid, resource_id uuid, principal_id uuid,"
                " consent_type text, scopes text[], risk int, consented_at timestamptz, first_seen_at timestamptz)"
                " ON COMMIT DROP"
            )
            cursor.execute("TRUNCATE held_now, grants_now")
            cursor.execute(_GRANTS, {"tenant": tenant.pk, "apps": id_array(apps)})
            cursor.execute(_GATHER, {"tenant": tenant.pk, "apps": id_array(apps)})
            cursor.execute("SELECT DISTINCT resource_id, kind, raw FROM held_now")
            self.permissions: list[Permission] = cursor.fetchall()

    @property
    def resources(self) -> set[UUID]:
        return {resource_id for resource_id, _kind, _raw in self.permissions}

    def name(self, definitions: Definitions) -> None:
        self._named = [_named(one, definitions) for one in self.permissions]

    def by_app(self) -> dict[UUID, Held]:
        known = [one.held for one in self._named]
        with connection.cursor() as cursor:
            cursor.execute(_BY_APP, self._columns())
            return {app: Held([known[at] for at in places], everyone) for app, places, everyone in cursor.fetchall()}

    def save(self, cursor) -> None:
        """Make this all that these apps hold. Needs nothing but the cursor: another thread may wait for it."""
        resources, kinds, raws = self._columns()
        columns = {"resources": resources, "kinds": kinds, "raws": raws}
        for name in ("value", "reason", "risk"):
            columns[f"{name}s"] = [getattr(one, name) for one in self._named]
        cursor.execute(_SAVE, {"tenant": self.tenant.pk, "apps": id_array(self.apps), **columns})
        self._changed = cursor.fetchall()

    def count(self) -> None:
        """Count again how many hold each permission that one of them holds otherwise than before. Call after `save`."""
        for part in in_parts(self._changed, AT_ONCE):
            resources, kinds, values = (list(column) for column in zip(*part, strict=True))
            columns = {"resources": resources, "kinds": kinds, "values": values}
            with connection.cursor() as cursor:
                cursor.execute(_COUNT, {"tenant": self.tenant.pk, **columns})

    def _columns(self) -> list[list]:
        return [[one.permission[at] for one in self._named] for at in range(3)]


def _named(permission: Permission, definitions: Definitions) -> _Named:
    resource_id, kind, raw = permission
    alone = kind == Kind.APPLICATION
    known = definitions.app_role(resource_id, UUID(raw)) if alone else definitions.scope(resource_id, raw)
    value = known.value if alone and known else raw
    ours = definitions.is_microsoft(resource_id)
    admin_only = bool(known and known.admin_only)
    rule = permission_rule(value, application=alone, admin_only=admin_only, microsoft_api=ours)
    held = HeldPermission(value, application=alone, admin_only=alone or admin_only, microsoft_api=ours)
    return _Named(permission, value[:256], rule.key, int(rule.risk), held)


def forget_gone(tenant: Tenant) -> None:
    """What apps held that are not in the copy any more. How many hold what is for `count_all`."""
    present = ServicePrincipal.objects.filter(tenant=tenant).values("pk")
    AppPermission.objects.filter(tenant=tenant).exclude(app_id__in=present).delete()


def count_all(tenant: Tenant) -> None:
    """Count again how many hold each permission; one nobody holds any more is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_ALL, {"tenant": tenant.pk})
