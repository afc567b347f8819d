"""Whether a run told the truth: our rows beside what the sandbox itself says was done to whom."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from tests.sandbox_client import Sandbox

SIGNED_OUT = "Update StsRefreshTokenValidFrom Timestamp"
PAGE = 1000  # audit entries that the sandbox gives at a time
SETTLED = {"verified", "no_effect", "failed", "unconfirmed", "cancelled"}


@dataclass
class Verdict:
    """What came of one run. `violations` is empty when every person ended in a true state, once."""

    people: int
    states: dict[str, int] = field(default_factory=dict)
    carried_out: int = 0
    violations: list[str] = field(default_factory=list)


def judge(bed, request_id: str, people: int, since: datetime) -> Verdict:
    """Compare every person's row with the sandbox's audit log and with the time its tokens count from."""
    rows = bed.ask(
        "SELECT target_id, state, called_at FROM revocation_revocationstep"
        " WHERE request_id = %s AND action = 'revoke_sessions'",
        request_id,
    )
    done = carried_out(bed.sandbox, since)
    valid_from = {
        one["id"]: datetime.fromisoformat(one["signInSessionsValidFromDateTime"])
        for one in bed.sandbox.all("users?$select=id,signInSessionsValidFromDateTime&$top=999")
        if one.get("signInSessionsValidFromDateTime")
    }
    verdict = Verdict(people, dict(Counter(state for _person, state, _called in rows)), sum(done.values()))
    found: Counter[str] = Counter()
    if len({person for person, _state, _called in rows}) != people:
        found["missing from the rows"] = people - len(rows)
    for person, state, called_at in rows:
        times = done[person]
        if state not in SETTLED:
            found[f"left in state {state}"] += 1
        if times > 1:
            found["signed out twice"] += 1
        if state == "verified" and not times:
            found["said to be signed out, but not"] += 1
        if state == "verified" and times and not (called_at and valid_from[person] >= since):
            found["said to be signed out, but old tokens count"] += 1
        if state in ("failed", "cancelled", "no_effect") and times:
            found[f"said to be {state}, but signed out"] += 1
        if state in ("failed", "cancelled", "no_effect", "unconfirmed") and not times:
            found[f"given up as {state} although nothing stood in the way for good"] += 1
        if state == "unconfirmed" and times:
            found["left unconfirmed"] += 1
    strangers = set(done) - {person for person, _state, _called in rows}
    if strangers:
        found["signed out unasked"] = len(strangers)
    verdict.violations = [f"{count} {what}" for what, count in found.items()]
    return verdict


def carried_out(sandbox: Sandbox, since: datetime) -> Counter[str]:
    """How often each person was really signed out, by the sandbox's own audit log, whatever its replies said."""
    seen: dict[str, str] = {}
    until = ""
    while True:
        clauses = [f"activityDisplayName eq '{SIGNED_OUT}'", f"activityDateTime ge {_text(since)}"]
        clauses += [f"activityDateTime le {until}"] if until else []
        answer = sandbox.get(f"auditLogs/directoryAudits?$top={PAGE}&$filter={' and '.join(clauses)}")["value"]
        known = len(seen)
        seen |= {one["id"]: one["targetResources"][0]["id"] for one in answer}
        if len(seen) == known or len(answer) < PAGE:
            return Counter(seen.values())
        until = answer[-1]["activityDateTime"]


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
