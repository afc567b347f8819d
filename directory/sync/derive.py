"""The columns computed from others: counts, and the risk of apps and grants. Set-wise, whatever the number of rows."""

import json
from collections import defaultdict
from collections.abc import Collection as Sized, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy import in_tenant
from directory import words
from directory.lookalikes import skeleton
from directory.many import among, id_array
from directory.models import (
    MICROSOFT_TENANT_IDS,
    Collection,
    Person,
    ServicePrincipal,
)
from directory.risk import (
    FACTS,
    OFFLINE,
    SPREAD_WITHIN,
    VERSION,
    AppFacts,
    HeldPermission,
    danger,
    rate,
)
from directory.sync import grant_ratings, held
from directory.sync.beside import Lane
from directory.sync.rows import in_parts, storing, writing
from directory.wording import Definitions

BATCH = 2000
OLD = timedelta(days=36500)
RATED_FOR = timedelta(days=1)


@dataclass
class _Known:
    """What the grants and assignments of one app come to."""

    consents: int = 0
    recent_consents: int = 0
    admin_consent: bool = False
    works_offline: bool = False
    assigned: int = 0
    app_permissions: int = 0
    held: list[HeldPermission] = field(default_factory=list)


@dataclass
class Whole:
    """What the rating of any app looks at beside it: how many people there are, and whose names may be imitated."""

    people: int
    originals: dict[str, list[tuple]]

    @classmethod
    def of(cls, tenant: Tenant) -> "Whole":
        people = Person.objects.filter(tenant=tenant, is_external=False, is_agent=False).count()
        return cls(people, _originals(tenant))


def derive(tenant: Tenant, app_ids: Sized[UUID] | None = None) -> None:
    """Bring the computed columns of these apps, and of their grants, up to date; of all apps without `app_ids`.

    A fixed number of queries for any number of apps up to 2,000, and as many for each further 2,000. Call inside
    `rows.writing`.
    """
    if app_ids is not None and not app_ids:
        return
    if app_ids is not None:
        others = Whole.of(tenant)
        for part in in_parts(sorted(app_ids), BATCH):
            derive_part(tenant, part, others).count()
        return
    others, after = Whole.of(tenant), None
    while (part := next_part(tenant, after)) is not None:
        derive_part(tenant, part, others)
        after = part[-1]
    finish_rating(tenant)


def next_part(tenant: Tenant, after: UUID | None, size: int = BATCH) -> list[UUID] | None:
    """The next apps to be rated, in the order of their ids; None where there are none after this one."""
    apps = ServicePrincipal.objects.filter(tenant=tenant).order_by("pk")
    found = list((apps.filter(pk__gt=after) if after else apps).values_list("pk", flat=True)[:size])
    return found or None


def derive_next(tenant: Tenant, after: UUID | None, whole: Whole, lane: Lane) -> UUID | None:
    """Rate the next apps after this one, half of them beside the others: no two apps share what is written for them.

    Returns:
        the last of them, when all are stored; None where there are none.
    """
    if (part := next_part(tenant, after, 2 * BATCH)) is None:
        return None
    half = (len(part) + 1) // 2
    beside = lane.start(lambda: _store_part(tenant, part[half:], whole))
    try:
        _store_part(tenant, part[:half], whole)
    finally:
        lane.result(beside)
    return part[-1]


def _store_part(tenant: Tenant, ids: list[UUID], whole: Whole) -> None:
    if ids:
        with storing(tenant, shared=True):
            derive_part(tenant, ids, whole)


def finish_rating(tenant: Tenant) -> None:
    """Every app was rated: what is held by apps that are gone goes, and the ratings in force are noted."""
    grants = Collection.objects.filter(tenant=tenant, kind=Collection.Kind.GRANTS)
    if grants.filter(rated_at__isnull=False).exists():  # the first time, nothing has gone yet
        held.forget_gone(tenant)
        words.forget_what_is_gone(tenant)
    held.count_all(tenant)
    grants.update(rated_with=VERSION, rated_at=timezone.now())


