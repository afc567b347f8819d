"""One id for everything that one request, or one task, brings about: in our logs, and in what Microsoft is asked.

Microsoft's support finds a call by its `client-request-id`, which is ours.
https://learn.microsoft.com/graph/best-practices-concept#handling-expected-errors
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

HEADER = "client-request-id"

_current: ContextVar[str] = ContextVar("correlation", default="")


@contextmanager
def known_as(name: str) -> Iterator[None]:
    """Call what this thread does meanwhile by this id."""
    before = _current.set(name)
    try:
        yield
    finally:
        _current.reset(before)


def begin(name: str) -> None:
    """The same for a process that does one thing after the other, each with an id of its own."""
    _current.set(name)


def current() -> str:
    """The id of what is being done; empty where nothing has one."""
    return _current.get()


def for_microsoft() -> str:
    """The id as Microsoft wants it, a GUID; empty where ours is none (a proxy's may be anything)."""
    try:
        return str(UUID(_current.get()))
    except ValueError:
        return ""
