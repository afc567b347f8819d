"""Reading requests and their steps, always of one tenant."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Membership, Tenant
from revocation.models import RevocationRequest, RevocationStep
from revocation.showing import reporting
from revocation.showing.reporting import Figures


def requests(tenant: Tenant, *, state: str = "", kind: str = "", actor_id: str = "") -> QuerySet[RevocationRequest]:
    """The tenant's requests, newest first."""
    found = RevocationRequest.objects.filter(tenant=tenant).select_related("follows")
    if state:
        found = found.filter(state=state)
    if kind:
        found = found.filter(kind=kind)
    if actor_id:
        found = found.filter(actor_id=actor_id)
    return found.order_by("-created_at", "-pk")


def request(tenant: Tenant, request_id: UUID) -> RevocationRequest:
    """One request of this tenant.

    Raises:
        RevocationRequest.DoesNotExist: there is none, or it is another tenant's: the two look the same.
    """
    found = RevocationRequest.objects.select_related("follows").get(tenant=tenant, pk=request_id)
    found.tenant = tenant
    return found


def own_requests(membership: Membership) -> QuerySet[RevocationRequest]:
    """What this person asked for in their own tenant, newest first."""
    return requests(membership.tenant, actor_id=str(membership.user.object_id or membership.user.pk))


def progress(found: RevocationRequest) -> Figures:
    """How far a request has come: counts per state, rate and time left."""
    return reporting.figures(found)


def steps(found: RevocationRequest, state: str = "", after: int | None = None) -> QuerySet[RevocationStep]:
    """The steps of a request in their order, by keyset: those after this position."""
    listed = RevocationStep.objects.filter(tenant_id=found.tenant_id, request=found)
    if state:
        listed = listed.filter(state=state)
    if after is not None:
        listed = listed.filter(position__gt=after)
    return listed.order_by("position")
