"""What changes of a directory are called in the record's sentences. Whoever makes them says so when the portal starts.

The record is on a lower floor than what it records, so it asks nobody there.
"""

from collections.abc import Callable, Mapping

from django.utils.functional import Promise

_done: dict[str, str | Promise] = {}
_names: list[Callable[[str], str]] = []


def register(done: Mapping[str, str | Promise], name: Callable[[str], str]) -> None:
    """Take in sentences by kind of request, with {who} and {target}, and a way to name an action."""
    _done.update(done)
    _names.append(name)


def done(kind: str) -> str | Promise | None:
    """The sentence for a request of this kind that did to one target what it was asked for; None where it has none."""
    return _done.get(kind)


def name_of(action: str) -> str:
    """An action in words; by its own name where nobody knows it."""
    return next((words for name in _names if (words := name(action)) != action), action)
