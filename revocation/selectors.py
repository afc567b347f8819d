"""The door for reads about requests and their steps, of one tenant. What they came to is in `showing.figures`."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Tenant
from directory.paging import Page, page
from revocation.models import RevocationRequest, RevocationStep

PAGE = 50
SECOND_CLICK = timedelta(minutes=2)
STILL_NEWS = timedelta(days=30)
LOOKED_AT = 1000  # failed steps, at the most, for one page


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
    """One page by keyset, newest first."""
    return page(found, ("-created_at", "-id"), after, size)


def unresolved(tenant: Tenant) -> list[RevocationRequest]:
    """Requests of which something failed or was not confirmed, and nothing has settled it since; newest first.

    Settled means: the same was tried again on the same target, whatever became of that, or the request was undone.
    Each has `attention`, how many of its steps are left. Looks at the newest steps of the last days only.
    """
    again = RevocationStep.objects.filter(
        tenant=tenant, target_id=OuterRef("target_id"), action=OuterRef("action"), pk__gt=OuterRef("pk")
    ).exclude(state=RevocationStep.State.CANCELLED)
    undone = RevocationRequest.objects.filter(follows=OuterRef("request_id"), kind=RevocationRequest.Kind.UNDO)
    newest = RevocationStep.objects.for_a_human().filter(
        tenant=tenant, request__created_at__gte=timezone.now() - STILL_NEWS
    )
    newest = newest.order_by("-pk").values("pk")[:LOOKED_AT]
    left = RevocationStep.objects.filter(pk__in=newest).exclude(Exists(again)).exclude(Exists(undone))
    counts = Counter(left.values_list("request_id", flat=True))
    found = list(requests(tenant).filter(pk__in=list(counts)))
    for one in found:
        one.attention = counts[one.pk]
    return found


def asked_by(tenant: Tenant, actor: Actor) -> QuerySet[RevocationRequest]:
    """What somebody asked for themselves, newest first."""
    return requests(tenant).filter(actor_id=actor.id)


def followers(request: RevocationRequest, size: int = 5) -> list[RevocationRequest]:
    """What was asked for because of this request, newest first: its undo, its retries."""
    return list(requests(request.tenant).filter(follows=request)[:size])


def how_many_open(tenant: Tenant) -> int:
    """How many requests of a tenant are not over."""
    return RevocationRequest.objects.open().filter(tenant=tenant).count()


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
