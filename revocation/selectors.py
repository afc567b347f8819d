"""The door for reads about requests and their steps, of one tenant. What they came to is in `showing.figures`."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Tenant
from directory.paging import Page, page
from revocation.models import RevocationRequest, RevocationStep

PAGE = 50
SECOND_CLICK = timedelta(minutes=2)


def requests(tenant: Tenant, *, state: str = "", kind: str = "", actor: str = "") -> QuerySet[RevocationRequest]:
    """A tenant's requests that match every filter, newest first. `actor` is an object id or part of a name."""
    found = RevocationRequest.objects.filter(tenant=tenant)
    if state:
        found = found.filter(state=state)
    if kind:
        found = found.filter(kind=kind)
    if actor:
        found = found.filter(Q(actor_id=actor) | Q(actor_label__icontains=actor))
    return found.order_by("-created_at", "-id")


def requests_page(found: QuerySet[RevocationRequest], after: str = "", size: int = 25) -> Page[RevocationRequest]:
    """One page, each request with how many steps are `decided` and need `attention`: two queries."""
    found_page = page(found, ("-created_at", "-id"), after, size)
    counted = (
        RevocationStep.objects.filter(request__in=[row.pk for row in found_page])
        .values("request_id")
        .annotate(
            decided=Count("id", filter=~Q(state__in=RevocationStep.PENDING)),
            attention=Count("id", filter=Q(state__in=RevocationStep.FOR_A_HUMAN)),
        )
    )
    by_request = {row["request_id"]: row for row in counted}
    for item in found_page:
        row = by_request.get(item.pk, {})
        item.decided, item.attention = row.get("decided", 0), row.get("attention", 0)
    return found_page


def kinds(tenant: Tenant) -> list[str]:
    """The kinds of request that occur in a tenant, for a filter's choices."""
    found = RevocationRequest.objects.filter(tenant=tenant).order_by("kind")
    return list(found.values_list("kind", flat=True).distinct())


def about(tenant: Tenant, target_id: UUID, size: int = 10) -> list[RevocationRequest]:
    """The newest requests that did something to this person or app."""
    steps = RevocationStep.objects.filter(tenant=tenant, target_id=str(target_id))
    ids = steps.order_by("-id").values_list("request_id", flat=True)[: size * 4]
    return list(requests(tenant).filter(pk__in=list(dict.fromkeys(ids)))[:size])


def steps(request: RevocationRequest, states: tuple[str, ...] = ()) -> QuerySet[RevocationStep]:
    """The steps of a request in their order, all of them or those in some states."""
    found = RevocationStep.objects.filter(tenant=request.tenant_id, request=request)
    return (found.filter(state__in=states) if states else found).order_by("position")


def steps_page(found: QuerySet[RevocationStep], after: str = "", size: int = PAGE) -> Page[RevocationStep]:
    """One page by keyset over the steps' positions."""
    return page(found, ("position",), after, size)


def first_click_of(tenant: Tenant, actor: Actor, kind: str, **target) -> RevocationRequest | None:
    """The request of a first click, whose success is why the second finds nothing to do."""
    since = timezone.now() - SECOND_CLICK
    found = RevocationRequest.objects.filter(
        tenant=tenant, kind=kind, actor_id=actor.id, created_at__gte=since, followers__isnull=True, **target
    )
    return found.order_by("-created_at").first()
