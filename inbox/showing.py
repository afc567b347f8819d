"""What waits for somebody, ready to be shown: on the inbox's page and on the overview."""

from dataclasses import dataclass, field
from uuid import UUID

from django.utils.functional import cached_property

from accounts.models import Membership
from accounts.roles import Capability
from directory import risk
from directory.models import ServicePrincipal
from inbox import selectors
from inbox.models import Dealt
from inbox.selectors import Reported
from revocation.models import RevocationRequest, RevocationStep

Kind = Dealt.Kind
FIRST_STEPS = 5  # of a request that waits, whose targets are named


@dataclass(frozen=True)
class Waiting:
    """What waits, by kind; empty where this person's role does not show it.

    Attributes:
        more_risky: risky apps beyond those listed.
        acts: the kinds of which this person may say that they are dealt with.
    """

    approvals: list[RevocationRequest] = field(default_factory=list)
    reported: list[Reported] = field(default_factory=list)
    failed: list[RevocationRequest] = field(default_factory=list)
    more_failed: int = 0
    risky: list[ServicePrincipal] = field(default_factory=list)
    more_risky: int = 0
    acts: frozenset[str] = frozenset()
    may_change: bool = False

    @cached_property
    def count(self) -> int:
        lists = (self.approvals, self.reported, self.failed, self.risky)
        return sum(map(len, lists)) + self.more_failed + self.more_risky

    @cached_property
    def ids(self) -> set[UUID]:
        """The apps among it."""
        return {app.pk for app in self.risky} | {one.app_id for one in self.reported}


def waiting(membership: Membership, most: int = selectors.SHOWN) -> Waiting:
    """Everything that waits for this person, in a fixed number of queries. Lists are cut at `most`."""
    tenant, sees = membership.tenant, {kind for kind in Kind.values if selectors.may_see(membership, kind)}
    failed = selectors.failed(tenant) if Kind.FAILED in sees else []
    risky, more_risky = [], 0
    if Kind.RISKY in sees:
        found = selectors.risky(tenant)
        risky = [_with_reason(app) for app in found[:most]]
        more_risky = selectors.how_many(found) - len(risky)
    return Waiting(
        approvals=_with_targets(selectors.approvals(membership)),
        reported=selectors.reported(tenant, most) if Kind.REPORTED in sees else [],
        failed=failed[:most],
        more_failed=max(0, len(failed) - most),
        risky=risky,
        more_risky=more_risky,
        acts=frozenset(kind for kind in Kind.values if selectors.may_act(membership, kind)),
        may_change=membership.can(Capability.CHANGE_APPS),
    )


def _with_targets(requests: list[RevocationRequest]) -> list[RevocationRequest]:
    """Each with `first_targets`, whom or what its first steps are about: one query for all."""
    first: dict[UUID, list[str]] = {request.pk: [] for request in requests}
    if requests:
        steps = RevocationStep.objects.filter(request__in=requests, position__lt=FIRST_STEPS).order_by("position")
        for request_id, label in steps.values_list("request_id", "target_label"):
            first[request_id] += [] if label in first[request_id] else [label]
    for request in requests:
        request.first_targets = first[request.pk]
    return requests


def _with_reason(app: ServicePrincipal) -> ServicePrincipal:
    app.worst = worst_reason(app)
    return app


def worst_reason(app: ServicePrincipal) -> str:
    """Why the app is rated as it is, in one sentence; empty where nothing is said of it."""
    worst = worst_of(app)
    return str(worst.text) if worst else ""


def worst_of(app: ServicePrincipal) -> risk.Reason | None:
    """The reason to look at the app first."""
    return risk.lead(app.risk_reasons) or next(iter(risk.reasons(app.risk_reasons)), None)
