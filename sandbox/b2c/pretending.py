"""What stands around a journey in the proof: one person, their directory account, and a gate with a fixed answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from sandbox.b2c.engine.choices import Choices
from sandbox.b2c.engine.running import Call, Reply
from sandbox.b2c.engine.values import Unknown, written

GateAnswer = Literal["refuse", "allow", "down"]
OF_GATE = re.compile(r"/b2c/[^/]+/(refresh|sign-in)/?$")
PERSON = "00000000-aaaa-4aaa-8aaa-000000000001"
TENANT = "00000000-bbbb-4bbb-8bbb-000000000001"
CLIENT = "00000000-cccc-4ccc-8ccc-000000000001"
MAIL = "person@customer.example"
TYPED = ("signinname", "email", "signinnames.emailaddress", "emailaddress")
REVOKED_BY = ("gate", "refreshTokensValidFromDateTime", "signInSessionsValidFromDateTime")


@dataclass(frozen=True)
class Pretended:
    """Surroundings without anything real.

    Attributes:
        valid_from: the directory's refreshTokensValidFromDateTime of this person.
        moved: the moment that Graph's signInSessionsValidFromDateTime was moved to, if that is all that is known.
        gate: what the gate says about this person; it checks first that the call is one it can answer.
        before: the date that the account had before anything happened.
    """

    valid_from: datetime
    moved: datetime | None
    gate: GateAnswer
    before: datetime
    social: bool = False

    def find(self, key: str, value: Any) -> Any:
        if isinstance(value, Unknown):
            return value
        known = {"objectid": PERSON, "signinnames.emailaddress": MAIL, "userprincipalname": _upn()}
        if key.lower().startswith("alternativesecurityid"):
            return self if self.social else None
        if key.lower() not in known:
            return Unknown(f"whether there is an account with this {key}")
        return self if str(value).lower() == known[key.lower()] else None

    def attribute(self, account: Any, name: str, choices: Choices) -> Any:
        key = name.lower()
        if key == "refreshtokensvalidfromdatetime" and self.moved is not None:
            question = "whether a sign-out through Graph moves the refreshTokensValidFromDateTime that policies read"
            follows = choices.pick("graph-moves-the-policies-date", ("follows", "stays"), question) == "follows"
            return written(self.moved if follows else self.valid_from)
        known = {
            "objectid": PERSON,
            "tenantid": TENANT,
            "displayname": "A Person",
            "givenname": "A",
            "surname": "Person",
            "userprincipalname": _upn(),
            "signinnames.emailaddress": MAIL,
            "othermails": [MAIL],
            "accountenabled": True,
            "refreshtokensvalidfromdatetime": written(self.valid_from),
        }
        return known.get(key, Unknown(f"the {name} of this person's account"))

    def typed(self, claim: str) -> Any:
        if claim.lower() in TYPED:
            return MAIL
        if claim.lower() == "issueruserid":
            return "0123456789"
        return Unknown(f"what the person types for {claim}", present=True)

    def call(self, call: Call) -> Reply | None:
        if not OF_GATE.search(urlsplit(call.url).path):
            return None
        if self.gate == "down":
            return Reply(silent=True)
        if call.credential is None:
            return Reply(401)
        refreshing = urlsplit(call.url).path.rstrip("/").endswith("/refresh")
        wanted = ("objectId", "policyId", "issuedAt") if refreshing else ("objectId", "policyId")
        if any(isinstance(call.body.get(name), Unknown) for name in wanted):
            return None  # what it is sent is not known, so neither is what it says
        if call.method != "POST" or any(not call.body.get(name) for name in wanted):
            return Reply(400)
        if call.body["objectId"] != PERSON:
            return Reply(400)
        return REFUSES if self.gate == "refuse" else Reply(200, {"gate": "open"})

    def write(self, account: Any, values: dict[str, Any]) -> None:
        """Nothing is kept: what a journey writes does not decide whether it issues tokens."""

    def untouched(self) -> Pretended:
        """The same person before anything happened to them."""
        return replace(self, moved=None, gate="allow", valid_from=self.before)


REFUSES = Reply(
    409,
    {
        "version": "1.0.0",
        "status": 409,
        "code": "CONSENTRY-REFUSED",
        "userMessage": "You need to sign in again.",
        "requestId": "00000000-0000-4000-8000-000000000000",
    },
)


def _upn() -> str:
    return f"{PERSON}@customers.onmicrosoft.com"
