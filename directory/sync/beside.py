"""Work beside the work: in a thread of its own, on a connection to the database of its own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Self, TypeVar

from django.db import connection, connections

T = TypeVar("T")


class Lane:
    """Where work of one turn goes on beside it, one piece after the other. Ends with the `with` block, after the last.

    Inside a transaction nobody else sees what the caller has written: there, all is done at once and by the caller.
    """

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self.awaited = False  # the turn has nothing to do but to wait for what goes on here
        self.broken_off = False  # nobody will take what comes of it

    def start(self, work: Callable[[], T]) -> Future[T]:
        """Begin it, in the caller's tenant: row-level security shows this connection no other's rows."""
        if connection.in_atomic_block:
            return _done(work)
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="beside")
        return self._thread.submit(copy_context().run, work)

    def result(self, work: Future[T]) -> T:
        """What came of it, waited for. Raises what it raised."""
        self.awaited = True
        try:
            return work.result()
        finally:
            self.awaited = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.awaited, self.broken_off = True, error is not None
        if self._thread is not None:
            self._thread.submit(connections.close_all)  # that thread's
            self._thread.shutdown(wait=True)


def _done(work: Callable[[], T]) -> Future[T]:
    done: Future[T] = Future()
    try:
        done.set_result(work())
    except Exception as error:
        done.set_exception(error)
    return done
