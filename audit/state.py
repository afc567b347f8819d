"""What a page can say about a chain without reading all of it: its end, and how much of it is sealed outside."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from audit import chain, heads
from audit.models import AuditEntry, ChainHead

TAIL = 100  # newest entries whose MACs are checked each time the page is opened


@dataclass(frozen=True)
class ChainState:
    """`faults` are about the newest entries only; the whole chain is `chain.verify`'s to judge."""

    entries: int
    checked: int
    faults: list[str]
    sealed: int  # entries that a signed head outside the database vouches for
    sealed_at: datetime | None

    @property
    def ok(self) -> bool:
        return not self.faults


def state_of(tenant_id: UUID) -> ChainState:
    """Check the newest entries against each other, the head, and the newest signed head. Two queries."""
    head = ChainHead.objects.filter(tenant_id=tenant_id).first()
    rows = list(AuditEntry.objects.filter(tenant_id=tenant_id).order_by("-sequence")[: TAIL + 1])
    faults = _tail_faults(rows)
    # An entry written between the two queries is no fault; one the head knows and the table has lost is.
    if head and (not rows or rows[0].sequence < head.sequence):
        faults.append("The head names an entry that is not there: the end of the record is missing.")
    exported, wrong = heads.load(settings.AUDIT_HEADS_DIR, tenant_id)
    faults += wrong
    last = exported[-1] if exported else None
    if last and last.sequence > (rows[0].sequence if rows else 0):
        faults.append("A signed head recorded more entries than there are: the end of the record is missing.")
    path = settings.AUDIT_HEADS_DIR / f"{tenant_id}.jsonl"
    sealed_at = datetime.fromtimestamp(path.stat().st_mtime).astimezone() if last else None
    return ChainState(head.sequence if head else 0, len(rows[:TAIL]), faults, last.sequence if last else 0, sealed_at)


def _tail_faults(rows: list[AuditEntry]) -> list[str]:
    """Faults among rows that come newest first. The oldest is only there for the next one's MAC, unless it is first."""
    faults: list[str] = []
    pairs = list(zip(rows, [*rows[1:], None], strict=False))
    for entry, before in pairs[:TAIL]:
        if before is None and entry.sequence != 1:
            faults.append(f"Entry {entry.sequence} should not be the first.")
            continue
        previous = bytes(before.mac) if before else chain.GENESIS
        sequence = before.sequence if before else 0
        faults += chain.entry_faults(
            str(entry.tenant_id), previous, sequence, chain.fields_of(entry), bytes(entry.mac).hex()
        )
    return faults
