"""Notices in about a second that PostgreSQL hangs: who waits for it is let go, and who comes is told at once.

Only in processes that serve people: a page that is a 503 after a second is better than one that holds a thread for as
long as a statement may take. Workers have that time, and wait.

One slow statement is no sign. When one is late and none was answered since it began, a connection that is kept for this
asks `SELECT 1`: what that costs a living server does not depend on how busy the machine is with new connections.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from django.db import DatabaseError, connection

LATE = 0.2  # seconds after which a statement makes us ask, which costs a living server next to nothing
PATIENCE = 1.0  # seconds in which a living server says 1
LOOKS = 0.1  # seconds between two looks at who waits

_watch: "Watch | None" = None


def start() -> None:
    """Watch, in this process and from now on."""
    global _watch
    if _watch is None:
        _watch = Watch()
        threading.Thread(target=_watch.go_on, daemon=True, name="database-watch").start()


@contextmanager
def waiting_for(known: psycopg.Connection | None = None) -> Iterator[None]:
    """Around a wait for an answer on a connection, or for a new one. Raises: OperationalError, where it hangs."""
    if _watch is None:
        yield
        return
    if _watch.hangs:
        if known:
            known.close()
        raise psycopg.OperationalError("PostgreSQL hangs")
    this = object()
    _watch.waits[this] = (time.monotonic(), known.pgconn.socket if known else -1)
    try:
        yield
        _watch.answered_at = time.monotonic()
    finally:
        _watch.waits.pop(this, None)


class Watch:
    """Who waits since when and on which socket, and what was found."""

    def __init__(self) -> None:
        self.waits: dict[object, tuple[float, int]] = {}
        self.answered_at = 0.0
        self.hangs = False

    def go_on(self) -> None:
        self._probe = connection.copy()  # of this thread: Django lets no other use it
        self._probe.settings_dict["OPTIONS"]["connect_timeout"] = 2  # the least that libpq takes
        self._probe.settings_dict |= {"DEADLINE": PATIENCE, "WATCHED": False}
        self._answers()
        pause = threading.Event()
        while not pause.wait(LOOKS):
            if self._someone_is_late() and not self._answers():
                self.hangs = True
                self._let_go()
                while not self._answers():
                    pause.wait(LOOKS)
                self.hangs = False

    def _someone_is_late(self) -> bool:
        oldest = min((since for since, _fd in tuple(self.waits.values())), default=None)
        return oldest is not None and oldest > self.answered_at and time.monotonic() - oldest > LATE

    def _answers(self) -> bool:
        """A server that is not there, or ends connections, does not hang: whoever waits hears that by itself."""
        began = time.monotonic()
        try:
            with self._probe.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            self._probe.close()
            return time.monotonic() - began < PATIENCE / 2
        return True

    def _let_go(self) -> None:
        """Shut the sockets: to the threads that wait it is as if the server had gone."""
        for _since, descriptor in tuple(self.waits.values()):
            with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as copy:
                copy.shutdown(socket.SHUT_RDWR)
