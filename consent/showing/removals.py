"""A person's own removals of the last minutes: what became of them, whether they can be undone, and of their undo."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Membership, Tenant
from consent.own_removals import OWN_KINDS
from directory import features
from directory.models import InheritedGrant, PermissionGrant, ServicePrincipal
from revocation import selectors, services as revocation
from revocation.models import RevocationRequest, RevocationStep
from revocation.showing.timeline import Timeline, timeline

UNDO = RevocationRequest.Kind.UNDO


@dataclass(frozen=True)
class Removal:
    """One removal, ready to show.

    Attributes:
        name: of the app, or of all of them.
        what: the scopes removed where the app kept others; empty when it lost all.
        undo_until: None where there is nothing (more) to undo.
        still_covered: whether the organisation's own consent lets the app go on.
        still_inherits: whether an agent goes on with what it inherits from its blueprint.
    """

    request: RevocationRequest
    app_ids: frozenset[UUID]
    name: str
    what: str
    timeline: Timeline
    undo_until: datetime | None
    still_covered: bool
    still_inherits: bool

    @property
    def takes_the_app(self) -> bool:
        """Whether all that the person granted is going, and is not proved gone yet."""
        return (
            self.request.kind == RevocationRequest.Kind.REMOVE_OWN_APP
            and self.timeline.state in RevocationStep.UNSETTLED
        )


@dataclass(frozen=True)
class PuttingBack:
    """A removal's undo that is not proved, ready to show. `name` is that of the app, or of all of them."""

    request: RevocationRequest
    name: str
    timeline: Timeline


def recent(membership: Membership) -> list[Removal]:
    """Newest first, in a fixed number of queries; what was undone is not among them."""
    since = timezone.now() - timedelta(minutes=settings.REVOCATION_UNDO_MINUTES)
    return _removals(
        membership.tenant, _own(membership).filter(created_at__gte=since).exclude(followers__kind=UNDO)[:20]
    )


def put_back(membership: Membership) -> list[PuttingBack]:
    """Undos of the last minutes, newest first, until they are proved: then the app is among one's apps again."""
    since = timezone.now() - timedelta(minutes=settings.REVOCATION_UNDO_MINUTES)
    tenant, found = membership.tenant, _by(membership).filter(kind=UNDO, follows__kind__in=OWN_KINDS)
    undos = found.filter(created_at__gte=since).prefetch_related(*_with_steps(tenant, "steps", "follows__steps"))[:20]
    told = [(undo, timeline(undo, list(undo.steps.all()), own=True)) for undo in undos]
    under_way = [(undo, course) for undo, course in told if course.state != RevocationStep.State.VERIFIED]
    ids = {undo.pk: _app_ids(undo.follows) for undo, _course in under_way}
    apps = ServicePrincipal.objects.filter(tenant=tenant).in_bulk(frozenset().union(*ids.values())) if ids else {}
    return [PuttingBack(undo, _name(undo, ids[undo.pk], apps), course) for undo, course in under_way]


def one(membership: Membership, request_id: UUID) -> Removal | None:
    """One of the person's own removals, however old."""
    found = _removals(membership.tenant, _own(membership).filter(pk=request_id))
    return found[0] if found else None


def _own(membership: Membership) -> QuerySet[RevocationRequest]:
    found = _by(membership).filter(kind__in=OWN_KINDS)
    return found.prefetch_related(*_with_steps(membership.tenant, "steps"), "followers")


def _by(membership: Membership) -> QuerySet[RevocationRequest]:
    return selectors.requests(membership.tenant).filter(actor_id=Actor.of(membership).id)


def _with_steps(tenant: Tenant, *names: str) -> list[Prefetch]:
    steps = RevocationStep.objects.filter(tenant=tenant).order_by("position")
    return [Prefetch(name, queryset=steps) for name in names]


def _removals(tenant: Tenant, requests: QuerySet[RevocationRequest]) -> list[Removal]:
    rows = list(requests)
    ids = frozenset().union(*map(_app_ids, rows))
    if not ids:
        return [_removal(tenant, row, {}, set(), set()) for row in rows]
    apps = ServicePrincipal.objects.filter(tenant=tenant).in_bulk(ids)
    for_all = PermissionGrant.objects.filter(
        tenant=tenant, client_id__in=ids, consent_type=PermissionGrant.ConsentType.ALL
    )
    covered = set(for_all.values_list("client_id", flat=True))
    of_agents = InheritedGrant.objects.filter(tenant=tenant, agent_id__in=ids, kind=InheritedGrant.Kind.DELEGATED)
    inheriting = set(of_agents.values_list("agent_id", flat=True))
    return [_removal(tenant, row, apps, covered, inheriting) for row in rows]


def _removal(
    tenant: Tenant,
    request: RevocationRequest,
    known: dict[UUID, ServicePrincipal],
    covered: set[UUID],
    inheriting: set[UUID],
) -> Removal:
    steps = list(request.steps.all())
    ids = _app_ids(request)
    apps = [known[app_id] for app_id in ids if app_id in known]
    # What would be refused is not offered: a stopped app gets nothing back, and without knowing whether people may
    # consent for themselves nobody gives one back.
    stopped = any(app.is_stopped_here for app in apps)
    refused = stopped or features.switched_off(tenant, features.CONSENT_POLICY.key)
    return Removal(
        request=request,
        app_ids=ids,
        name=_name(request, ids, known),
        what=_scopes(steps) if request.kind == RevocationRequest.Kind.REMOVE_OWN_PERMISSION else "",
        timeline=timeline(request, steps, own=True),
        undo_until=revocation.undo_until(request) if not refused and revocation.undoable(request) else None,
        still_covered=bool(ids & covered),
        still_inherits=bool(ids & inheriting),
    )


def _name(request: RevocationRequest, ids: frozenset[UUID], known: dict[UUID, ServicePrincipal]) -> str:
    return ", ".join(sorted(known[app_id].display_name for app_id in ids if app_id in known)) or request.title


def _app_ids(request: RevocationRequest) -> frozenset[UUID]:
    """The apps it takes something from, as they were before."""
    found = (client_id for step in request.steps.all() if (client_id := (step.before or {}).get("client_id")))
    return frozenset(UUID(str(client_id)) for client_id in found)


def _scopes(steps: list[RevocationStep]) -> str:
    gone = []
    for step in steps:
        gone += step.params.get("remove") or (step.before or {}).get("scopes", [])
    return " ".join(dict.fromkeys(gone))
