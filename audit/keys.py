"""The keys of the audit chain (`accounts.keys`), and the order in which they may sign along it."""

from datetime import datetime, timedelta

from accounts.keys import UnknownKey, derive, known, newest

__all__ = ["Order", "UnknownKey", "derive", "known", "newest"]

# While a new key is brought in, processes that were not restarted yet go on signing with the one before it.
OVERLAP = timedelta(hours=1)


class Order:
    """That keys only move forward along a chain: without it, a key that leaked would go on signing after its rotation.

    Ask in the order of the chain, and only about entries whose MAC holds.
    """

    def __init__(self) -> None:
        self._rank = {key_id: rank for rank, key_id in enumerate(known())}
        self._since: dict[int, datetime] = {}
        self._latest = datetime.min

    def is_broken_by(self, key_id: str, at: str) -> bool:
        """Whether the key of an entry written `at` had been replaced by then. Times set back help nobody."""
        rank = self._rank[key_id]
        self._latest = max(self._latest, datetime.fromisoformat(at).replace(tzinfo=None))
        self._since.setdefault(rank, self._latest)
        replaced = min((since for newer, since in self._since.items() if newer < rank), default=None)
        return replaced is not None and self._latest - replaced > OVERLAP
