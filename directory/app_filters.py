"""Which of a tenant's apps a list is about: text, filters and order. Read through `directory.selectors`.

Row-level security keeps PostgreSQL from using an index with operators that could tell of a hidden row, and those of
text search, trigrams and arrays are such. So words are looked for in narrow columns (`search`), permissions in a table
of few rows (`PermissionUse`), and what is indexed is compared by equality and order alone.
"""

import re
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.ids import id_or_none
from accounts.models import Tenant
from directory.models import (
    MICROSOFT_TENANT_IDS,
    NEVER,
    NOT_STOPPED_BY_MICROSOFT,
    AppPermission,
    Collection,
    PermissionGrant,
    PermissionUse,
    Person,
    Risk,
    ServicePrincipal,
)
from directory.reasons import ALONE, FACTS, GROUPS
from directory.risk import UNUSED_AFTER

# By the words in an address; a minus before one turns it round.
SORTS = {
    "risk": ("-rank", "display_name", "id"),
    "name": ("display_name", "id"),
    "consents": ("-user_consent_count", "display_name", "id"),
    "used": ("-used_key", "-id"),
    "added": ("-added_key", "-id"),
}
PUBLISHERS = ("verified", "unverified", "own", "microsoft", "third_party")
CONSENTS = ("user", "admin", "app_only", "none", "new")
OFF = ("here", "publisher", "microsoft")
MOST_WORDS = 5
PERSON_FROM = 3  # letters: fewer name half of everybody
_PART_OF_AN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{0,27}|[0-9a-f]{8}")


@dataclass(frozen=True)
class AppFilter:
    """What a list of apps is narrowed to. What makes no sense is ignored, so that old links still work.

    Attributes:
        q: words: each is part of a name, a publisher, a permission or of the name of a person who consented; or an id.
        risk: 1 to 3.
        publisher: one of PUBLISHERS; `third_party` is neither Microsoft's nor the tenant's own.
        consent: one of CONSENTS: by people, by an admin for everyone, only application permissions, none at all; or
            "new": anybody's that was first seen this week, as the overview counts them.
        enabled: "yes" or "no": whether the app can act, or somebody switched it off.
        off: one of OFF: who did.
        use: "unused": nobody signed in to it lately, as the overview counts them; "unknown": nobody knows.
        kind: one of `ServicePrincipal.Kind`, or "agents" of either sort.
        may: one of `reasons.GROUPS`: what it may do; with `alone` "yes" with nobody signed in, "no" in somebody's name.
        permission: the exact name of one it holds.
        fact: one of `reasons.FACTS`: what is said of the app itself.
        person: the object id of somebody who let it act for them.
    """

    q: str = ""
    risk: str | int = ""
    publisher: str = ""
    consent: str = ""
    enabled: str | bool = ""
    off: str = ""
    use: str = ""
    kind: str = ""
    may: str = ""
    alone: str = ""
    permission: str = ""
    fact: str = ""
    person: str = ""

    @classmethod
    def names(cls) -> list[str]:
        return [field.name for field in fields(cls)]


def matching(tenant: Tenant, wanted: AppFilter) -> QuerySet[ServicePrincipal]:
    """The apps, in no order."""
    found = by_text(alive(tenant), tenant, wanted.q)
    if str(wanted.risk) in {str(level) for level in Risk.values}:
        found = found.filter(risk=int(wanted.risk))
    found = _by_publisher(found, tenant, wanted.publisher)
    found = _by_consent(found, tenant, wanted.consent)
    found = _by_state(found, wanted)
    if wanted.use == "unused":
        found = found.filter(unused(timezone.now()))
    elif wanted.use == "unknown":
        found = found.filter(last_used_at__isnull=True)
    if wanted.kind == "agents":
        found = found.filter(kind__in=(ServicePrincipal.Kind.AGENT, ServicePrincipal.Kind.OLDER_AGENT))
    elif wanted.kind in ServicePrincipal.Kind.values:
        found = found.filter(kind=wanted.kind)
    if wanted.fact in FACTS:
        found = found.filter(facts__contains=[wanted.fact])
    return _by_permission(found, tenant, wanted)


def ordered(apps: QuerySet[ServicePrincipal], sort: str) -> tuple[QuerySet[ServicePrincipal], tuple[str, ...]]:
    """The apps with what they are ordered by, and the columns of the order; by name where the sort is none we know."""
    name, turned = sort.removeprefix("-"), sort.startswith("-")
    order = SORTS.get(name, SORTS["name"])
    if name == "used":
        apps = apps.annotate(used_key=Coalesce("last_used_at", NEVER))
    elif name == "added":
        apps = apps.annotate(added_key=Coalesce("created_at", NEVER))
    if turned and name in SORTS:
        order = tuple(column[1:] if column.startswith("-") else f"-{column}" for column in order)
    return apps, order


def alive(tenant: Tenant) -> QuerySet[ServicePrincipal]:
    return ServicePrincipal.objects.filter(tenant=tenant, deleted_at__isnull=True)


def can_act() -> Q:
    """`ServicePrincipal.can_act` as a condition, for apps that are not in the recycle bin."""
    return Q(account_enabled=True, is_disabled=False, disabled_by_microsoft__in=NOT_STOPPED_BY_MICROSOFT)


