"""Reads who may let apps in, who asked for one, and who consented when. `read` comes at the end of a reading.

Each needs a permission of its own, and is left out without it. The audit log has a quota of five requests in ten
seconds, so it is read from where the last reading ended, and in few pages.
"""

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from accounts.models import Tenant
from directory.features import CONSENT_DATES, CONSENT_POLICY, CONSENT_REQUESTS, switched_off
from directory.models import ConsentRules
from directory.sync import rows
from graph.client import GraphClient
from graph.consents import ConsentEvent, ConsentRequest
from graph.errors import GraphError

logger = logging.getLogger(__name__)

KEPT = timedelta(days=30)  # no tenant's log goes back further
OVERLAP = timedelta(hours=1)  # entries may come late


def read(tenant: Tenant, client: GraphClient) -> None:
    """Bring what is known of consents up to date. What may not be read is not known.

    The three are asked for side by side: a slice of a worker's time is then one answer long, not three.
    """
    rules, _made = ConsentRules.objects.get_or_create(tenant=tenant)
    now = timezone.now()
    since = max(rules.dates_until - OVERLAP, now - KEPT) if rules.dates_until else now - KEPT
    questions = {
        CONSENT_POLICY: (client.own_consent_policies, _policy),
        CONSENT_REQUESTS: (client.consent_requests, _requests),
        CONSENT_DATES: (lambda: client.consents_since(since), _dates),
    }
    granted = [feature for feature in questions if not switched_off(tenant, feature.key)]
    with ThreadPoolExecutor(len(questions), thread_name_prefix="consents") as pool:
        coming = {one: pool.submit(copy_context().run, questions[one][0]) for one in granted}
    for feature, (_ask, said) in questions.items():
        try:
            found = said(tenant, coming[feature].result() if feature in coming else None, now)
        except GraphError as error:
            logger.info("%s of %s could not be read: %s", feature.key, tenant.pk, error)
            continue
        if found:
            ConsentRules.objects.filter(pk=rules.pk).update(**found)


def _policy(tenant: Tenant, found: Iterable[str] | None, now: datetime) -> dict:
    if found is None:
        return {"own_policies": None, "read_at": None}
    return {"own_policies": sorted(found), "read_at": now}


def _requests(tenant: Tenant, found: Iterable[ConsentRequest] | None, now: datetime) -> dict:
    if found is None:
        return {"requests": None, "requests_read_at": None}
    told = [{"app_id": str(one.app_id), "name": one.name, "scopes": list(one.scopes)} for one in found]
    return {"requests": sorted(told, key=lambda one: one["name"].casefold()), "requests_read_at": now}


def _dates(tenant: Tenant, found: Iterable[ConsentEvent] | None, now: datetime) -> dict:
    if found is None:
        return {}
    save_dates(tenant, found)
    return {"dates_until": now}


def save_dates(tenant: Tenant, events: Iterable[ConsentEvent]) -> None:
    """Write to each grant who gave it last, and when. One statement; no date ever goes back."""
    last: dict[tuple, ConsentEvent] = {}
    for event in events:
        key = (event.client_id, None if event.everyone else event.person_id)
        if key not in last or event.at > last[key].at:
            last[key] = event
    if not last:
        return
    columns = [
        [client for client, _person in last],
        [person for _client, person in last],
        [event.at for event in last.values()],
        [event.person_name[:256] for event in last.values()],
    ]
    with rows.writing(tenant), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE directory_permissiongrant g SET consented_at = said.at, consented_by = said.who"
            " FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[]) AS said(client, person, at, who)"
            " WHERE g.tenant_id = %s AND g.client_id = said.client AND g.principal_id IS NOT DISTINCT FROM said.person"
            " AND (g.consented_at IS NULL OR g.consented_at < said.at)",
            [*columns, tenant.pk],
        )
