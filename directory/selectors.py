"""The door for reads about a tenant's directory. Every function takes the tenant first and answers from the copy.

Rows of another tenant do not exist here: asking for one raises the model's `DoesNotExist`, as for an unknown id.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, IntegerField, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.ids import id_or_none
from accounts.models import Tenant
from directory import risk as risks, wording, words
from directory.app_filters import (
    AppFilter,
    alive,
    by_text,
    matching,
    monday,
    new_grants,
    ordered,
    portal,
    too_many_people,
    unused,
)
from directory.changes_since import changes_since
from directory.figures import Figure
from directory.hits import Hits, what_deleting_hits
from directory.many import among
from directory.models import (
    NEVER,
    AppRoleAssignment,
    Collection,
    PermissionDefinition,
    PermissionGrant,
    Person,
    Risk,
    ServicePrincipal,
)
from directory.my_apps import MyApp, my_app, my_apps
from directory.paging import Page, mapped, order_of, page
from directory.people_apps import apps_of_people
from directory.permission_uses import (
    Use,
    all_permission_uses,
    apps_holding,
    inherited_by,
    permission_use,
    permission_uses,
    why_rated,
)

Types = PermissionGrant.ConsentType
GIVER = "directory_permissiongrant.principal_id"
MANY = 1000  # people: more are not sorted by name for a page of them
APPS_A_PAGE, CONSENTS_A_PAGE = 30, 25

__all__ = [  # reads that live in files of their own, and come through this door too
    "AppFilter",
    "Hits",
    "MyApp",
    "Use",
    "all_permission_uses",
    "apps_holding",
    "apps_of_people",
    "changes_since",
    "inherited_by",
    "matching",
    "my_app",
    "my_apps",
    "permission_use",
    "permission_uses",
    "too_many_people",
    "what_deleting_hits",
    "why_rated",
]


# --- Freshness ----------------------------------------------------------------------------------------


def freshness(tenant: Tenant) -> dict[str, Collection]:
    """How complete each part of the copy is, by kind. A kind never read has an unsaved row that says so."""
    known = {row.kind: row for row in Collection.objects.filter(tenant=tenant)}
    return {kind: known.get(kind) or Collection(tenant=tenant, kind=kind) for kind in Collection.Kind.values}


def is_read(tenant: Tenant, *kinds: str) -> bool:
    """Whether all these parts of the copy were complete once: before that, nothing found is not known, not nought."""
    fresh = freshness(tenant)
    return all(fresh[kind].complete_at for kind in kinds)


def known_since(tenant: Tenant) -> datetime | None:
    """Since when new grants can be told from old ones: what the first whole reading found is older than we know.

    None while there was none: then nothing is known to be new, and nothing to be old.
    """
    return freshness(tenant)[Collection.Kind.GRANTS].first_complete_at


# --- Apps of the tenant -------------------------------------------------------------------------------


def apps(tenant: Tenant, *, sort: str = "name", after: str = "", **filters) -> Page[ServicePrincipal]:
    """A page of the tenant's apps, in one query.

    Args:
        sort: one of `app_filters.SORTS`, a minus before it to turn it round.
        filters: those of `AppFilter`.
    """
    return page(*ordered(matching(tenant, AppFilter(**filters)), sort), after, APPS_A_PAGE)


def all_apps(tenant: Tenant, *, sort: str = "name", **filters) -> QuerySet[ServicePrincipal]:
    """All that `apps` pages through, in its order."""
    found, order = ordered(matching(tenant, AppFilter(**filters)), sort)
    return found.order_by(*order)


def app(tenant: Tenant, app_id: UUID | str) -> ServicePrincipal:
    """One app, also one in the recycle bin.

    Raises:
        ServicePrincipal.DoesNotExist: this tenant has no such app.
    """
    return ServicePrincipal.objects.get(tenant=tenant, pk=app_id)


def deleted_apps(tenant: Tenant, q: str = "", after: str = "") -> Page[ServicePrincipal]:
    """Apps in the recycle bin, last deleted first. Microsoft empties it of what is 30 days old."""
    found = ServicePrincipal.objects.filter(tenant=tenant, deleted_at__isnull=False)
    return page(by_text(found, tenant, q), ("-deleted_at", "id"), after)


def admin_permissions(app: ServicePrincipal) -> list[wording.ResourcePermissions]:
    """What the app may do for everyone, because an administrator agreed."""
    return wording.sentences(_grants_of(app).filter(consent_type=Types.ALL).order_by("pk"), "admin")


@dataclass(frozen=True)
class UserConsent:
    """What one person let an app do.

    Attributes:
        person: None where the copy does not hold them (any more).
    """

    person_id: UUID
    person: Person | None
    grants: tuple[PermissionGrant, ...]
    permissions: tuple[wording.ResourcePermissions, ...]
    risk: Risk
    first_seen_at: datetime
    consented_at: datetime | None = None

    @property
    def scopes(self) -> list[str]:
        return [sentence.value for group in self.permissions for sentence in group.sentences]

    @property
    def summary(self) -> str:
        return wording.summary(self.scopes, "admin")

    @property
    def works_offline(self) -> bool:
        return risks.OFFLINE in self.scopes


def user_consents(app: ServicePrincipal, q: str = "", after: str = "") -> Page[UserConsent]:
    """Who let the app act for them, and to do what: by name, or, of a great many, in the order of their ids.

    Args:
        q: the beginnings of words of their names or addresses.
    """
    own, many = _grants_of(app).filter(consent_type=Types.ONE), app.user_consent_count > MANY
    if asked := words.asked(q):
        named = words.having_all(app.tenant, words.Kind.PERSON, asked)
        first = list(named.values_list("target_id", flat=True)[: MANY + 1])
        many = many and len(first) > MANY
        own = own.filter(principal_id__in=named) if len(first) > MANY else own.filter(among(GIVER, first))
    if many:
        people, order = own.values("principal_id").distinct(), ("principal_id",)
    else:
        people = own.values("principal_id").annotate(name=Coalesce("principal__display_name", Value(""))).distinct()
        order = ("name", "principal_id")
    return mapped(page(people, order, after, CONSENTS_A_PAGE), lambda rows: _user_consents(app, rows))


def user_consent(app: ServicePrincipal, person_id: UUID | str) -> UserConsent | None:
    """What this one person let the app do; None where they did not."""
    found = _user_consents(app, [{"principal_id": UUID(str(person_id))}])
    return found[0] if found else None


def app_only_permissions(app: ServicePrincipal) -> list[wording.ResourcePermissions]:
    """What the app may do with nobody signed in."""
    held = AppRoleAssignment.objects.filter(
        tenant_id=app.tenant_id, principal_id=app.pk, principal_type="ServicePrincipal"
    )
    return wording.app_only_sentences(held.order_by("pk"))


def assigned(app: ServicePrincipal, after: str = "") -> Page[AppRoleAssignment]:
    """People and groups assigned to the app, by name; each with its `role` in words, empty for default access."""
    return mapped(page(_assigned(app), ("principal_name", "id"), after), lambda rows: _with_roles(app, rows))


# --- People -------------------------------------------------------------------------------------------


# Orders of people, by the words in an address; a minus before one turns it round.
PEOPLE_SORTS = {"name": ("display_name", "id"), "sessions": ("-valid_key", "-id")}


def people(tenant: Tenant, q: str = "", after: str = "", only: str = "", sort: str = "name") -> Page[Person]:
    """A page of the tenant's people. Agents' user accounts are no people.

    Args:
        sort: one of `PEOPLE_SORTS`, a minus before it to turn it round; by name where it is none we know.
        only: "risky", whom an app of high risk acts for because they let it; "roles", who holds a directory role;
            "guests"; "disabled". What is none of these narrows nothing.
    """
    found = Person.objects.filter(tenant=tenant, is_agent=False)
    if only == "risky":
        grants = PermissionGrant.objects.filter(
            tenant=tenant, client__risk=Risk.HIGH, client__deleted_at__isnull=True, principal__isnull=False
        )
        found = found.filter(pk__in=grants.values("principal_id"))
    elif only == "roles":
        found = found.exclude(role_template_ids=[])
    elif only == "guests":
        found = found.filter(is_guest=True)
    elif only == "disabled":
        found = found.filter(account_enabled=False)
    if exact := id_or_none(q.strip()):
        found = found.filter(pk=exact)
    elif q.strip() and not (asked := words.asked(q)):
        found = found.none()
    elif q.strip():
        for word in asked:
            found = found.filter(pk__in=words.having(tenant, words.Kind.PERSON, word))
    if sort.removeprefix("-") == "sessions":
        found = found.annotate(valid_key=Coalesce("sessions_valid_from", NEVER))
    return page(found, order_of(PEOPLE_SORTS, sort, "name"), after)


def person(tenant: Tenant, object_id: UUID | str) -> Person:
    """One person.

    Raises:
        Person.DoesNotExist: this tenant has no such person.
    """
    return Person.objects.get(tenant=tenant, pk=object_id)


# --- The overview -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Overview:
    """The tenant in numbers.

    Neither apps of Microsoft's own are counted, nor this portal: nobody decides about those here. Risk, publisher and
    use are counted among the apps that can act.

    Attributes:
        new_grants: week (its Monday), grants first seen in it; oldest first. A week that ended before anything was
            counted is None, which is not 0.
        counted_since: what was there then is older than we know; None while the grants were never read in full.
    """

    apps: int
    by_risk: dict[int, int]
    unverified: int
    disabled: int
    unused: int
    new_grants: list[tuple[datetime, int | None]]
    counted_since: datetime | None


def overview(tenant: Tenant, weeks: int = 8) -> Overview:
    """Numbers for the overview, in four queries."""
    now = timezone.now()
    apps = alive(tenant).filter(figure__gt=0).exclude(portal()).values_list("figure")
    counted = [
        (Figure.read(figure), number, unused_of_them)
        for figure, number, unused_of_them in apps.annotate(n=Count("*"), unused=Count("tenant_id", filter=unused(now)))
    ]
    acting = [row for row in counted if row[0].can_act]
    starts = [monday(now) - timedelta(weeks=back) for back in reversed(range(weeks))]
    which = RawSQL("width_bucket(first_seen_at, %s::timestamptz[])", [starts], IntegerField())
    seen = new_grants(tenant, starts[0]).annotate(week=which).values_list("week").annotate(count=Count("*"))
    per_week = {starts[week - 1]: count for week, count in seen}
    since = known_since(tenant)
    return Overview(
        apps=sum(number for _figure, number, _unused in counted),
        by_risk={level: sum(n for figure, n, _unused in acting if figure.risk == level) for level in Risk.values},
        unverified=sum(number for figure, number, _unused in acting if figure.is_unverified),
        disabled=sum(number for figure, number, _unused in counted if not figure.can_act),
        unused=sum(number for _figure, _all, number in acting),
        new_grants=[(start, _counted(start, since, per_week)) for start in starts],
        counted_since=since,
    )


def _counted(week: datetime, since: datetime | None, per_week: dict[datetime, int]) -> int | None:
    known = since is not None and week + timedelta(days=7) > since
    return per_week.get(week, 0) if known else None


# --- How it is done -----------------------------------------------------------------------------------


def _grants_of(app: ServicePrincipal) -> QuerySet[PermissionGrant]:
    return PermissionGrant.objects.filter(tenant_id=app.tenant_id, client=app)


def _assigned(app: ServicePrincipal) -> QuerySet[AppRoleAssignment]:
    found = AppRoleAssignment.objects.filter(tenant_id=app.tenant_id, resource=app)
    return found.exclude(principal_type="ServicePrincipal")


def _with_roles(app: ServicePrincipal, rows: list[AppRoleAssignment]) -> list[AppRoleAssignment]:
    definitions = PermissionDefinition.objects.filter(
        tenant_id=app.tenant_id, resource=app, permission_id__in={row.app_role_id for row in rows}
    )
    roles = {role.permission_id: role.admin_display_name or role.value for role in definitions}
    for row in rows:
        row.role = roles.get(row.app_role_id, "")
    return rows


def _user_consents(app: ServicePrincipal, rows: list[dict]) -> list[UserConsent]:
    ids = [row["principal_id"] for row in rows]
    own = _grants_of(app).filter(consent_type=Types.ONE, principal_id__in=ids).order_by("pk")
    grants: dict[UUID, list[PermissionGrant]] = defaultdict(list)
    for grant in own:
        grants[grant.principal_id].append(grant)
    if not grants:
        return []
    known = Person.objects.filter(tenant_id=app.tenant_id).in_bulk(ids)
    definitions = wording.Definitions.of_grants([grant for held in grants.values() for grant in held])
    return [
        UserConsent(
            person_id=person_id,
            person=known.get(person_id),
            grants=tuple(held),
            permissions=tuple(wording.sentences(held, "admin", definitions)),
            risk=Risk(max(grant.risk for grant in held)),
            first_seen_at=min(grant.first_seen_at for grant in held),
            consented_at=max((grant.consented_at for grant in held if grant.consented_at), default=None),
        )
        for person_id in ids
        if (held := grants.get(person_id))
    ]
