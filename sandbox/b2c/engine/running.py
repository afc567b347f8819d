"""One journey under way: its claims, who is asking, and what stands around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from sandbox.b2c.engine.choices import Choices
from sandbox.b2c.engine.values import Unknown
from sandbox.b2c.reading.merging import Effective

Door = Literal["refresh", "sign_in", "silent"]
NO_SESSION = "AADB2C90077"
REVOKED = "AADB2C90129"
NO_ACCOUNT = "AADB2C90128"
MOST_WORK = 50_000  # claims looked at and steps taken by one journey; real ones stay below a thousand


class Refused(Exception):
    """The transaction fails: no token. `code` is B2C's, None where no source says which."""

    def __init__(self, why: str, code: str | None = None):
        super().__init__(why)
        self.why, self.code = why, code


class Untellable(Exception):
    """Nothing can be said about what B2C would do from here on."""


@dataclass(frozen=True)
class Call:
    """What a RESTful profile sends. `credential`: how it identifies itself, None when it does not."""

    url: str
    method: str
    body: dict[str, Any]
    credential: tuple[str, dict[str, str]] | None  # the kind, and policy keys by what they are for


@dataclass(frozen=True)
class Reply:
    """`body` is what was parsed from it, None when that was not JSON. `silent`: nobody answered in time."""

    status: int = 0
    body: Any = None
    silent: bool = False


class Surroundings(Protocol):
    """What a journey meets outside itself. Whether it is real is not the journey's business."""

    def find(self, key: str, value: Any) -> Any:
        """The account with this value of a directory attribute; None when there is none, Unknown when none can say."""

    def attribute(self, account: Any, name: str, choices: Choices) -> Any:
        """An attribute of an account; None when it has no value, Unknown when nobody can say."""

    def typed(self, claim: str) -> Any:
        """What the person who signs in types into a page for a claim; None when they have nothing to type."""

    def call(self, call: Call) -> Reply | None:
        """Call a service. None when it is somebody's of whom nothing is known."""

    def write(self, account: Any, values: dict[str, Any]) -> None:
        """Change an account's attributes."""


@dataclass(frozen=True)
class Request:
    """Who asks for tokens, and how. `token`: the claims inside the refresh token that is redeemed."""

    door: Door
    client_id: str
    correlation_id: str
    now: datetime
    social: str = ""  # the claims exchange of the identity provider the person chooses; empty: a local account
    token: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    tenant_id: Any = ""


@dataclass
class Did:
    """One step and what came of it."""

    order: int
    type: str
    profile: str | None
    did: str


@dataclass
class Running:
    """A journey's state. `before`: the browser's session as it was, by session profile; `after` as it becomes."""

    policy: Effective
    request: Request
    around: Surroundings
    choices: Choices
    bag: dict[str, Any] = field(default_factory=dict)
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    after: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: list[Did] = field(default_factory=list)
    chosen: set[str] = field(default_factory=set)  # claims exchanges the person picked
    notes: list[str] = field(default_factory=list)  # what whoever reads the outcome should know
    work: int = 0

    @property
    def refreshing(self) -> bool:
        return self.request.door == "refresh"

    def get(self, claim: str) -> Any:
        return self.bag.get(claim.lower())

    def put(self, claim: str, value: Any) -> None:
        if value is None:
            self.bag.pop(claim.lower(), None)
        else:
            self.bag[claim.lower()] = value

    def type_of(self, claim: str) -> str:
        """
        Raises:
            Untellable: the claim is declared nowhere; uploads of such policies are refused.
        """
        self.step()
        if claim.lower() not in self.policy.claims:
            raise Untellable(f"the claim {claim} is declared nowhere; B2C is known to refuse such an upload")
        return self.policy.claims[claim.lower()]

    def step(self) -> None:
        """Count something that was done.

        Raises:
            Untellable: it was too much.
        """
        self.work += 1
        if self.work > MOST_WORK:
            raise Untellable(f"the journey takes more than {MOST_WORK} turns")

    def either(self, key: str, question: str) -> bool:
        return self.choices.pick(key, ("yes", "no"), question) == "yes"

    def exists(self, claim: str) -> bool:
        value = self.get(claim)
        if isinstance(value, Unknown) and not value.present:
            return self.either(f"exists {claim.lower()}", f"whether {claim} has a value: {value.why}")
        return value is not None
