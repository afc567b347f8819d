"""Writing the record. Fail closed: what cannot be recorded raises, and the caller's transaction goes with it."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from audit import canonical, chain, keys, personal
from audit.models import AuditEntry, AuditEvent, ChainHead


class Someone(Protocol):
    """Who acted: `accounts.access.Actor`, or anything with an id and a label."""

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An entry to be written. Ids and labels only: never a token, a secret or a message's content.

    Attributes:
        about: the one person whom the texts of an entry name that has another target: a request's title, say.
    """

    event: AuditEvent
    tenant_id: UUID
    actor: Someone
    approver: Someone | None = None
    about: Someone | None = None
    action: str = ""
    target_type: str = ""
    target_id: str = ""
    target_label: str = ""
    outcome: str = ""
    reason: str = ""
    ticket: str = ""
    request_id: UUID | None = None
    graph_request_id: str = ""
    before: Any = None
    after: Any = None


# Longer text is cut rather than refused: a long name must not stop a sign-out from being recorded.
_LIMITS = {f.attname: f.max_length for f in AuditEntry._meta.concrete_fields if getattr(f, "max_length", None)}
# What was signed is what is stored. One parameter: the ORM spends most of a mass action's time on 20 for each row.
_APPEND = """
WITH written AS (INSERT INTO audit_auditentry SELECT * FROM json_populate_recordset(NULL::audit_auditentry, %s))
UPDATE audit_chainhead SET sequence = %s, mac = %s WHERE tenant_id = %s
"""
_HEAD = "SELECT sequence, mac FROM audit_chainhead WHERE tenant_id = %s FOR UPDATE"
_COPIED = [f.name for f in fields(Draft) if f.name not in {"actor", "approver", "about", "before", "after"}]


def record(event: AuditEvent, *, tenant_id: UUID, actor: Someone, **details: Any) -> AuditEntry:
    """Append one entry to a tenant's chain, in the caller's transaction. `details` are fields of Draft."""
    return record_many([Draft(event=event, tenant_id=tenant_id, actor=actor, **details)])[0]


def record_on_tenant(
    event: AuditEvent, tenant_id: UUID, name: str = "", *, actor: Someone, on: UUID | None = None, **details: Any
) -> AuditEntry:
    """`record`, about a tenant as a whole.

    Args:
        name: of the tenant.
        on: whose record; the tenant's own without it.
    """
    about = {"target_type": "tenant", "target_id": str(tenant_id), "target_label": name}
    return record(event, tenant_id=on or tenant_id, actor=actor, **about, **details)


def record_many(drafts: Sequence[Draft]) -> list[AuditEntry]:
    """Append entries in the order given, by three statements per tenant: the chain's lock, the names, the entries.

    The lock is held until the caller's transaction ends, so call this last, just before it does.

    Raises:
        ImproperlyConfigured: AUDIT_KEYS holds no usable key.
        DatabaseError: this unit of work may not write to that tenant, or the database refused.
    """
    by_tenant: dict[UUID, list[int]] = defaultdict(list)
    for place, draft in enumerate(drafts):
        by_tenant[UUID(str(draft.tenant_id))].append(place)
    written: dict[int, AuditEntry] = {}
    with transaction.atomic(savepoint=False):  # a caller who went on without its entries could commit nothing
        for tenant_id in sorted(by_tenant):  # always the same order of locks
            places = by_tenant[tenant_id]
            entries = _append(tenant_id, [drafts[place] for place in places])
            written.update(zip(places, entries, strict=True))
    return [written[place] for place in range(len(drafts))]


def _append(tenant_id: UUID, drafts: list[Draft]) -> list[AuditEntry]:
    key_id = keys.newest()
    with connection.cursor() as cursor:
        sequence, mac = _locked(cursor, tenant_id)
        names = personal.names_of(cursor, tenant_id, drafts)
        entries, rows = _chained(tenant_id, drafts, names, key_id, sequence, mac)
        cursor.execute(_APPEND, [json.dumps(rows), entries[-1].sequence, entries[-1].mac, tenant_id])
    return entries


def _locked(cursor: CursorWrapper, tenant_id: UUID) -> tuple[int, bytes]:
    """Number and MAC of the newest entry; nobody else appends until the transaction ends."""
    cursor.execute(_HEAD, [tenant_id])
    if (head := cursor.fetchone()) is None:
        ChainHead.objects.bulk_create([ChainHead(tenant_id=tenant_id, mac=chain.GENESIS)], ignore_conflicts=True)
        cursor.execute(_HEAD, [tenant_id])
        head = cursor.fetchone()
    return head[0], bytes(head[1])


def _chained(
    tenant_id: UUID, drafts: list[Draft], names: list[personal.Names], key_id: str, sequence: int, mac: bytes
) -> tuple[list[AuditEntry], list[dict[str, Any]]]:
    """The entries that follow this one, and their rows."""
    # The clock is read under the lock, so that time never runs backwards along a chain.
    now, entries, rows = timezone.now(), [], []
    for draft, its in zip(drafts, names, strict=True):
        sequence += 1
        entry = _entry(draft, tenant_id, sequence, now, key_id, its)
        said = chain.fields_of(entry)
        entry.mac = mac = chain.mac(mac, said)
        entries.append(entry)
        rows.append({**said, "mac": f"\\x{mac.hex()}"})
    return entries, rows


def _entry(
    draft: Draft, tenant_id: UUID, sequence: int, at: datetime, key_id: str, names: personal.Names
) -> AuditEntry:
    values = {name: getattr(draft, name) for name in _COPIED}
    values |= {"actor_id": draft.actor.id, "actor_label": draft.actor.label}
    if draft.approver:
        values |= {"approver_id": draft.approver.id, "approver_label": draft.approver.label}
    for name, value in values.items():
        if name not in ("tenant_id", "request_id"):
            limit = _LIMITS.get(name)
            text = canonical.text(str(value))[:limit]
            values[name] = personal.cut(personal.veil(text, names), limit) if name in personal.NAMING else text
    values["tenant_id"] = tenant_id
    values["request_id"] = UUID(str(draft.request_id)) if draft.request_id else None
    return AuditEntry(
        id=uuid4(),
        sequence=sequence,
        at=at,
        key_id=key_id,
        before=personal.veil_all(canonical.plain(draft.before), names),
        after=personal.veil_all(canonical.plain(draft.after), names),
        **values,
    )