def derive_part(tenant: Tenant, ids: list[UUID], whole: Whole) -> held.Now:
    """The same of up to 2,000 apps, but for how many hold each permission.

    Returns:
        what counts that; whoever goes through all apps leaves it to `finish_rating`.
    """
    now = held.Now(tenant, ids)
    definitions = Definitions(tenant, now.resources)
    now.name(definitions)
    grant_ratings.correct(tenant, ids, definitions)
    known = _known(tenant, ids, now.by_app())
    apps = list(ServicePrincipal.objects.filter(among("directory_serviceprincipal.id", ids), tenant=tenant))
    at = timezone.now()
    # The database writes what they hold while they are rated here.
    with connection.cursor() as cursor, ThreadPoolExecutor(1) as beside:
        saved = beside.submit(now.save, cursor)
        rated = (_changed(app, known.get(app.pk) or _Known(), whole.people, whole.originals, at) for app in apps)
        changed = [row for row in rated if row]
        saved.result()
    if changed:
        _write(tenant, changed)
    _save_words(tenant, ids)
    return now


def due_for_rating(tenant: Tenant) -> bool:
    """Whether the ratings changed, or a day went by since every app was rated: some facts are about days."""
    grants = Collection.objects.filter(tenant=tenant, kind=Collection.Kind.GRANTS, complete_at__isnull=False)
    fresh = Q(rated_with=VERSION, rated_at__gt=timezone.now() - RATED_FOR)
    return grants.exclude(fresh).exists()


def _save_words(tenant: Tenant, ids: list[UUID]) -> None:
    """The words by which these apps are found: their names, their publishers', and what is said of each."""
    apps = ServicePrincipal.objects.filter(among("directory_serviceprincipal.id", ids), tenant=tenant)
    columns = apps.values_list("pk", "display_name", "publisher_name", "facts")
    for part in in_parts(columns, words.AT_ONCE):
        words.save(tenant.pk, words.Kind.APP, [(pk, words.of(*texts)) for pk, *texts, _facts in part])
        words.save(tenant.pk, words.Kind.FACT, [(pk, set(facts)) for pk, *_texts, facts in part])


def rate_anew(tenant: Tenant) -> bool:
    """Rate every app again where that is due. Asks Graph nothing.

    Returns:
        whether it was done.
    """
    with in_tenant(tenant.pk):
        if not due_for_rating(tenant):
            return False
        with writing(tenant):
            derive(tenant)
    return True


def _changed(app: ServicePrincipal, known: _Known, people: int, originals: dict, now: datetime) -> tuple | None:
    risk, reasons = rate(
        AppFacts(
            name=app.display_name,
            is_microsoft=app.is_microsoft,
            is_own=app.is_own,
            verified=app.publisher_verified,
            permissions=known.held,
            reply_urls=app.reply_urls,
            disabled_by_microsoft=app.disabled_by_microsoft,
            created_at=app.created_at,
            last_used_at=app.last_used_at,
            consents=known.consents,
            recent_consents=known.recent_consents,
            people_in_tenant=people,
            app_id=str(app.app_id),
            secret_added_at=app.secret_added_at,
            secret_ends_at=app.secret_ends_at,
            imitates=_imitated(app, originals),
            now=now,
        )
    )
    undecided = app.is_microsoft or app.is_portal or app.kind == ServicePrincipal.Kind.MANAGED_IDENTITY
    new = (
        int(risk),
        reasons,
        sorted({reason["rule"] for reason in reasons} & FACTS),
        0 if undecided else danger(risk, reasons),
        known.consents,
        known.admin_consent,
        known.app_permissions,
        known.assigned,
        known.works_offline,
    )
    old = (
        app.risk,
        app.risk_reasons,
        app.facts,
        app.danger,
        app.user_consent_count,
        app.has_admin_consent,
        app.app_permission_count,
        app.assigned_count,
        app.works_offline,
    )
    return None if new == old else (app.pk.hex, *new)


_WRITTEN = ["id", "risk", "reasons", "facts", "danger", "consents", "admin", "app_permissions", "assigned", "offline"]


