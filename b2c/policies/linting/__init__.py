"""Judging a set of policies: every finding says where, what, why and how to mend it."""

from __future__ import annotations

from b2c.policies.linting import files, gates, references, refresh, services
from b2c.policies.linting.findings import RULES, Finding, Rule, Severity
from b2c.policies.model import GateSpec, PolicySet

__all__ = ["RULES", "Finding", "Rule", "Severity", "lint"]


def lint(policies: PolicySet, gate: GateSpec | None = None) -> list[Finding]:
    """Everything found, by file and line; what several policies inherit is said once.

    Args:
        gate: where it is given, every relying party is expected to ask it.
    """
    every = [
        *files.check(policies),
        *references.check(policies),
        *refresh.check(policies),
        *services.check(policies),
        *gates.check(policies, gate),
    ]
    once = {(one.rule, one.file, one.line, one.what): one for one in reversed(every)}
    return sorted(once.values(), key=lambda one: (one.file, one.line, one.rule, one.what))
