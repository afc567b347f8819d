"""How many processes work on one tenant at a time, whatever number of messages the broker delivers.

A place is a session lock of PostgreSQL: it is gone with the process that held it, so a killed worker blocks nobody.
A message that finds every place taken ends there: so messages never pile up.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from django.conf import settings
from django.db import Error, connection

from revocation.spine import budget

ENOUGH_FOR_ONE = 100.0  # writes a second that one process manages, however slowly Microsoft answers


def places() -> int:
    """One process empties a window of Microsoft's quota in seconds; a second would only crowd the machine."""
    rule = budget.tenant_rule()
    return 1 if rule and rule.rate <= ENOUGH_FOR_ONE else settings.REVOCATION_RUNNERS_PER_TENANT


@contextmanager
def place(tenant_id: UUID) -> Iterator[bool]:
    """Whether this process may work on the tenant now; a place it got is free again afterwards."""
    key = next((key for key in _keys(tenant_id) if _locked(key)), None)
    try:
        yield key is not None
    finally:
        if key is not None:
            with suppress(Error):  # a connection that broke took the lock with it
                _call("pg_advisory_unlock", key)


def _keys(tenant_id: UUID) -> Iterator[int]:
    for number in range(places()):
        name = hashlib.blake2b(f"runner:{tenant_id}:{number}".encode(), digest_size=8).digest()
        yield int.from_bytes(name, "big", signed=True)


def _locked(key: int) -> bool:
    return _call("pg_try_advisory_lock", key)


def _call(function: str, key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [key])
        return cursor.fetchone()[0]
