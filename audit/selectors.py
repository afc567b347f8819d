"""Reading the record, always of one tenant, newest first."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet, Value
from django.db.models.lookups import IContains

from audit import personal
from audit.models import AuditEntry, AuditEvent, Redaction

PAGE = 50
IN_TITLES = 20  # names that fit a word and are looked for inside of longer texts too


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
        found = found.filter(_said(tenant_id, word) | Q(ticket__icontains=word) | Q(target_id=word))
    return found.order_by("-sequence")


def _said(tenant_id: UUID, word: str) -> Q:
    """Entries with this word in a name or a reason; of what is withheld nobody learns by looking for it."""
    names = personal.references_to(tenant_id, word)
    said, named = Q(), Q(actor_label__in=names) | Q(approver_label__in=names) | Q(target_label__in=names)
    for field in ("actor_label", "approver_label"):
        said |= Q(**{f"{field}__icontains": word}) & ~Q(**{f"{field}__startswith": personal.OPEN})
    for field in ("target_label", "reason"):
        said |= Q(IContains(personal.without_references(field), Value(word)))
    for name in names[:IN_TITLES]:
        named |= Q(target_label__contains=name) | Q(reason__contains=name)
    withheld = Redaction.objects.filter(tenant_id=tenant_id).values("sequence")
    return named | (said & ~Q(sequence__in=withheld))


def own_activity(
    tenant_id: UUID, object_id: UUID | str, *, without: Collection[AuditEvent] = ()
) -> QuerySet[AuditEntry]:
    """What a person did, and what was done to them, in this tenant; not the events named in `without`."""
    person = str(object_id)
    found = AuditEntry.objects.filter(Q(actor_id=person) | Q(target_id=person), tenant_id=tenant_id)
    return found.exclude(event__in=without).order_by("-sequence")


def page(found: QuerySet[AuditEntry], *, after: int | None = None, size: int = PAGE) -> Page:
    """One page by keyset, with people's names in it: cost does not grow with how far one has paged."""
    if after is not None:
        found = found.filter(sequence__lt=after)
    rows = list(found[: size + 1])
    items = rows[:size]
    if items:
        personal.reveal(items[0].tenant_id, items)
    return Page(items, items[-1].sequence if len(rows) > size else None)
