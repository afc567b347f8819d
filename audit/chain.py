"""The keyed chain: each entry's MAC covers the one before it and everything the entry says.

    mac = HMAC-SHA256(key of the tenant, previous mac || canonical JSON of all other fields)

Integrity (nothing was edited, inserted, swapped or taken from the middle) follows from the chain alone.
Completeness (nothing was cut off the end) needs something outside the database: the signed heads that
`audit.heads` exports. The two are reported apart.
"""

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from uuid import UUID

from audit import canonical, keys
from audit.models import AuditEntry, ChainHead, Segment

GENESIS = bytes(32)
# Everything an entry says. A field left out here could be edited without anyone noticing: a test compares.
SIGNED_FIELDS = tuple(f.attname for f in AuditEntry._meta.concrete_fields if f.attname != "mac")
MAX_FAULTS = 100


@dataclass(frozen=True)
class Head:
    """How far a chain had come at some time."""

    tenant_id: str
    sequence: int
    mac: str  # hex
    at: str = field(default="", compare=False)  # when it was signed, as `canonical.instant` writes it


@dataclass(frozen=True)
class Passed:
    """Entries that are not here to be read, from `first` to the one that `head` names: the chain goes on from that."""

    first: int
    head: Head


Row = tuple[dict[str, Any], str] | Passed


@dataclass
class Report:
    """What a verification found. Empty lists mean nothing was found wrong.

    Attributes:
        integrity: what was changed.
        completeness: what is missing.
        unproven: why it cannot be shown that nothing is missing, where by now it should be possible.
        notes: what a reader should know; no fault.
    """

    tenant_id: str
    entries: int = 0
    integrity: list[str] = field(default_factory=list)
    completeness: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    head: Head | None = None

    @property
    def ok(self) -> bool:
        return self.untouched and not self.unproven

    @property
    def untouched(self) -> bool:
        """Nothing contradicts the record."""
        return not self.integrity and not self.completeness


def fields_of(entry: AuditEntry) -> dict[str, Any]:
    """All signed fields of an entry, as plain JSON."""
    values = {name: getattr(entry, name) for name in SIGNED_FIELDS}
    values["at"] = canonical.instant(entry.at)
    return {name: value if name in ("before", "after") else canonical.plain(value) for name, value in values.items()}


def mac(previous: bytes, fields: dict[str, Any]) -> bytes:
    """The MAC of an entry that follows `previous`. Raises keys.UnknownKey."""
    key = keys.derive(fields["key_id"], "entry", str(fields["tenant_id"]))
    return hmac.digest(key, previous + canonical.encode(fields), "sha256")


def verify(tenant_id: UUID, heads: Iterable[Head] = (), archived: Iterable[Row] | None = None) -> Report:
    """Check a tenant's live chain, in constant memory.

    Writers may go on meanwhile: the stored head is read before the entries, which must then reach it.

    Args:
        heads: exported ones it must still contain.
        archived: what left the database (`audit.archive`); passed over without it.
    """
    before = _stored_head(tenant_id)
    rows = chain(passed(tenant_id) if archived is None else archived, live(tenant_id))
    report = verify_rows(str(tenant_id), rows, [*heads, *([before] if before and before.sequence else [])])

    after = _stored_head(tenant_id)
    if report.entries and after is None:
        report.completeness.append("The chain has entries but its head is missing.")
    elif after and after.sequence < report.head.sequence:
        report.integrity.append(f"The head stands at {after.sequence}, before the newest entry found.")
    return report


def live(tenant_id: UUID, *, after: int | None = None, upto: int | None = None) -> Iterator[tuple[dict[str, Any], str]]:
    """The entries in the database, in their order; every one, whatever its number, unless told otherwise."""
    entries = AuditEntry.objects.filter(tenant_id=tenant_id).order_by("sequence", "id")
    if after is not None:
        entries = entries.filter(sequence__gt=after)
    if upto is not None:
        entries = entries.filter(sequence__lte=upto)
    for entry in entries.iterator(chunk_size=1000):
        yield fields_of(entry), bytes(entry.mac).hex()


def passed(tenant_id: UUID) -> list[Passed]:
    """The entries that left the database, as its own rows say."""
    segments = Segment.objects.filter(tenant_id=tenant_id).order_by("last")
    return [Passed(one.first, Head(str(tenant_id), one.last, bytes(one.mac).hex())) for one in segments]


