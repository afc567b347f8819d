"""Which permissions are in use in a tenant, and which apps hold one. Read through `directory.selectors`."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Q, QuerySet

from accounts.models import Tenant
from directory.models import (
    AppPermission,
    InheritedGrant,
    PermissionDefinition,
    PermissionUse,
    ServicePrincipal,
)
from directory.paging import Page, mapped, order_of, page
from directory.ratings import Line, lines
from directory.reasons import ALONE, GROUPS

Kind = PermissionDefinition.Kind
MANY = 1000  # apps: more are not sorted anew for a page of them
# By the words in an address; a minus before one turns it round.
SORTS = {
    "risk": ("-risk", "-apps", "value", "id"),
    "name": ("value", "id"),
    "apps": ("-apps", "value", "id"),
    "everyone": ("-for_everyone", "value", "id"),
    "consents": ("-consents", "value", "id"),
}


@dataclass(frozen=True)
class Use:
    """A permission in use: `text` in its publisher's words, empty where they are not known."""

    row: PermissionUse
    resource_name: str
    text: str

    @property
    def alone(self) -> bool:
        return self.row.kind == Kind.APPLICATION


def permission_uses(tenant: Tenant, *, sort: str = "risk", after: str = "", **filters: str) -> Page[Use]:
    """A page of the permissions that apps hold, in three queries.

    Args:
        sort: one of `SORTS`, a minus before it to turn it round; the gravest first where it is none we know.
        filters: those of `_matching`.
    """
    found = page(_matching(tenant, **filters), order_of(SORTS, sort, "risk"), after)
    return mapped(found, lambda rows: _in_words(tenant, rows))


def all_permission_uses(tenant: Tenant, *, sort: str = "risk", **filters: str) -> list[Use]:
    """All that `permission_uses` pages through, in its order: some hundreds in a large tenant."""
    return _in_words(tenant, list(_matching(tenant, **filters).order_by(*order_of(SORTS, sort, "risk"))))


def _matching(
    tenant: Tenant, *, q: str = "", may: str = "", alone: str = "", risk: str = ""
) -> QuerySet[PermissionUse]:
    """The permissions in use, in no order.

    Args:
        q: part of a name.
        may: one of `reasons.GROUPS`.
        alone: "yes" with nobody signed in, "no" in somebody's name.
        risk: 1 to 3.
    """
    found = PermissionUse.objects.filter(tenant=tenant)
    for word in q.replace("\0", "").split()[:5]:
        found = found.filter(value__icontains=word)
    if may in GROUPS:
        found = found.filter(reason__in=[key for one in GROUPS[may] for key in (one, ALONE + one)])
    if alone in ("yes", "no"):
        found = found.filter(kind=Kind.APPLICATION if alone == "yes" else Kind.DELEGATED)
    if str(risk) in {"1", "2", "3"}:
        found = found.filter(risk=int(risk))
    return found


def permission_use(tenant: Tenant, resource_id: UUID, kind: str, value: str) -> Use:
    """One permission.

    Raises:
        PermissionUse.DoesNotExist: no app of this tenant holds it.
    """
    row = PermissionUse.objects.get(tenant=tenant, resource_id=resource_id, kind=kind, value=value)
    return _in_words(tenant, [row])[0]


def apps_holding(tenant: Tenant, use: Use, after: str = "") -> Page[AppPermission]:
    """The apps that hold it, the worst first, of a great many those most people gave it to; each row with its `app`."""
    row = use.row
    held = AppPermission.objects.filter(
        tenant=tenant, value=row.value, kind=row.kind, resource_id=row.resource_id, app__deleted_at__isnull=True
    )
    if row.apps > MANY:
        return page(held.select_related("app"), ("-people", "id"), after)
    return page(held.select_related("app").annotate(rank=F("app__rank")), ("-rank", "-people", "id"), after)


def inherited_by(tenant: Tenant, use: Use) -> int:
    """How many agents have it through their blueprint."""
    found = InheritedGrant.objects.filter(tenant=tenant, resource_id=use.row.resource_id, kind=use.row.kind)
    return found.filter(scopes__contains=[use.row.value]).values("agent_id").distinct().count()


def why_rated(use: Use) -> Line | None:
    """The line of the ratings that is about it; None where it is rated by the rule for what is not there."""
    return next((line for line in lines() if (line.kind, line.value) == (use.row.kind, use.row.value)), None)


def _in_words(tenant: Tenant, rows: list[PermissionUse]) -> list[Use]:
    resources = {row.resource_id for row in rows}
    names = dict(ServicePrincipal.objects.filter(tenant=tenant, pk__in=resources).values_list("pk", "display_name"))
    texts = _texts(tenant, rows)
    return [
        Use(row, names.get(row.resource_id, ""), texts.get((row.resource_id, row.kind, row.value), "")) for row in rows
    ]


def _texts(tenant: Tenant, rows: list[PermissionUse]) -> dict[tuple, str]:
    found: QuerySet = PermissionDefinition.objects.filter(
        Q(resource_id__in={row.resource_id for row in rows}) & Q(value__in={row.value for row in rows}), tenant=tenant
    )
    columns = found.values_list("resource_id", "kind", "value", "admin_display_name", "user_display_name")
    return {(resource, kind, value): admin or user for resource, kind, value, admin, user in columns}
