"""Locks by name that all processes of the portal share; PostgreSQL keeps them.

They end with their transaction or their connection, so a process that dies leaves none behind.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from django.db import Error, connection


def wait(name: str, *, shared: bool = False) -> None:
    """Wait until nobody else holds this lock, and hold it until the end of the transaction.

    Args:
        shared: hold it together with others who share it, and with nobody who does not.
    """
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [key(name)])


@contextmanager
def first_free(names: Iterable[str]) -> Iterator[bool]:
    """Hold the first of these locks that is free; yields False, at once, where none is."""
    mine = next((number for name in names if _call("pg_try_advisory_lock", number := key(name))), None)
    try:
        yield mine is not None
    finally:
        if mine is not None and connection.connection is not None:
            with suppress(Error):  # a connection that broke took the lock with it
                _call("pg_advisory_unlock", mine)


def key(name: str) -> int:
    """The number PostgreSQL knows the lock by."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def _call(function: str, number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [number])
        return cursor.fetchone()[0]
