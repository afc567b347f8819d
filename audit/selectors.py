"""Reading the record, always of one tenant, newest first."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from audit.models import AuditEntry, AuditEvent

PAGE = 50


@dataclass(frozen=True)
class Page:
    """Some entries, newest first; `after` is the sequence to continue from, or None at the end."""

    items: list[AuditEntry]
    after: int | None


def entries(
    tenant_id: UUID,
    *,
    person: str = "",
    app: str = "",
    action: str = "",
    event: str = "",
    outcome: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    text: str = "",
    request_id: UUID | None = None,
) -> QuerySet[AuditEntry]:
    """A tenant's entries that match every filter given.

    Args:
        person: object id of someone who acted, approved or was acted upon.
        app: object id of a service principal that was acted upon.
        action: an action's name, an event, or an area.
        text: words looked for in names, reason and ticket.
    """
    found = AuditEntry.objects.filter(tenant_id=tenant_id)
    if person:
        found = found.filter(Q(actor_id=person) | Q(approver_id=person) | Q(target_id=person))
    if app:
        found = found.filter(Q(target_id=app) | Q(before__client_id=app) | Q(after__client_id=app))
    if action:
        found = found.filter(Q(action=action) | Q(event=action) | Q(event__in=AuditEvent.of(action)))
    if event:
        found = found.filter(event=event)
    if outcome:
        found = found.filter(outcome=outcome)
    if since:
        found = found.filter(at__gte=since)
    if until:
        found = found.filter(at__lt=until)
    if request_id:
        found = found.filter(request_id=request_id)
    for word in text.split():
        found = found.filter(
            Q(actor_label__icontains=word)
            | Q(approver_label__icontains=word)
            | Q(target_label__icontains=word)
            | Q(reason__icontains=word)
            | Q(ticket__icontains=word)
            | Q(target_id=word)
        )
    return found.order_by("-sequence")


def own_activity(
    tenant_id: UUID, object_id: UUID | str, *, without: Collection[AuditEvent] = ()
) -> QuerySet[AuditEntry]:
    """What a person did, and what was done to them, in this tenant; not the events named in `without`."""
    person = str(object_id)
    found = AuditEntry.objects.filter(Q(actor_id=person) | Q(target_id=person), tenant_id=tenant_id)
    return found.exclude(event__in=without).order_by("-sequence")


def page(found: QuerySet[AuditEntry], *, after: int | None = None, size: int = PAGE) -> Page:
    """One page by keyset: cost does not grow with how far one has paged."""
    if after is not None:
        found = found.filter(sequence__lt=after)
    rows = list(found[: size + 1])
    items = rows[:size]
    return Page(items, items[-1].sequence if len(rows) > size else None)
