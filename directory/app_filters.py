"""Which of a tenant's apps a list is about: text, filters and order. Read through `directory.selectors`.

A filter that few apps pass is asked first, for their ids, and the list is made from those; one that many pass is left
to the order of the list, which comes upon them soon. PostgreSQL cannot tell the two apart beforehand.
"""

import re
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull
from django.utils import timezone

from accounts.ids import id_or_none
from accounts.models import Tenant
from directory import words
from directory.agents import orphans
from directory.many import among
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
from directory.paging import order_of
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
APP = "directory_serviceprincipal.id"
FEW = 1000  # apps that are named one by one
MOST_PEOPLE = 200  # whose apps are looked up for a search
PERSON_FROM = 3  # letters: fewer name half of everybody
_PART_OF_AN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{0,27}|[0-9a-f]{8}")


@dataclass(frozen=True)
class AppFilter:
    """What a list of apps is narrowed to. What makes no sense is ignored, so that old links still work.

    Attributes:
        q: words, each the beginning of one in the name, the publisher, or a part of a permission; or all of them of
            people's names (up to MOST_PEOPLE) for whom the app acts; or an id, or the beginning of one.
        risk: 1 to 3.
        publisher: one of PUBLISHERS; `third_party` is neither Microsoft's nor the tenant's own.
        consent: one of CONSENTS: by people, by an admin for everyone, only application permissions, none at all; or
            "new": anybody's that was first seen this week, as the overview counts them.
        enabled: "yes" or "no": whether the app can act, or somebody switched it off.
        off: one of OFF: who did.
        use: "unused": nobody signed in to it lately, as the overview counts them; "unknown": nobody knows.
        kind: one of `ServicePrincipal.Kind`, or "agents" of either sort, or "orphans": those that nobody sponsors.
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
        kinds = (ServicePrincipal.Kind.AGENT, ServicePrincipal.Kind.OLDER_AGENT)
        found = _narrowed(found, alive(tenant).filter(kind__in=kinds).values("pk"))
    elif wanted.kind == "orphans":
        found = found.filter(pk__in=orphans(tenant).values("pk"))
    elif wanted.kind in ServicePrincipal.Kind.values:
        found = found.filter(kind=wanted.kind)
    if wanted.fact in FACTS:
        found = _narrowed(found, words.named(tenant, words.Kind.FACT, wanted.fact))
    return _by_permission(found, tenant, wanted)


def ordered(apps: QuerySet[ServicePrincipal], sort: str) -> tuple[QuerySet[ServicePrincipal], tuple[str, ...]]:
    """The apps with what they are ordered by, and the columns of the order; by name where the sort is none we know."""
    name = sort.removeprefix("-")
    if name == "used":
        apps = apps.annotate(used_key=Coalesce("last_used_at", NEVER))
    elif name == "added":
        apps = apps.annotate(added_key=Coalesce("created_at", NEVER))
    return apps, order_of(SORTS, sort, "name")


def alive(tenant: Tenant) -> QuerySet[ServicePrincipal]:
    return ServicePrincipal.objects.filter(tenant=tenant, deleted_at__isnull=True)


def can_act() -> Q:
    """`ServicePrincipal.can_act` as a condition, for apps that are not in the recycle bin."""
    return Q(account_enabled=True, is_disabled=False, disabled_by_microsoft__in=NOT_STOPPED_BY_MICROSOFT)


def switched_off() -> Q:
    """The opposite, in the words of the index of those."""
    stopped = ~Q(disabled_by_microsoft__in=NOT_STOPPED_BY_MICROSOFT)
    return Q(account_enabled=False) | Q(is_disabled=True) | stopped


def portal() -> Q:
    return Q(app_id=id_or_none(settings.ENTRA_CLIENT_ID) or UUID(int=0))


def by_text(apps: QuerySet, tenant: Tenant, q: str) -> QuerySet:
    """Apps in which all that was typed is found, in a name or a permission; or that act for people of these names."""
    text = q.strip()[:256].casefold()
    if exact := id_or_none(text):
        return apps.filter(Q(pk=exact) | Q(app_id=exact))
    asked = words.asked(text)
    if not asked:
        return apps.none() if text else apps
    for_people = _acting_for(tenant, asked)
    if _PART_OF_AN_ID.fullmatch(text):
        between = _between(text)
        for_people |= Q(pk__range=between) | Q(app_id__range=between)
    typed = [part for part in text.replace("\0", "").split() if words.asked(part)][: words.MOST_WORDS]
    values = _permissions_in_use(tenant, typed)
    return apps.filter(Q(*(_has(tenant, part, values[part]) for part in typed)) | for_people)


def too_many_people(tenant: Tenant, q: str) -> bool:
    """Whether a search names more people than are looked through for their apps: then it says so."""
    asked = words.asked(q)
    return bool(asked) and len(_people(tenant, asked)) > MOST_PEOPLE


def _permissions_in_use(tenant: Tenant, typed: list[str]) -> dict[str, list[str]]:
    """By what was typed, the permissions of which it is a part."""
    named = Q()
    for part in typed:
        named |= Q(value__icontains=part)
    found = PermissionUse.objects.filter(named, tenant=tenant).values_list("value", flat=True).distinct()
    values = [(value, value.casefold()) for value in found]
    return {part: [value for value, folded in values if part in folded] for part in typed}


def _has(tenant: Tenant, part: str, values: list[str]) -> Q:
    """Apps in whose names every word of `part` begins one, or that hold one of these permissions.

    A few are named. Of many it is asked row by row in the order of the list, whose first page is full soon.
    """
    named = words.having_all(tenant, words.Kind.APP, words.asked(part))
    held = AppPermission.objects.filter(tenant=tenant, value__in=values)
    names = list(named.values_list("target_id", flat=True)[: FEW + 1])
    holders = list(held.values_list("app_id", flat=True)[: FEW + 1]) if values else []
    if len(names) <= FEW and len(holders) <= FEW:
        return Q(among(APP, names + holders))
    by_name = Q(among(APP, names)) if len(names) <= FEW else Q(pk__in=named)
    if len(holders) <= FEW:
        return by_name | Q(among(APP, holders))
    one = held.filter(app_id=OuterRef("pk")).values("app_id")[:1]
    return by_name | Q(IsNull(Subquery(one), False))  # PostgreSQL would turn Exists() into a list of all holders


def _acting_for(tenant: Tenant, asked: list[str]) -> Q:
    people = _people(tenant, asked)
    if not people or len(people) > MOST_PEOPLE:
        return Q(pk__in=[])
    grants = PermissionGrant.objects.filter(tenant=tenant, principal_id__in=people)
    return Q(among(APP, grants.values_list("client_id", flat=True).distinct()))


def _people(tenant: Tenant, asked: list[str]) -> list[UUID]:
    if len(asked[0]) < PERSON_FROM:
        return []
    found = Person.objects.filter(tenant=tenant, pk__in=words.having_all(tenant, words.Kind.PERSON, asked))
    return list(found.values_list("pk", flat=True)[: MOST_PEOPLE + 1])


def _narrowed(apps: QuerySet, ids: QuerySet) -> QuerySet:
    """Those of the apps whose id is among `ids`, a queryset of one column."""
    first = list(ids.distinct()[: FEW + 1])
    if len(first) > FEW:
        return apps.filter(pk__in=ids)
    return apps.filter(among(APP, [next(iter(row.values())) for row in first]))


def _between(part: str) -> tuple[UUID, UUID]:
    digits = part.replace("-", "")[:32]
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def _by_state(apps: QuerySet, wanted: AppFilter) -> QuerySet:
    if str(wanted.enabled).lower() in ("yes", "true", "1"):
        apps = apps.filter(can_act())
    elif str(wanted.enabled).lower() in ("no", "false", "0"):
        apps = apps.filter(switched_off())
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
        apps = _narrowed(apps, held.filter(reason__in=reasons).values("app_id"))
    if wanted.permission:
        named = held.filter(value=wanted.permission.replace("\0", "")[:256])
        apps = _narrowed(apps, named.values("app_id"))
    if wanted.alone in kinds and not wanted.may and not wanted.permission:
        apps = apps.filter(pk__in=held.values("app_id"))
    if person := id_or_none(wanted.person):
        theirs = PermissionGrant.objects.filter(tenant=tenant, principal_id=person)
        apps = _narrowed(apps, theirs.values("client_id"))
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
    if consent == "new":
        return _narrowed(apps, new_grants(tenant, monday(timezone.now())).values("client_id"))
    conditions = {
        "user": Q(user_consent_count__gt=0),
        "admin": Q(has_admin_consent=True),
        "app_only": nobody & Q(app_permission_count__gt=0),
        "none": nobody & Q(app_permission_count=0),
    }
    return apps.filter(conditions[consent]) if consent in conditions else apps


def new_grants(tenant: Tenant, since: datetime) -> QuerySet[PermissionGrant]:
    """Grants first seen since then. What the first walk found is older than we know."""
    first_walk = Collection.objects.filter(tenant=tenant, kind=Collection.Kind.GRANTS)
    known = first_walk.values_list("first_complete_at", flat=True).first()
    grants = PermissionGrant.objects.filter(tenant=tenant)
    if known is None:
        return grants.none()
    # As values, so that PostgreSQL knows how few there are.
    return grants.filter(first_seen_at__gte=since, first_seen_at__gt=known)


def monday(now: datetime) -> datetime:
    return (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


def unused(now: datetime) -> Q:
    return Q(last_used_at__lt=now - UNUSED_AFTER)
