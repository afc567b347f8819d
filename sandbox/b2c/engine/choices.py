"""What no document settles. Each such point is a question with named answers.

The running sandbox answers as it is set (`Settled`). The proof goes every way (`Exploring`): only what comes out the
same on all of them is said; the rest is *cannot tell*, with the questions on which it turns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

Result = TypeVar("Result")
MOST_WAYS = 400
WAYS_TO_EXPLAIN = 40  # that are gone when it is clear that they do not agree


class Choices(Protocol):
    def pick(self, key: str, answers: Sequence[str], question: str) -> str:
        """One of the answers, the same for the same key throughout a journey. `question` completes "no source says"."""


class Settled:
    """The first answer, unless it was set otherwise."""

    def __init__(self, chosen: Mapping[str, str]):
        self._chosen = chosen

    def pick(self, key: str, answers: Sequence[str], question: str) -> str:
        wanted = self._chosen.get(key, answers[0])
        return wanted if wanted in answers else answers[0]


@dataclass
class Exploring:
    """One way through: the answers on `path` first, then always the first one."""

    path: tuple[int, ...] = ()
    taken: list[tuple[int, int, str]] = field(default_factory=list)  # answer, number of answers, question
    _known: dict[str, str] = field(default_factory=dict)

    def pick(self, key: str, answers: Sequence[str], question: str) -> str:
        if key not in self._known:
            at = len(self.taken)
            answer = self.path[at] if at < len(self.path) else 0
            self.taken.append((answer, len(answers), question))
            self._known[key] = answers[answer]
        return self._known[key]


@dataclass
class Explored:
    """What came of every way: results with the questions and answers that led to them. `whole`: none was left out."""

    ways: list[tuple[tuple[tuple[int, str], ...], object]] = field(default_factory=list)
    whole: bool = True

    def decisive(self, kind: Callable[[object], str]) -> list[str]:
        """The questions on whose answers the kind of result depends, the earliest first."""
        found: dict[str, None] = {}
        self._turns(self.ways, 0, kind, found)
        return list(found)

    def _turns(self, ways: list, depth: int, kind: Callable[[object], str], found: dict[str, None]) -> None:
        by_answer: dict[int, list] = {}
        question = ""
        for way, result in ways:
            if depth < len(way):
                answer, question = way[depth]
                by_answer.setdefault(answer, []).append((way, result))
        if not by_answer:
            return
        kinds = [{kind(result) for _, result in group} for group in by_answer.values()]
        if any(one != kinds[0] for one in kinds):
            found[question] = None
        for group in by_answer.values():
            self._turns(group, depth + 1, kind, found)


def explore(run: Callable[[Choices], Result], disagree: Callable[[list[Result]], bool]) -> Explored:
    """Run once for every combination of answers that is met.

    Stops early where the results `disagree`, as more of them would not change that, and where there are too many.
    """
    found = Explored()
    left: list[tuple[int, ...]] = [()]
    while left:
        done = [result for _, result in found.ways]
        if len(done) == MOST_WAYS or (len(done) >= WAYS_TO_EXPLAIN and disagree(done)):
            found.whole = disagree(done)
            break
        choices = Exploring(left.pop())
        result = run(choices)
        found.ways.append((tuple((answer, question) for answer, _, question in choices.taken), result))
        for at in range(len(choices.path), len(choices.taken)):
            before = tuple(answer for answer, _, _ in choices.taken[:at])
            left += [(*before, other) for other in range(1, choices.taken[at][1])]
    return found
