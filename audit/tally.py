"""How often each thing happened in a tenant, for counters: the record only grows, so its counts only rise.

What was counted once is remembered in this process, so that a look costs what was written since the last one. Every
process arrives at the same counts, whichever is asked and however often it was restarted.
"""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Case, CharField, Count, Value, When
from django.db.models.fields.json import KT

from audit.models import AuditEntry, AuditEvent, ChainHead


@dataclass(frozen=True)
class Tally:
    """Up to which entry was counted, and what.

    Attributes:
        codes: why steps were put off, by Microsoft's code.
    """

    sequence: int = 0
    mac: bytes = b""
    events: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)


_counted: dict[UUID, Tally] = {}


def of(tenant_id: UUID) -> Tally:
    """Everything in the tenant's record up to now. Needs the tenant's context."""
    head = ChainHead.objects.filter(tenant_id=tenant_id).first()
    if head is None:
        return Tally()
    known = _counted.get(tenant_id, Tally())
    if known.sequence and not _still_stands(tenant_id, known):
        known = Tally()  # the database is another one: restored from a backup
    if head.sequence > known.sequence:
        known = _counted[tenant_id] = _further(tenant_id, known, head)
    return known


def _still_stands(tenant_id: UUID, known: Tally) -> bool:
    at = AuditEntry.objects.filter(tenant_id=tenant_id, sequence=known.sequence).values_list("mac", flat=True).first()
    return at is not None and bytes(at) == known.mac


def _further(tenant_id: UUID, known: Tally, head: ChainHead) -> Tally:
    new = AuditEntry.objects.filter(
        tenant_id=tenant_id, sequence__gt=known.sequence, sequence__lte=head.sequence
    ).order_by()
    put_off = When(event=AuditEvent.STEP_RETRIED, then=KT("after__code"))
    code = Case(put_off, default=Value(None), output_field=CharField())
    events, codes = Counter(known.events), Counter(known.codes)
    for event, why, count in new.annotate(code=code).values_list("event", "code").annotate(n=Count("pk")):
        events[event] += count
        if why:
            codes[why] += count
    return Tally(head.sequence, bytes(head.mac), events, codes)
