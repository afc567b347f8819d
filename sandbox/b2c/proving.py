"""Which doors a policy leaves open to a person who was revoked: refresh, sign-in, silent renewal.

Every way that the documents leave open is gone. *blocks* and *issues* are what all of them come to; anything else is
*cannot tell*, with the questions it turns on. The proof is about what documents and reports say, not about the live
service, and a gate in it gives fixed answers.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from sandbox.b2c.engine import journeys
from sandbox.b2c.engine.choices import Choices, explore
from sandbox.b2c.engine.running import NO_SESSION, Did, Door, Refused, Request, Running, Untellable
from sandbox.b2c.engine.values import Unknown, written
from sandbox.b2c.pretending import CLIENT, PERSON, TENANT, GateAnswer, Pretended
from sandbox.b2c.reading.files import Broken, Policies, Problem
from sandbox.b2c.reading.merging import Effective, Unlinked, effective

Verdict = Literal["blocks", "issues", "cannot tell"]
DOORS: tuple[Door, ...] = ("refresh", "sign_in", "silent")
PERSONS = ("revoked", "untouched")
QUESTIONS = 3  # shown of those a verdict turns on
MOST_WAYS_IN = 30  # identity providers of one sign-in page that are tried
MOST_WORK = 1_000_000  # for one person at one door, on all ways together
TOO_MUCH = "more is undecided than can be gone through"
RANK = {"issues": 0, "cannot tell": 1, "blocks": 2}


@dataclass(frozen=True)
class Asked:
    """What is supposed to have happened. `gate`: what it says of the revoked person, None for what fits.

    Attributes:
        minutes_after: how long after the refresh token was issued, or the session began, the person was revoked.
    """

    revoked_by: str = "gate"
    gate: GateAnswer | None = None
    minutes_after: float = 60

    @property
    def gate_says(self) -> GateAnswer:
        return self.gate or ("refuse" if self.revoked_by == "gate" else "allow")


@dataclass
class Proved:
    """One door, one person."""

    door: Door
    person: str
    verdict: Verdict
    why: str
    code: str | None = None
    steps: list[Did] = field(default_factory=list)


@dataclass
class ProvedPolicy:
    policy: str
    doors: list[Proved]


@dataclass
class _Came:
    """What came of one way."""

    kind: str  # a verdict, or "vacuous": there was no session to renew
    why: str
    code: str | None
    steps: list[Did]


def prove(policies: Policies, asked: Asked) -> tuple[list[ProvedPolicy], list[Problem]]:
    """Every relying-party policy, and the problems that kept files or policies from being read."""
    found, problems = [], list(policies.problems)
    for file in policies.relying_parties():
        try:
            policy = effective(policies, file.id)
        except Broken as broken:
            if broken.problem not in problems:
                problems.append(broken.problem)
            doors = [Proved(door, person, "cannot tell", broken.problem.why) for door in DOORS for person in PERSONS]
            found.append(ProvedPolicy(file.id, doors))
            continue
        found.append(prove_policy(policy, asked))
    return found, problems


def prove_policy(policy: Effective, asked: Asked) -> ProvedPolicy:
    doors = [_door(policy, asked, door, person) for door in DOORS for person in PERSONS]
    return ProvedPolicy(policy.id, doors)


def _door(policy: Effective, asked: Asked, door: Door, person: str) -> Proved:
    try:
        ways = [""] if door == "refresh" else journeys.ways_to_sign_in(policy)
    except (Unlinked, Untellable) as error:
        return Proved(door, person, "cannot tell", str(error))
    if len(ways) > MOST_WAYS_IN:
        return Proved(door, person, "cannot tell", f"there are more than {MOST_WAYS_IN} identity providers to try")
    found = [_proved(door, person, _Try(policy, asked, door, person, social)) for social in ways]
    worst = min(found, key=lambda one: RANK[one.verdict])
    if len({one.verdict for one in found}) > 1:
        who = ways[found.index(worst)] or "a local account"
        worst.why = f"with {who}: {worst.why}"
    return worst


def _proved(door: Door, person: str, run: Callable[[Choices], _Came]) -> Proved:
    explored = explore(run, lambda results: len({one.kind for one in results} - {"vacuous"}) > 1)
    came = [result for _, result in explored.ways]
    real = [one for one in came if one.kind != "vacuous"]
    if not real:
        return Proved(door, person, "blocks", f"there is no session to renew: {came[0].why}", NO_SESSION, came[0].steps)
    first = real[0]
    kinds = {one.kind for one in real}
    if not explored.whole:
        return Proved(door, person, "cannot tell", TOO_MUCH, None, first.steps)
    if len(kinds) == 1 and first.kind != "cannot tell":
        same_code = first.code if {one.code for one in real} == {first.code} else None
        return Proved(door, person, first.kind, first.why, same_code, first.steps)
    untold = next((one for one in real if one.kind == "cannot tell"), None)
    explored.ways = [(way, result) for way, result in explored.ways if result.kind != "vacuous"]
    questions = explored.decisive(lambda one: one.kind)
    shown = next((one for one in real if one.kind == "issues"), untold or first)
    reasons = [f"no source says {one}" for one in questions] or [untold.why if untold else "it is undecided"]
    why = "; ".join(reasons[:QUESTIONS]) + ("; and more" if len(reasons) > QUESTIONS else "")
    return Proved(door, person, "cannot tell", why, None, shown.steps)


class _Try:
    """One person at one door; called once for every way."""

    def __init__(self, policy: Effective, asked: Asked, door: Door, person: str, social: str):
        self.policy, self.door, self.social, self.work = policy, door, social, 0
        self.issued_at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        revoked_at = self.issued_at + timedelta(minutes=asked.minutes_after)
        self.now = revoked_at + timedelta(minutes=10)
        before = self.issued_at - timedelta(days=400)
        revoked = person == "revoked"
        by = asked.revoked_by if revoked else ""
        gate: GateAnswer = asked.gate_says if revoked or asked.gate_says == "down" else "allow"
        self.around = Pretended(
            valid_from=revoked_at if by == "refreshTokensValidFromDateTime" else before,
            moved=revoked_at if by == "signInSessionsValidFromDateTime" else None,
            gate=gate,
            social=bool(social),
            before=before,
        )

    def __call__(self, choices: Choices) -> _Came:
        if self.work > MOST_WORK:
            return _Came("cannot tell", TOO_MUCH, None, [])
        session: dict[str, dict] = {}
        if self.door == "silent":
            first = self._running("sign_in", self.around.untouched(), choices, self.issued_at)
            came = _come(first)
            self.work += first.work
            if came.kind != "issues":
                return _Came("vacuous" if came.kind == "blocks" else came.kind, came.why, came.code, came.steps)
            session = first.after
        run = self._running(self.door, self.around, choices, self.now)
        run.before = session
        came = _come(run)
        self.work += run.work
        return came

    def _running(self, door: Door, around: Pretended, choices: Choices, now: datetime) -> Running:
        request = Request(
            door=door,
            client_id=CLIENT,
            correlation_id=str(uuid.UUID(int=1)),
            now=now,
            social=self.social,
            token=self._inside(around, choices) if door == "refresh" else {},
            tenant_id=TENANT,
        )
        return Running(self.policy, request, around, choices)

    def _inside(self, around: Pretended, choices: Choices) -> dict:
        """What is inside the refresh token: the user, the time, and the claims under the names that tokens use."""
        found = {"objectId": PERSON, "refreshTokenIssuedOnDateTime": written(self.issued_at)}
        party = self.policy.relying_party
        for use in party.profile.outputs.values() if party else ():
            value = around.attribute(around, use.id, choices)
            if use.default is not None:
                value = Unknown(f"what the sign-in put into the token as {use.partner}")
            found.setdefault(use.partner, value)
        return found


def _come(run: Running) -> _Came:
    try:
        issued = journeys.carry_out(run)
    except Refused as refused:
        return _Came("blocks", refused.why, refused.code, run.steps)
    except (Untellable, Unlinked) as error:
        return _Came("cannot tell", str(error), None, run.steps)
    why = "no step refuses" if issued.checked else "the policy names no journey for refreshes, so nothing is checked"
    if run.notes:
        why = f"{why}; {', '.join(dict.fromkeys(run.notes))}"
    return _Came("issues", why, None, run.steps)
