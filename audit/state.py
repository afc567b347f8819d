"""What a page can say about a chain without reading all of it: its end, and how much of it is sealed outside."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from audit import chain, heads, keys
from audit.chain import Head
from audit.heads import Lag
from audit.models import AuditEntry, ChainHead

TAIL = 100  # newest entries whose MACs are checked each time the page is opened


@dataclass(frozen=True)
class ChainState:
    """`faults` are about the newest entries only; the whole chain is `chain.verify`'s to judge."""

    entries: int
    checked: int
    faults: list[str]
    archived: int  # the last entry that left the database for the archive; 0 where none did
    lag: Lag  # what no signed head outside the database vouches for yet

    @property
    def ok(self) -> bool:
        return not self.faults

    @property
    def sealed(self) -> int:
        """Entries that a signed head outside the database vouches for."""
        return self.lag.sealed.sequence if self.lag.sealed else 0

    @property
    def sealed_at(self) -> datetime | None:
        return datetime.fromisoformat(self.lag.sealed.at) if self.lag.sealed else None


def state_of(tenant_id: UUID) -> ChainState:
    """Check the newest entries against each other, the head, and the newest signed head. Four queries."""
    lag = heads.lag(tenant_id)  # first, so that it is never newer than what is read after it
    head = ChainHead.objects.filter(tenant_id=tenant_id).first()
    rows = list(AuditEntry.objects.filter(tenant_id=tenant_id).order_by("-sequence")[: TAIL + 1])
    start = chain.start(tenant_id)
    faults = _tail_faults(rows[::-1], start)
    # An entry written between the two queries is no fault; one the head knows and the table has lost is.
    if head and (not rows or rows[0].sequence < head.sequence):
        faults.append("The head names an entry that is not there: the end of the record is missing.")
    if lag.sealed and lag.sealed.sequence > (rows[0].sequence if rows else 0):
        faults.append("A signed head recorded more entries than there are: the end of the record is missing.")
    return ChainState(head.sequence if head else 0, len(rows[:TAIL]), faults, start.sequence, lag)


def _tail_faults(rows: list[AuditEntry], start: Head) -> list[str]:
    """Faults among rows, oldest first. The first is only there for the next one's MAC, unless it follows `start`."""
    faults: list[str] = []
    order = keys.Order()
    for before, entry in pairwise([None, *rows]):
        if before is None and entry.sequence != start.sequence + 1:
            if len(rows) <= TAIL:
                faults.append(f"Entry {entry.sequence} should not be the first.")
            continue
        previous = bytes(before.mac) if before else bytes.fromhex(start.mac)
        faults += chain.entry_faults(
            str(entry.tenant_id),
            previous,
            before.sequence if before else start.sequence,
            chain.fields_of(entry),
            bytes(entry.mac).hex(),
            order,
        )
    return faults