def start(tenant_id: UUID) -> Head:
    """What the entries in the database go on from: the last one that left it, or the beginning of the chain."""
    last = Segment.objects.filter(tenant_id=tenant_id).order_by("last").last()
    return Head(str(tenant_id), last.last, bytes(last.mac).hex()) if last else Head(str(tenant_id), 0, GENESIS.hex())


def mac_at(tenant_id: UUID, sequence: int) -> str:
    """The MAC of an entry, in hex, as far as the database knows it; empty where it does not."""
    for rows in (
        AuditEntry.objects.filter(tenant_id=tenant_id, sequence=sequence),
        Segment.objects.filter(tenant_id=tenant_id, last=sequence),
    ):
        if (mac := rows.values_list("mac", flat=True).first()) is not None:
            return bytes(mac).hex()
    return ""


def _stored_head(tenant_id: UUID) -> Head | None:
    head = ChainHead.objects.filter(tenant_id=tenant_id).first()
    return Head(str(tenant_id), head.sequence, bytes(head.mac).hex()) if head else None


def verify_rows(tenant_id: str, rows: Iterable[Row], heads: Iterable[Head] = ()) -> Report:
    """Check entries (fields, MAC in hex) in the order they are given, which must be the order of the chain."""
    report = Report(tenant_id, head=Head(tenant_id, 0, GENESIS.hex()))
    heads = [head for head in heads if head.tenant_id == tenant_id]
    expected_heads = {head.sequence: head.mac for head in heads}
    report.integrity.extend(_contradictions(heads))

    previous, sequence, order = GENESIS, 0, keys.Order()
    for row in rows:
        if isinstance(row, Passed):
            if row.first != sequence + 1:
                report.integrity.append(f"Entry {row.first} follows entry {sequence}: something between is missing.")
            for number in [number for number in expected_heads if row.first <= number <= row.head.sequence]:
                if expected_heads.pop(number) != row.head.mac and number == row.head.sequence:
                    report.integrity.append(f"Entry {number} is not the one that a signed head recorded.")
            report.entries += row.head.sequence - row.first + 1
            report.head, previous, sequence = row.head, _bytes(row.head.mac), row.head.sequence
            continue
        fields, found = row
        report.entries += 1
        faults = list(entry_faults(tenant_id, previous, sequence, fields, found, order))
        if len(report.integrity) < MAX_FAULTS:
            report.integrity.extend(faults)
        # Go on from what is there, so that one fault is named once and later ones are still found.
        sequence = fields.get("sequence") if isinstance(fields.get("sequence"), int) else sequence + 1
        previous = _bytes(found)
        if (signed := expected_heads.pop(sequence, None)) is not None and signed != found:
            report.integrity.append(f"Entry {sequence} is not the one that a signed head recorded.")
        report.head = Head(tenant_id, sequence, found)

    beyond = [number for number in expected_heads if number > sequence]
    if beyond:
        report.completeness.append(
            f"A signed head recorded {max(beyond)} entries; the newest found is {sequence}: the end is missing."
        )
    missing = sorted(number for number in expected_heads if 0 < number <= sequence)
    report.integrity.extend(f"Entry {number}, recorded by a signed head, is missing." for number in missing)
    return report


def entry_faults(
    tenant_id: str, previous: bytes, sequence: int, fields: dict, found: str, order: keys.Order
) -> Iterator[str]:
    """What is wrong with an entry that should follow the one with this MAC and number."""
    number = fields.get("sequence")
    if number != sequence + 1:
        yield f"Entry {number} follows entry {sequence}: an entry is missing, inserted or out of order."
    if str(fields.get("tenant_id")) != tenant_id:
        yield f"Entry {number} belongs to another tenant."
    try:
        expected = mac(previous, fields)
    except keys.UnknownKey as unknown:
        yield f"Entry {number} is signed with the unknown key {unknown}."
    except (KeyError, TypeError, ValueError):
        yield f"Entry {number} cannot be read."
    else:
        if not hmac.compare_digest(expected, _bytes(found)):
            yield f"Entry {number} or the one before it was changed: its MAC does not match."
        elif order.is_broken_by(fields["key_id"], fields["at"]):
            yield f"Entry {number} is signed with the key {fields['key_id']}, which had been replaced by then."


def _contradictions(heads: Iterable[Head]) -> list[str]:
    seen: dict[int, str] = {}
    faults = []
    for head in heads:
        if seen.setdefault(head.sequence, head.mac) != head.mac:
            faults.append(f"Two signed heads disagree about entry {head.sequence}: the chain was rewritten.")
    return faults


def _bytes(value: str) -> bytes:
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError):
        return b""
