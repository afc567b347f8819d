"""The door for reads about requests and their steps, of one tenant. What they came to is in `showing.figures`."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Membership, Tenant, User
from accounts.roles import CAPABILITIES, Capability
from audit import personal, selectors as audit
from audit.models import AuditEntry, AuditEvent
from directory.models import ServicePrincipal
from directory.paging import Page, page
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules import two_persons

PAGE = 50
SECOND_CLICK = timedelta(minutes=2)
STILL_NEWS = timedelta(days=30)
MOST_APPROVERS = 20  # looked at for their names
SAME_DELETION = timedelta(hours=1)  # what Microsoft's time of it and ours may differ by
_Kind = RevocationRequest.Kind
CHANGES_APPS = set(_Kind) - {_Kind.SIGN_OUT, _Kind.SIGN_OUT_SELF, _Kind.LIVE_CHECK}
LOOKED_AT = 1000  # failed steps, at the most, for one page


def requests(tenant: Tenant, *, state: str = "", kind: str = "", actor: str = "") -> QuerySet[RevocationRequest]:
    """A tenant's requests that match every filter, newest first.

    Args:
        state: a request's; also "stopped", what was not carried out to its end, and "attention", what `unresolved` has.
        actor: an object id or part of a name.
    """
    found = RevocationRequest.objects.filter(tenant=tenant)
    if state == "attention":
        found = found.filter(pk__in=[one.pk for one in unresolved(tenant)])
    elif state == "stopped":
        found = found.filter(state__in=RevocationRequest.STOPPED)
    elif state:
        found = found.filter(state=state)
    if kind:
        found = found.filter(kind=kind)
    if actor:
        found = found.filter(Q(actor_id=actor) | Q(actor_label__icontains=actor))
    return found.order_by("-created_at", "-id")


def requests_page(found: QuerySet[RevocationRequest], after: str = "", size: int = 25) -> Page[RevocationRequest]:
    """One page by keyset, newest first."""
    return page(found, ("-created_at", "-id"), after, size)


def unresolved(
    tenant: Tenant, *, since: datetime | Coalesce | None = None, apart_from: QuerySet | None = None
) -> list[RevocationRequest]:
    """Requests of which something failed or was not confirmed, and nothing has settled it since; newest first.

    Settled means: the same was tried again on the same target, whatever became of that, or the request was undone.
    Each has `attention`, how many of its steps are left. Looks at the newest steps only.

    Args:
        since: of requests asked for from then on (a time, or what comes to one); when left out, of the last days.
        apart_from: ids of requests that need nobody.
    """
    again = RevocationStep.objects.filter(
        tenant=tenant, target_id=OuterRef("target_id"), action=OuterRef("action"), pk__gt=OuterRef("pk")
    ).exclude(state=RevocationStep.State.CANCELLED)
    undone = RevocationRequest.objects.filter(follows=OuterRef("request_id"), kind=RevocationRequest.Kind.UNDO)
    newest = RevocationStep.objects.for_a_human().filter(
        tenant=tenant, request__created_at__gte=since or timezone.now() - STILL_NEWS
    )
    if apart_from is not None:
        newest = newest.exclude(request_id__in=apart_from)
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


def approvers(request: RevocationRequest) -> list[str]:
    """The names of those who may say yes to a request that waits for a second person."""
    may = Q()
    for role, can in CAPABILITIES.items():
        may |= Q(roles__contains=[str(role)]) if Capability.APPROVE in can else Q()
    members = list(Membership.objects.filter(may, tenant_id=request.tenant_id)[:MOST_APPROVERS])
    users = User.objects.in_bulk([member.user_id for member in members])  # not those who belong to other tenants
    newcomers, found = two_persons.newcomers(request.tenant_id), []
    for member in members:
        user = users.get(member.user_id)
        asked = str(user.object_id) == request.actor_id if user else member.person_label == request.actor_label
        apart = two_persons.askers_apart_from(member, newcomers)
        if not asked and apart is not None and request.actor_id not in apart:
            found.append(str(user or member.person_label))
    return sorted(found, key=str.casefold)


def rejection(request: RevocationRequest) -> AuditEntry | None:
    """Who said no, when and why, by the record; None where nobody did."""
    said = audit.entries(request.tenant_id, request_id=request.pk, event=AuditEvent.REVOCATION_REJECTED).first()
    if said:
        personal.reveal(request.tenant_id, [said])
    return said


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
    """The newest requests that did something to this person or app, or to a consent that is theirs."""
    steps, pk = RevocationStep.objects.filter(tenant=tenant), str(target_id)
    consents = steps.filter(target_type="grant")
    found = [
        steps.filter(target_id=pk),
        consents.alias(whose=KT("before__client_id")).filter(whose=pk),
        consents.alias(whose=KT("before__principal_id")).filter(whose=pk),
    ]
    first, *others = [one.order_by("-id").values_list("id", "request_id")[: size * 4] for one in found]
    newest = first.union(*others, all=True)
    ids = dict.fromkeys(request_id for _id, request_id in sorted(newest, reverse=True))
    return list(requests(tenant).filter(pk__in=list(ids))[:size])


def of_apps_since(tenant: Tenant, since: datetime) -> QuerySet[RevocationRequest]:
    """What was asked for here since then that takes something from apps or gives it back, and was begun; newest first.

    Who may see them all may see these. Each says by its state how far it came.
    """
    begun = requests(tenant).filter(kind__in=CHANGES_APPS, created_at__gte=since)
    return begun.exclude(state__in=(*RevocationRequest.STOPPED, RevocationRequest.State.AWAITING_APPROVAL))


def deletions_of(tenant: Tenant, apps: Iterable[ServicePrincipal]) -> dict[UUID, RevocationRequest]:
    """The requests by which apps that are in the recycle bin came there, by app, in one query.

    An app that is missing was deleted by somebody else: perhaps after it had been deleted here once and restored, so
    the times must agree.
    """
    since = {str(app.pk): app.deleted_at for app in apps}
    steps = RevocationStep.objects.filter(
        tenant=tenant,
        action="delete_app",
        target_id__in=list(since),
        state__in=(RevocationStep.State.VERIFIED, RevocationStep.State.ACCEPTED),
    )
    found = {}
    for step in steps.select_related("request").order_by("id"):
        if step.called_at and abs(since[step.target_id] - step.called_at) < SAME_DELETION:
            found[UUID(step.target_id)] = step.request
    return found


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
