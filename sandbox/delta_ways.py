"""What documents leave open about delta, or allow it to do: how the sandbox plays it.

https://learn.microsoft.com/graph/delta-query-overview
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class DeltaWays:
    """`generation` stands in every token: another one makes all that were given out before worth nothing."""

    partial: bool = True  # a changed object comes with what changed about it alone: "at least" that is promised
    replays: bool = False  # every round tells once more what the one before told
    shuffled: bool = False  # every state an object went through comes by itself, in any order
    silent_ties: bool = False  # grants that go and come with their app or person are not told of
    untracked: list[str] = field(default_factory=list)  # properties that cannot be followed: 501
    generation: str = field(default_factory=lambda: secrets.token_hex(4))

    def settings(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "generation"}

    def configure(self, given: dict[str, Any]) -> None:
        """Change switches; `{"reset": True}` makes every token worthless.

        Raises:
            ValueError: an unknown name. Nothing was changed.
        """
        if unknown := set(given) - set(self.settings()) - {"reset"}:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        if given.get("reset"):
            self.generation = secrets.token_hex(4)
        for name, value in given.items():
            if name != "reset":
                setattr(self, name, value)
