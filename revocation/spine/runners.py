"""How many chains of tasks work on one tenant at a time, whatever number of messages the broker delivers.

A chain holds a place with a lease and hands it on in the message with which it asks for its next turn. A message
without a place takes a free one or ends there: so messages never pile up, and a lost one only costs a lease.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from revocation.models import Heartbeat

LEASE = timedelta(seconds=45)

_TAKE = """
UPDATE revocation_heartbeat SET at = %s WHERE name = (
    SELECT name FROM revocation_heartbeat WHERE name = ANY(%s) AND at < %s ORDER BY name LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING name
"""


def places() -> int:
    return settings.REVOCATION_RUNNERS_PER_TENANT


def take(tenant_id: UUID, held: str = "") -> str | None:
    """A place for this tenant, as text to be handed on; the one in `held` where that is still ours."""
    now = timezone.now()
    until = now + LEASE
    name, _at, lease = held.partition("@")
    if name:
        found = Heartbeat.objects.filter(name=name, at=datetime.fromisoformat(lease)).update(at=until)
        return _text(name, until) if found else None
    names = [f"runner:{tenant_id}:{number}" for number in range(places())]
    for attempt in range(2):
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [until, names, now])
            row = cursor.fetchone()
        if row:
            return _text(row[0], until)
        if attempt == 0:
            Heartbeat.objects.bulk_create(
                [Heartbeat(name=name, at=now - LEASE) for name in names], ignore_conflicts=True
            )
    return None


def give_back(held: str) -> None:
    name, _at, lease = held.partition("@")
    Heartbeat.objects.filter(name=name, at=datetime.fromisoformat(lease)).update(at=timezone.now())


def _text(name: str, until: datetime) -> str:
    return f"{name}@{until.isoformat()}"
