"""Who stands behind an AI agent: its blueprint's publisher. Agents' own rows never name one."""

from uuid import UUID

from django.db import connection

from directory.models import ServicePrincipal

Kind = ServicePrincipal.Kind


def name_publishers(tenant_id: UUID) -> None:
    """An agent names no publisher: its blueprint's stands behind it. One statement, whatever the number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE directory_serviceprincipal a SET publisher_name = b.publisher_name,"
            " publisher_verified = b.publisher_verified,"
            " owner_tenant_id = CASE WHEN b.owner_tenant_id = a.tenant_id THEN a.tenant_id ELSE a.owner_tenant_id END"
            " FROM directory_serviceprincipal b WHERE a.tenant_id = %s AND a.kind = %s AND b.tenant_id = a.tenant_id"
            " AND b.kind = %s AND b.app_id = a.blueprint_app_id AND (a.publisher_name, a.publisher_verified,"
            " a.owner_tenant_id = a.tenant_id) IS DISTINCT FROM (b.publisher_name, b.publisher_verified,"
            " b.owner_tenant_id = b.tenant_id)",
            [tenant_id, Kind.AGENT, Kind.BLUEPRINT],
        )
