"""Faults on demand: rules that say which requests go wrong, how, and how often."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """One rule. It matches by method and by a regular expression searched in the path (without regard to case).

    `mode` is "before" (refused, nothing is done) or "after" (done, and then the reply is replaced or cut).
    Without `status`, `body`, `cut` and `delay_ms` a rule does nothing. `count` limits how often it strikes (None:
    for ever); `probability` how likely; `skip` lets the first matches pass. `where`: "item" (inside a batch),
    "request" (not inside one) or None for both.
    """

    path: str = ".*"
    method: str | None = None
    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after: float | str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None  # text is sent as it stands, anything else as JSON
    count: int | None = None
    probability: float = 1.0
    skip: int = 0
    mode: str = "before"
    delay_ms: float = 0
    cut: bool = False  # drop the connection without a reply
    where: str | None = None
    tenant: str | None = None
    struck: int = 0

    def __post_init__(self):
        if self.mode not in ("before", "after"):
            raise ValueError(f"mode must be before or after, not {self.mode!r}")
        if self.where not in (None, "item", "request"):
            raise ValueError(f"where must be item or request, not {self.where!r}")
        self._pattern = re.compile(self.path, re.IGNORECASE)

    @property
    def replaces_reply(self) -> bool:
        return self.cut or self.status is not None or self.body is not None

    def matches(self, method: str, path: str, tenant: str | None, in_batch: bool) -> bool:
        return (
            (self.count is None or self.struck < self.count)
            and (self.method is None or self.method.upper() == method.upper())
            and (self.where is None or (self.where == "item") == in_batch)
            and (self.tenant is None or self.tenant == tenant)
            and self._pattern.search(path) is not None
        )


class Faults:
    """The rules in force. `match()` hands out the first that strikes and counts it."""

    def __init__(self):
        self.rules: list[Fault] = []
        self._random = random.Random(7)

    def set(self, rules: list[dict]) -> None:
        self.rules = [Fault(**rule) for rule in rules]

    def match(self, method: str, path: str, *, tenant: str | None = None, in_batch: bool = False) -> Fault | None:
        for rule in self.rules:
            if not rule.matches(method, path, tenant, in_batch):
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            if rule.probability < 1 and self._random.random() >= rule.probability:
                continue
            rule.struck += 1
            return rule
        return None
