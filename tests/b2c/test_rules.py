"""What a rule says about a token: pure, without a database."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from b2c import times
from b2c.rules import TOLERANCE, Ask, Decision, Door, Verdict, decide

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
STORE, REWARDS = UUID(int=1), UUID(int=2)
OPEN, REFUSED, UNDECIDED = Verdict
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Rule:
    app_id: UUID | None = None
    policy_id: str = ""
    issued_before: datetime | None = None
    condition: str = ""
    claim: str = ""
    value: str = ""
    id: UUID | None = None


def refresh(**known) -> Ask:
    return Ask(**{"door": Door.REFRESH, "policy_id": "b2c_1a_store", "apps": frozenset({STORE}), **known})


def sign_in(**known) -> Ask:
    return refresh(door=Door.SIGN_IN, **known)


BEFORE_NOON = Rule(issued_before=NOON)
NO_COUNTRY = Rule(condition="missing", claim="country")
IN_FRANCE = Rule(condition="equals", claim="country", value="FR")
CHANGED = Rule(condition="differs", claim="country")


@pytest.mark.parametrize(
    ("rule", "ask", "verdict"),
    [
        # Time: strictly before, to the microsecond.
        (BEFORE_NOON, refresh(since=NOON - timedelta(microseconds=1)), REFUSED),
        (BEFORE_NOON, refresh(since=NOON), OPEN),
        (BEFORE_NOON, refresh(since=NOON - 4 * timedelta(minutes=1)), REFUSED),
        (BEFORE_NOON, refresh(), UNDECIDED),
        (BEFORE_NOON, sign_in(), UNDECIDED),
        (BEFORE_NOON, sign_in(silent=True), REFUSED),
        (BEFORE_NOON, sign_in(fresh=True), OPEN),
        (BEFORE_NOON, sign_in(since=NOON - SECOND), REFUSED),
        (BEFORE_NOON, sign_in(since=NOON + SECOND, silent=True), OPEN),  # the session itself began after it
        # Where: an application, a policy, both.
        (Rule(app_id=STORE, issued_before=NOON), refresh(since=NOON - SECOND), REFUSED),
        (Rule(app_id=REWARDS, issued_before=NOON), refresh(since=NOON - SECOND), OPEN),
        (Rule(policy_id="b2c_1a_store", issued_before=NOON), refresh(since=NOON - SECOND), REFUSED),
        (Rule(policy_id="b2c_1a_other", issued_before=NOON), refresh(since=NOON - SECOND), OPEN),
        (Rule(REWARDS, "b2c_1a_store", NOON), refresh(since=NOON - SECOND), OPEN),
        (Rule(STORE, "b2c_1a_store", NOON), refresh(since=NOON - SECOND), REFUSED),
        # A policy that serves several, without a name: the rule may be about any of them.
        (Rule(app_id=REWARDS, issued_before=NOON), refresh(since=NOON - SECOND, apps={STORE, REWARDS}), REFUSED),
        (Rule(app_id=REWARDS, issued_before=NOON), refresh(since=NOON - SECOND, apps=frozenset()), UNDECIDED),
        (Rule(app_id=REWARDS, issued_before=NOON), refresh(since=NOON, apps=frozenset()), OPEN),
        # Conditions end by themselves.
        (NO_COUNTRY, refresh(), REFUSED),
        (NO_COUNTRY, refresh(claims={"country": "  "}), REFUSED),
        (NO_COUNTRY, refresh(claims={"country": "FR"}), OPEN),
        (IN_FRANCE, refresh(claims={"country": "FR"}), REFUSED),
        (IN_FRANCE, refresh(claims={"country": "DE"}), OPEN),
        (IN_FRANCE, refresh(), OPEN),
        (CHANGED, refresh(claims={"country": "FR", "countryAtIssue": "DE"}), REFUSED),
        (CHANGED, refresh(claims={"country": "FR", "countryAtIssue": "FR"}), OPEN),
        (CHANGED, refresh(claims={"country": "FR"}), UNDECIDED),
        (CHANGED, refresh(claims={"countryAtIssue": "FR"}), UNDECIDED),
        (Rule(condition="of tomorrow", claim="country"), refresh(), UNDECIDED),
    ],
)
def test_one_rule(rule: Rule, ask: Ask, verdict: Verdict):
    assert decide([rule], ask).verdict == verdict


def test_the_strictest_of_several_rules_decides_and_is_named():
    lets_through = Rule(app_id=REWARDS, issued_before=NOON, id=uuid4())
    cannot_tell = Rule(condition="differs", claim="country", id=uuid4())
    refuses = Rule(condition="missing", claim="country", id=uuid4())

    assert decide([], refresh()) == Decision(OPEN)
    assert decide([lets_through, cannot_tell], refresh()) == Decision(UNDECIDED, cannot_tell)
    assert decide([cannot_tell, refuses, lets_through], refresh()) == Decision(REFUSED, refuses)


def test_the_five_minutes_are_forgiven_only_to_those_who_asked_for_it():
    within, outside = refresh(since=NOON - TOLERANCE), refresh(since=NOON - TOLERANCE - SECOND)

    assert decide([BEFORE_NOON], within).verdict == REFUSED
    assert decide([BEFORE_NOON], within, tolerance=TOLERANCE).verdict == OPEN
    assert decide([BEFORE_NOON], outside, tolerance=TOLERANCE).verdict == REFUSED


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-26T12:00:00Z", NOON),
        ("2026-11-26T12:00:00.0000000Z", NOON),
        ("2026-11-26T12:00:00", NOON),
        ("2026-11-26 13:00:00+01:00", NOON),
        ("11/26/2026 12:00:00 PM", NOON),
        ("11/26/2026 12:00:00", NOON),
        ("11/26/2026 12:00:00 AM +00:00", NOON - timedelta(hours=12)),
        ("2026-11-26T12:00:00.1234567Z", NOON.replace(microsecond=123456)),
        (int(NOON.timestamp()), NOON),
        (str(int(NOON.timestamp())), NOON),
        ("26/11/2026 12:00:00", None),  # there is no 26th month
        ("11/26/2026 13:00:00 PM", None),
        ("٢٠٢٦-11-26T12:00:00Z", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (True, None),
        ({"a": 1}, None),
        ("2026-11-26T12:00:00+99:99", None),
        ("9" * 400, None),
    ],
)
def test_times_in_every_form_that_was_seen(text, moment):
    assert times.read(text) == moment
