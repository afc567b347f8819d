"""What uploading would change: each written policy beside the one of its id that is there."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from b2c.policies.elements import parse
from b2c.policies.model import PolicySet
from b2c.policies.writing import Written
from b2c.policies.writing.xml import lines_of


@dataclass(frozen=True)
class Difference:
    """`lines`: a unified difference of what the two documents say; white space and comments are not compared."""

    policy: str
    file: str
    kind: Literal["new", "changed", "same"]
    lines: tuple[str, ...] = ()

    @property
    def added(self) -> int:
        return sum(one.startswith("+") and not one.startswith("+++") for one in self.lines)

    @property
    def removed(self) -> int:
        return sum(one.startswith("-") and not one.startswith("---") for one in self.lines)


def compare(uploaded: PolicySet, written: Written) -> list[Difference]:
    """One difference for each written policy, in the order of uploading.

    Raises:
        PolicyError: a file of `written` is no policy.
    """
    found = []
    for file, content in written.files.items():
        root = parse(file, content)
        policy_id = root.get("PolicyId")
        there = uploaded.get(policy_id)
        after = lines_of(root)
        if there is None:
            found.append(Difference(policy_id, file, "new", tuple(f"+{line}" for line in after)))
            continue
        before = lines_of(there.root)
        if before == after:
            found.append(Difference(policy_id, file, "same"))
            continue
        lines = difflib.unified_diff(before, after, there.file, file, n=2, lineterm="")
        found.append(Difference(policy_id, file, "changed", tuple(lines)))
    return found