def portal() -> Q:
    return Q(app_id=id_or_none(settings.ENTRA_CLIENT_ID) or UUID(int=0))


def by_text(apps: QuerySet, tenant: Tenant, q: str) -> QuerySet:
    """Apps in which every word is found, each wherever it is."""
    q = q.strip().replace("\0", "")[:256]
    if exact := id_or_none(q):
        return apps.filter(Q(pk=exact) | Q(app_id=exact))
    for word in q.lower().split()[:MOST_WORDS]:
        apps = apps.filter(_has_word(tenant, word))
    return apps


def _has_word(tenant: Tenant, word: str) -> Q:
    uses = PermissionUse.objects.filter(tenant=tenant, value__icontains=word).values("value")
    found = Q(search__contains=word)
    found |= Q(pk__in=AppPermission.objects.filter(tenant=tenant, value__in=uses).values("app_id"))
    if len(word) >= PERSON_FROM:
        people = Person.objects.filter(tenant=tenant, search__contains=word).values("pk")
        found |= Q(pk__in=PermissionGrant.objects.filter(tenant=tenant, principal__in=people).values("client_id"))
    if _PART_OF_AN_ID.fullmatch(word):
        first, last = _between(word)
        found |= Q(pk__range=(first, last)) | Q(app_id__range=(first, last))
    return found


def _between(part: str) -> tuple[UUID, UUID]:
    digits = part.replace("-", "")[:32]
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def _by_state(apps: QuerySet, wanted: AppFilter) -> QuerySet:
    if str(wanted.enabled).lower() in ("yes", "true", "1"):
        apps = apps.filter(can_act())
    elif str(wanted.enabled).lower() in ("no", "false", "0"):
        apps = apps.exclude(can_act())
    conditions = {
        "here": Q(account_enabled=False),
        "publisher": Q(is_disabled=True),
        "microsoft": ~Q(disabled_by_microsoft__in=NOT_STOPPED_BY_MICROSOFT),
    }
    return apps.filter(conditions[wanted.off]) if wanted.off in conditions else apps


def _by_permission(apps: QuerySet, tenant: Tenant, wanted: AppFilter) -> QuerySet:
    held = AppPermission.objects.filter(tenant=tenant)
    kinds = {"yes": AppPermission.Kind.APPLICATION, "no": AppPermission.Kind.DELEGATED}
    if wanted.alone in kinds:
        held = held.filter(kind=kinds[wanted.alone])
    if wanted.may in GROUPS:
        reasons = [key for reason in GROUPS[wanted.may] for key in (reason, ALONE + reason)]
        apps = apps.filter(pk__in=held.filter(reason__in=reasons).values("app_id"))
    if wanted.permission:
        apps = apps.filter(pk__in=held.filter(value=wanted.permission.replace("\0", "")[:256]).values("app_id"))
    if wanted.alone in kinds and not wanted.may and not wanted.permission:
        apps = apps.filter(pk__in=held.values("app_id"))
    if person := id_or_none(wanted.person):
        theirs = PermissionGrant.objects.filter(tenant=tenant, principal_id=person)
        apps = apps.filter(pk__in=theirs.values("client_id"))
    return apps


def _by_publisher(apps: QuerySet, tenant: Tenant, publisher: str) -> QuerySet:
    microsoft = Q(owner_tenant_id__in=MICROSOFT_TENANT_IDS)
    own = Q(owner_tenant_id=tenant.pk) | portal()  # another tenant's registration, and nobody's to judge here
    unknown = Q(owner_tenant_id__isnull=True)  # SQL's "not in" is never true of null
    third_party = (unknown | (~microsoft & ~own)) & ~portal()
    conditions = {
        "microsoft": microsoft,
        "own": own,
        "third_party": third_party,
        "verified": third_party & Q(publisher_verified=True),
        "unverified": third_party & Q(publisher_verified=False),
    }
    return apps.filter(conditions[publisher]) if publisher in conditions else apps


def _by_consent(apps: QuerySet, tenant: Tenant, consent: str) -> QuerySet:
    nobody = Q(user_consent_count=0, has_admin_consent=False)
    this_week = new_grants(tenant, monday(timezone.now()))
    conditions = {
        "user": Q(user_consent_count__gt=0),
        "admin": Q(has_admin_consent=True),
        "app_only": nobody & Q(app_permission_count__gt=0),
        "none": nobody & Q(app_permission_count=0),
        "new": Exists(this_week.filter(client=OuterRef("pk"))),
    }
    return apps.filter(conditions[consent]) if consent in conditions else apps


def new_grants(tenant: Tenant, since: datetime) -> QuerySet[PermissionGrant]:
    """Grants first seen since then. What the first walk found is older than we know."""
    first_walk = Collection.objects.filter(tenant=tenant, kind=Collection.Kind.GRANTS).values("first_complete_at")
    grants = PermissionGrant.objects.filter(tenant=tenant, first_seen_at__gte=since)
    return grants.filter(first_seen_at__gt=Subquery(first_walk[:1]))  # of null, before there was one, nothing is true


def monday(now: datetime) -> datetime:
    return (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


def unused(now: datetime) -> Q:
    return Q(last_used_at__lt=now - UNUSED_AFTER)
