"""How often each thing happened in a tenant, for counters: the record only grows, so its counts only rise.

What was counted once is remembered in this process, so that a look costs what was written since the last one. Every
process arrives at the same counts, whichever is asked and however often it was restarted.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, Count, QuerySet, Value, When
from django.db.models.fields.json import KT

from accounts import everywhere
from accounts.everywhere import HERE, number_given
from audit.models import AuditEntry, AuditEvent, ChainHead, Segment


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


def of_all(tenant_ids: Iterable[UUID]) -> dict[UUID, Tally]:
    """Everything in these tenants' records up to now. One statement, two where a database was restored."""
    found = _asked(tenant_ids)
    if strange := [tenant_id for tenant_id, tally in found.items() if tally is None]:
        for tenant_id in strange:
            _counted.pop(tenant_id, None)  # the database is another one: restored from a backup
        found |= _asked(strange)
    return found


def _asked(tenant_ids: Iterable[UUID]) -> dict[UUID, Tally | None]:
    """None where what was counted is not what the database holds."""
    known = {tenant_id: _counted.get(tenant_id, Tally()) for tenant_id in tenant_ids}
    answers = everywhere.ask(_questions(), {tenant_id: {"counted": one.sequence} for tenant_id, one in known.items()})
    found = {tenant_id: _further(one, answers[tenant_id]) for tenant_id, one in known.items()}
    _counted.update({tenant_id: tally for tenant_id, tally in found.items() if tally})
    return found


def _questions() -> dict[str, QuerySet]:
    counted = number_given("counted")
    entries = AuditEntry.objects.filter(tenant_id=HERE).order_by()
    archived = Segment.objects.filter(tenant_id=HERE).order_by("last")
    put_off = When(event=AuditEvent.STEP_RETRIED, then=KT("after__code"))
    code = Case(put_off, default=Value(None), output_field=CharField())
    return {
        "head": ChainHead.objects.filter(tenant_id=HERE).values("sequence", "mac"),
        "last counted": entries.filter(sequence=counted).values("mac"),
        "last counted, archived": archived.filter(last=counted).values("mac"),
        "archived": archived.values("counts"),
        "new": entries.filter(sequence__gt=counted).annotate(code=code).values("event", "code").annotate(n=Count("pk")),
    }


def _further(known: Tally, answers: dict[str, list[dict[str, Any]]]) -> Tally | None:
    if not answers["head"]:
        return None if known.sequence else Tally()
    events, codes = Counter(known.events), Counter(known.codes)
    if known.sequence:
        macs = [row["mac"] for row in answers["last counted"] + answers["last counted, archived"]]
        if macs[:1] != [f"\\x{known.mac.hex()}"]:
            return None
    else:
        for row in answers["archived"]:  # what entries came to that left the database
            events += Counter(row["counts"]["events"])
            codes += Counter(row["counts"]["codes"])
    for row in answers["new"]:
        events[row["event"]] += row["n"]
        if row["code"]:
            codes[row["code"]] += row["n"]
    (head,) = answers["head"]
    return Tally(head["sequence"], bytes.fromhex(head["mac"][2:]), events, codes)
