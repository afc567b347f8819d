"""What `accounts` announced while a test ran."""

from collections.abc import Iterator
from contextlib import contextmanager

from accounts import signals

NAMES = ["signed_in", "sign_in_refused", "session_ended", "stepped_up", "membership_granted", "membership_revoked"]


@contextmanager
def announcements() -> Iterator[list[tuple[str, dict]]]:
    heard: list[tuple[str, dict]] = []
    listeners = {name: _listener(name, heard) for name in NAMES}
    for name, listener in listeners.items():
        getattr(signals, name).connect(listener)
    try:
        yield heard
    finally:
        for name, listener in listeners.items():
            getattr(signals, name).disconnect(listener)


def _listener(name: str, heard: list):
    def listen(sender=None, signal=None, **details) -> None:
        heard.append((name, details))

    return listen
