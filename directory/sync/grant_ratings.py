"""The risk of each grant by itself. Grants are many, combinations of scopes few: each combination is rated once."""

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection

from accounts.models import Tenant
from directory.many import id_array
from directory.models import PermissionGrant, Risk
from directory.risk import permission_rule
from directory.sync.rows import in_parts
from directory.wording import Definitions

AT_ONCE = 2000


class Ratings:
    """Rates grants before they are stored, by what is known of their resources so far.

    `rate` asks the database nothing, so another thread may call it; `learn`, between two pages, does.
    """

    def __init__(self, tenant: Tenant):
        self._tenant = tenant
        self._now: tuple[Definitions, dict[tuple, Risk]] = (Definitions(tenant, ()), {})

    def rate(self, grants: Iterable[PermissionGrant]) -> None:
        definitions, known = self._now
        for one in grants:
            key = (one.resource_id, *one.scopes)
            if (found := known.get(key)) is None:
                found = known[key] = risk_of(one.resource_id, one.scopes, definitions)
            one.risk = found

    def learn(self, resource_ids: Iterable[UUID]) -> None:
        """Look up what these resources are and define. Grants rated before are corrected with their app."""
        known = self._now[0].resources.keys()
        if set(resource_ids) - known:
            self._now = (Definitions(self._tenant, {*resource_ids, *known}), {})


def correct(tenant: Tenant, client_ids: Sequence[UUID], definitions: Definitions) -> None:
    """Rate what was granted to these apps, which is in `grants_now`, and write where it differs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT resource_id, scopes, risk FROM grants_now")
        found = cursor.fetchall()
    wrong: dict[tuple, int] = {}
    for resource_id, scopes, risk in found:
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
                " AND g.risk <> new.risk AND g.client_id = ANY(%s::uuid[])",
                [*(list(column) for column in zip(*rows, strict=True)), tenant.pk, id_array(client_ids)],
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
