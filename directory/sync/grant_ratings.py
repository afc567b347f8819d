"""The risk of each grant by itself. Grants are many, combinations of scopes few: each combination is rated once."""

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection

from accounts.models import Tenant
from directory.models import PermissionGrant, Risk
from directory.risk import permission_rule
from directory.sync.rows import in_parts
from directory.wording import Definitions

AT_ONCE = 2000


class Ratings:
    """Rates grants before they are stored, by what is known of their resources so far."""

    def __init__(self, tenant: Tenant):
        self._tenant = tenant
        self._definitions = Definitions(tenant, ())
        self._known: dict[tuple, Risk] = {}

    def rate(self, grants: Iterable[PermissionGrant]) -> None:
        grants = list(grants)
        resources = {one.resource_id for one in grants} | self._definitions.resources.keys()
        if resources - self._definitions.resources.keys():
            self._definitions, self._known = Definitions(self._tenant, resources), {}
        for one in grants:
            key = (one.resource_id, *one.scopes)
            if (found := self._known.get(key)) is None:
                found = self._known[key] = risk_of(one.resource_id, one.scopes, self._definitions)
            one.risk = found


def correct(tenant: Tenant, client_ids: Sequence[UUID], definitions: Definitions) -> None:
    """Rate what was granted to these apps, and write where it differs."""
    grants = PermissionGrant.objects.filter(tenant=tenant, client_id__in=client_ids)
    wrong: dict[tuple, int] = {}
    for resource_id, scopes, risk in grants.values_list("resource_id", "scopes", "risk").distinct():
        if (right := int(risk_of(resource_id, scopes, definitions))) != risk:
            wrong[resource_id, json.dumps(scopes)] = right
    for part in in_parts(wrong.items(), AT_ONCE):
        rows = [(resource_id, scopes, risk) for (resource_id, scopes), risk in part]
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE directory_permissiongrant g SET risk = new.risk FROM"
                " (SELECT resource_id, ARRAY(SELECT jsonb_array_elements_text(scopes::jsonb))::varchar[] AS scopes,"
                "  risk FROM unnest(%s::uuid[], %s::text[], %s::int[]) AS n(resource_id, scopes, risk)) new"
                " WHERE g.tenant_id = %s AND g.resource_id = new.resource_id AND g.scopes = new.scopes"
                " AND g.risk <> new.risk AND g.client_id = ANY(%s)",
                [*(list(column) for column in zip(*rows, strict=True)), tenant.pk, list(client_ids)],
            )


def risk_of(resource_id: UUID, scopes: Sequence[str], definitions: Definitions) -> Risk:
    rules = (
        permission_rule(
            scope,
            admin_only=bool((known := definitions.scope(resource_id, scope)) and known.admin_only),
            microsoft_api=definitions.is_microsoft(resource_id),
        )
        for scope in scopes
    )
    return Risk(max((rule.risk for rule in rules), default=Risk.LOW))
