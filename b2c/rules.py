"""Whether a token may be issued: a pure decision from a person's rules and what the policy sent.

    OPEN        no rule stands against it
    REFUSED     a rule does
    UNDECIDED   a rule might: something it needs was not sent, or cannot be read. The tenant says what that means

Times are compared strictly: a token is refused whose time of issue is before the rule's. Microsoft's sample forgives
five minutes, so that a token stolen within them lives on; a tenant may want the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

TOLERANCE = timedelta(minutes=5)
AT_ISSUE = "AtIssue"  # after a claim's name: its value as the token carries it


class Verdict(StrEnum):
    OPEN = "open"
    REFUSED = "refused"
    UNDECIDED = "undecided"


class Door(StrEnum):
    REFRESH = "refresh"
    SIGN_IN = "sign_in"
    ISSUANCE = "issuance"


class Rule(Protocol):
    """What the decision needs of a rule that is in force and about this person: see `models.RefreshRule`."""

    id: UUID
    app_id: UUID | None
    policy_id: str
    issued_before: datetime | None
    condition: str
    claim: str
    value: str


@dataclass(frozen=True)
class Ask:
    """One token that is about to be issued.

    Attributes:
        policy_id: in small letters.
        apps: the application it is for; several where the policy serves several and the client was not named; empty
            where it is not known at all.
        since: when the token that is redeemed was issued, or at sign-in when credentials were last checked. None
            where that was not sent or cannot be read.
        fresh: the person has just proved who they are, so that nothing older is being redeemed.
        silent: nobody is asked for credentials: a session that is older than this moment is being used.
    """

    door: Door
    policy_id: str
    apps: frozenset[UUID] = frozenset()
    since: datetime | None = None
    fresh: bool = False
    silent: bool = False
    claims: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """`rule` is the one that decided; None where none stands against it."""

    verdict: Verdict
    rule: Rule | None = None


def decide(rules: Iterable[Rule], ask: Ask, *, tolerance: timedelta = timedelta()) -> Decision:
    """The strictest of what the rules say, in whatever order they come."""
    undecided = None
    for rule in rules:
        verdict = judge(rule, ask, tolerance)
        if verdict is Verdict.REFUSED:
            return Decision(verdict, rule)
        if verdict is Verdict.UNDECIDED:
            undecided = undecided or rule
    return Decision(Verdict.UNDECIDED, undecided) if undecided else Decision(Verdict.OPEN)


def judge(rule: Rule, ask: Ask, tolerance: timedelta = timedelta()) -> Verdict:
    """What one rule says."""
    if rule.policy_id and rule.policy_id != ask.policy_id:
        return Verdict.OPEN
    if rule.app_id is None or rule.app_id in ask.apps:
        return _when(rule, ask, tolerance)
    if ask.apps:
        return Verdict.OPEN
    # The application is not known at all, so the rule may be about it: as far as its time or condition holds.
    return Verdict.OPEN if _when(rule, ask, tolerance) is Verdict.OPEN else Verdict.UNDECIDED


def _when(rule: Rule, ask: Ask, tolerance: timedelta) -> Verdict:
    if rule.issued_before is not None:
        return _too_old(rule.issued_before - tolerance, ask)
    return _condition(rule, ask.claims)


def _too_old(limit: datetime, ask: Ask) -> Verdict:
    if ask.fresh:
        return Verdict.OPEN
    if ask.since is not None:
        return Verdict.REFUSED if ask.since < limit else Verdict.OPEN
    return Verdict.REFUSED if ask.silent else Verdict.UNDECIDED


def _condition(rule: Rule, claims: Mapping[str, str]) -> Verdict:
    now = claims.get(rule.claim, "")
    match rule.condition:
        case "missing":
            return Verdict.OPEN if now.strip() else Verdict.REFUSED
        case "equals":
            return Verdict.REFUSED if now == rule.value else Verdict.OPEN
        case "differs":
            issued = claims.get(rule.claim + AT_ISSUE)
            if rule.claim not in claims or issued is None:
                return Verdict.UNDECIDED
            return Verdict.REFUSED if now != issued else Verdict.OPEN
    return Verdict.UNDECIDED  # a condition that this version does not know
