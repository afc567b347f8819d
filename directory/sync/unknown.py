"""Objects that grants and assignments name and the copy does not hold yet, fetched in batches.

Also the permissions resources define: lists of apps leave those out, since only some apps are resources.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.models import Tenant
from directory.models import PermissionDefinition, Person, ServicePrincipal
from directory.sync import recent, rows
from graph.client import GraphClient

_NAMED_RESOURCES = (
    "SELECT resource_id FROM directory_permissiongrant WHERE tenant_id = %(tenant)s"
    " UNION SELECT resource_id FROM directory_approleassignment WHERE tenant_id = %(tenant)s"
)
_UNKNOWN_APPS = (
    "SELECT DISTINCT tie.id FROM (SELECT client_id AS id FROM directory_permissiongrant WHERE tenant_id = %(tenant)s"
    " UNION SELECT principal_id FROM directory_approleassignment"
    "  WHERE tenant_id = %(tenant)s AND principal_type = 'ServicePrincipal') tie"
    " WHERE NOT EXISTS (SELECT 1 FROM directory_serviceprincipal app"
    "  WHERE app.tenant_id = %(tenant)s AND app.id = tie.id)"
)
_UNKNOWN_PEOPLE = (
    "SELECT DISTINCT principal_id FROM directory_permissiongrant g WHERE tenant_id = %(tenant)s"
    " AND principal_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM directory_person p"
    "  WHERE p.tenant_id = %(tenant)s AND p.id = g.principal_id)"
)


def fetch_all_unknown(tenant: Tenant, client: GraphClient) -> None:
    """After a full walk: every missing app and person, and what resources' permissions mean that is not known yet.

    Raises `GraphError`.
    """
    resources = _ids(tenant, _NAMED_RESOURCES)
    fetch_unknown(
        tenant, client, apps=_ids(tenant, _UNKNOWN_APPS), resources=resources, people=_ids(tenant, _UNKNOWN_PEOPLE)
    )


def refetch_words(tenant: Tenant, client: GraphClient) -> None:
    """What every resource's permissions mean, also where that is known: publishers change it. Raises `GraphError`."""
    resources = _ids(tenant, _NAMED_RESOURCES)
    _fetch(tenant, client, resources, resources, set())


def fetch_unknown(
    tenant: Tenant, client: GraphClient, *, apps: Iterable[UUID], resources: Iterable[UUID], people: Iterable[UUID]
) -> None:
    """Those among some objects just named that the copy does not hold. No request when it holds them all.

    Raises `GraphError`.
    """
    apps, resources, people = set(apps), set(resources), set(people)
    known = set(ServicePrincipal.objects.filter(tenant=tenant, pk__in=apps | resources).values_list("pk", flat=True))
    defined = PermissionDefinition.objects.filter(tenant=tenant, resource_id__in=resources)
    undefined = resources - set(defined.values_list("resource_id", flat=True).distinct())
    if people:
        people -= set(Person.objects.filter(tenant=tenant, pk__in=people).values_list("pk", flat=True))
    _fetch(tenant, client, ((apps | resources) - known) | undefined, undefined, people)


def _fetch(tenant: Tenant, client: GraphClient, apps: set[UUID], resources: set[UUID], people: set[UUID]) -> None:
    found_apps = client.service_principals_by_ids(sorted(apps)) if apps else []
    found_people = client.users_by_ids(sorted(people)) if people else []
    if not (found_apps or found_people):
        return
    now = timezone.now()
    with rows.writing(tenant):
        rows.save_apps(recent.corrected_apps(tenant, (rows.app(tenant, item, now) for item in found_apps)))
        rows.save_definitions(tenant, [item for item in found_apps if item.id in resources])
        rows.save_people(rows.person(tenant, item, now) for item in found_people)


def _ids(tenant: Tenant, sql: str) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"tenant": tenant.pk})
        return {row[0] for row in cursor.fetchall()}
