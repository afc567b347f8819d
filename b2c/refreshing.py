"""Why an application still refreshes, answered from the tenant's own policies: door by door, policy by policy.

refresh     which of the account's two dates a refresh is compared with, with how much tolerance, and the gate
silent      the hidden frame of a single-page app: B2C's session cookie, which no revocation at Microsoft touches
tokens      what is out already
"""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _, ngettext

from b2c.policies import doors
from b2c.policies.clocks import Clocks, clocks
from b2c.policies.elements import Element
from b2c.policies.merging import Effective, setting
from b2c.policies.model import Policy, PolicySet

REFRESH_CLOCK, SESSION_CLOCK = "refreshTokensValidFromDateTime", "signInSessionsValidFromDateTime"
ACCESS_TOKEN = timedelta(hours=1)  # unless the issuer says otherwise
SESSION = timedelta(days=1)  # unless the relying party says otherwise


@dataclass(frozen=True)
class Answer:
    """One door of one policy. `closed` is None where it cannot be told."""

    door: str
    closed: bool | None
    text: str


@dataclass(frozen=True)
class PolicyAnswers:
    policy_id: str
    answers: list[Answer]


def why(policies: PolicySet) -> list[PolicyAnswers]:
    """For each policy that applications sign in with: which ways to a new token are closed to a revoked person."""
    found = clocks(policies)
    parties = sorted(policies.relying_parties(), key=lambda one: one.id.lower())
    return [_of(policies, policy, found[policy.id]) for policy in parties]


def sign_out_action(policies: PolicySet) -> tuple[str, str]:
    """Which call reaches the refreshes of these policies, and why; no name where neither does or it is not known.

    Each of the two calls moves a date of its own, as Microsoft documents them; reports differ, so both are read back.
    """
    every = clocks(policies)
    compared = {name for one in every.values() for name in one.refresh or ()}
    unknown = [policy for policy, one in every.items() if one.refresh is None]
    if REFRESH_CLOCK in compared:
        return "invalidate_tokens", _(
            "A policy here compares refreshTokensValidFromDateTime, the date that invalidateAllRefreshTokens (beta) is"
            " documented to move. Both dates are read back after each sign-out."
        )
    if SESSION_CLOCK in compared:
        return "revoke_sessions", _(
            "A policy here compares signInSessionsValidFromDateTime, the date that revokeSignInSessions is documented"
            " to move. Both dates are read back after each sign-out."
        )
    if unknown:
        return "", _("It cannot be told what these policies compare: %(policies)s.") % {"policies": ", ".join(unknown)}
    return "", _("No policy here compares either date at a refresh: neither call reaches one. The gate does.")


def _of(policies: PolicySet, policy: Policy, clock: Clocks) -> PolicyAnswers:
    effective = policies.effective(policy.id)
    refresh, sign_in = doors.refresh_journey(effective), doors.sign_in_journey(effective)
    return PolicyAnswers(
        policy.id,
        [
            _clock(clock),
            *_tolerance(effective, refresh, clock),
            _gate(effective, refresh, _("The gate at a refresh")),
            _silent(effective, sign_in),
            _tokens(effective, sign_in),
        ],
    )


def _clock(clock: Clocks) -> Answer:
    closed = None if clock.refresh is None else bool(clock.refresh)
    return Answer(_("A sign-out, at a refresh"), closed, clock.why)


def _tolerance(effective: Effective, journey: Element | None, clock: Clocks) -> list[Answer]:
    if journey is None or not clock.refresh:
        return []
    found = [
        int(text)
        for step in effective.walk(journey)
        for profile in effective.exchanged(step)
        for one in doors.after_outputs(effective, profile)
        if (text := doors.parameter(one, "TreatAsEqualIfWithinMillseconds") or "").isdecimal()
    ]
    minutes = max(found, default=0) // 60_000
    if not minutes:
        return []
    text = ngettext(
        "A token issued less than %(n)d minute before the sign-out goes on for its whole life.",
        "A token issued less than %(n)d minutes before the sign-out goes on for its whole life.",
        minutes,
    )
    return [Answer(_("Tokens of the last minutes"), False, text % {"n": minutes})]


def _gate(effective: Effective, journey: Element | None, door: str) -> Answer:
    if journey is None:
        return Answer(door, False, _("There is no journey in which it could be asked."))
    asked = any(True for _found in doors.asks(effective, journey))
    return Answer(door, asked, _("It is asked.") if asked else _("It is not asked, so no rule reaches this door."))


def _silent(effective: Effective, journey: Element | None) -> Answer:
    gate = _gate(effective, journey, _("Silently, in a hidden frame"))
    lives = _session(effective)
    if gate.closed:
        text = _("The sign-in asks the gate, so a rule closes it, although the browser's session lives %(lives)s.")
    else:
        text = _(
            "The browser's session at B2C lives %(lives)s and gives new tokens without a question (prompt=none). No"
            " revocation at Microsoft touches it, and the sign-in does not ask the gate."
        )
    return Answer(gate.door, gate.closed, text % {"lives": lives})


def _session(effective: Effective) -> str:
    party = effective.relying_party
    behaviours = party.child("UserJourneyBehaviors") if party is not None else None
    seconds, keep = "", ""
    if behaviours is not None:
        seconds = behaviours.text_of("SessionExpiryInSeconds").strip()
        sso = behaviours.child("SingleSignOn")
        keep = sso.get("KeepAliveInDays") if sso is not None else ""
    lives = timedelta(seconds=int(seconds)) if seconds.isdecimal() else SESSION
    if keep.isdecimal() and int(keep):
        return ngettext("up to %(n)d day", "up to %(n)d days", int(keep)) % {"n": int(keep)}
    hours = max(1, round(lives.total_seconds() / 3600))
    return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}


def _tokens(effective: Effective, journey: Element | None) -> Answer:
    lives = ACCESS_TOKEN
    for issuer in doors.issuers(effective, journey) if journey is not None else []:
        if (text := setting(issuer, "token_lifetime_secs")).isdecimal():
            lives = timedelta(seconds=int(text))
    minutes = round(lives.total_seconds() / 60)
    text = ngettext(
        "An access token works %(n)d minute after it was issued, and a library asks nobody until then.",
        "An access token works %(n)d minutes after it was issued, and a library asks nobody until then.",
        minutes,
    )
    return Answer(_("With what it holds"), False, text % {"n": minutes})