def _write(tenant: Tenant, rows: Iterable[tuple]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE directory_serviceprincipal app SET risk = new.risk, risk_reasons = new.reasons, facts = new.facts,"
            " danger = new.danger, user_consent_count = new.consents, has_admin_consent = new.admin,"
            " app_permission_count = new.app_permissions, assigned_count = new.assigned, works_offline = new.offline"
            " FROM json_to_recordset(%s) AS new(id uuid, risk int, reasons jsonb, facts text[], danger int,"
            " consents int, admin bool, app_permissions int, assigned int, offline bool)"
            " WHERE app.id = new.id AND app.tenant_id = %s",
            [json.dumps([dict(zip(_WRITTEN, row, strict=True)) for row in rows]), tenant.pk],
        )


def _known(tenant: Tenant, ids: list[UUID], holding: dict[UUID, held.Held]) -> dict[UUID, _Known]:
    known: dict[UUID, _Known] = defaultdict(_Known)
    for app_id, consents, recent, admin_consent, offline in _consents(tenant):
        row = known[app_id]
        row.consents, row.recent_consents = consents, recent
        row.admin_consent, row.works_offline = admin_consent, offline
    for app_id, assigned in _assigned(tenant, ids):
        known[app_id].assigned = assigned
    for app_id, one in holding.items():
        row = known[app_id]
        row.held = one.permissions
        row.admin_consent |= one.everyone
        row.app_permissions = sum(permission.application for permission in one.permissions)
        row.works_offline |= any(permission.value == OFFLINE for permission in one.permissions)
    return known


def _consents(tenant: Tenant) -> list[tuple]:
    """(app, people, people of late, admin consent, works offline), of the apps whose grants are in `grants_now`.

    Grants of the first walk are older than we know, but for those that Microsoft's log dates.
    """
    walk = Collection.objects.filter(tenant=tenant, kind=Collection.Kind.GRANTS)
    first = walk.values_list("first_complete_at", flat=True).first()
    now = timezone.now()
    since = max(first, now - SPREAD_WITHIN) if first else now + OLD
    return _rows(
        "SELECT client_id, count(DISTINCT principal_id),"
        " count(DISTINCT principal_id) FILTER (WHERE consented_at > %s OR consented_at IS NULL AND first_seen_at > %s),"
        " bool_or(consent_type = 'AllPrincipals'), bool_or('offline_access' = ANY(scopes))"
        " FROM grants_now GROUP BY client_id",
        [now - SPREAD_WITHIN, since],
    )


def _assigned(tenant: Tenant, ids: list[UUID]) -> list[tuple]:
    return _rows(
        "SELECT resource_id, count(DISTINCT principal_id) FROM directory_approleassignment"
        " WHERE tenant_id = %s AND principal_type <> 'ServicePrincipal' AND resource_id = ANY(%s::uuid[])"
        " GROUP BY resource_id",
        [tenant.pk, id_array(ids)],
    )


def _originals(tenant: Tenant) -> dict[str, list[tuple]]:
    """Names worth imitating: Microsoft's apps, verified ones and the tenant's own, by what they look like."""
    trusted = Q(publisher_verified=True) | Q(owner_tenant_id__in=[*MICROSOFT_TENANT_IDS, tenant.pk])
    found: dict[str, list[tuple]] = defaultdict(list)
    apps = ServicePrincipal.objects.filter(trusted, tenant=tenant, deleted_at__isnull=True)
    for pk, name, owner in apps.values_list("pk", "display_name", "owner_tenant_id").order_by("created_at", "pk"):
        if key := skeleton(name):
            found[key].append((pk, name, owner))
    return found


def _imitated(app: ServicePrincipal, originals: dict[str, list[tuple]]) -> str:
    if app.publisher_verified or app.is_own or app.is_microsoft:
        return ""
    same = originals.get(skeleton(app.display_name), ())
    return next((name for pk, name, owner in same if pk != app.pk and owner != app.owner_tenant_id), "")


def _rows(sql: str, parameters: list) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
