"""End every session of a person: refresh tokens and Entra sessions issued until now are refused.

A second call would sign the person out again, so a call whose fate is unknown is read back before it is repeated.
https://learn.microsoft.com/graph/api/user-revokesigninsessions
"""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy

from accounts.roles import Capability
from directory import sync
from directory.models import Person
from graph.errors import NotFound
from graph.requesting import segment
from graph.sentences import gettext as _
from graph.types import Call, User, moment_of
from revocation.actions.base import NOT_YET, Action, Outcome, Verdict, failed, observe, unreadable
from revocation.steps import StepDraft

# How far Microsoft's clock may be behind ours before we stop believing what we read back.
CLOCK_SKEW = timedelta(seconds=30)
SELECT = f"$select={User.SELECT}"
# Where policies of Azure AD B2C are in force, both of an account's dates are read back: each policy compares one, or
# none, and a call has been reported to move one of them alone. The second is in beta only.
REFRESH_CLOCK = "refreshTokensValidFromDateTime"
BOTH_MOVE_WITHIN = timedelta(minutes=1)


def step(person: Person | User, *, action: str = "revoke_sessions", urgency: int = 50, **params) -> StepDraft:
    """Sign this person out everywhere. `action` is the tenant's choice: `Tenant.sign_out_action`."""
    valid_from = person.sessions_valid_from
    return StepDraft(
        action=action,
        target_type="user",
        target_id=str(person.id),
        target_label=person.display_name or person.upn,
        params={"upn": person.upn, **params},
        before={
            "sessions_valid_from": valid_from.isoformat() if valid_from else None,
            "is_external": person.is_external,
        },
        urgency=urgency,
    )


class RevokeSessions(Action):
    name = "revoke_sessions"
    label = gettext_lazy("Sign out everywhere")
    shown = gettext_lazy("The directory shows it: earlier sessions are no longer valid")
    meaning = gettext_lazy("Every refresh token and Entra session issued earlier is refused")
    capability = Capability.SIGN_OUT_PEOPLE
    ends_sessions = True
    target_type = "user"
    needs = ("User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All")
    repeatable = False
    operation = "revokeSignInSessions"

    def means(self, step):
        if wants_both(step):
            return _("Which refreshes are refused depends on the policy: the person's page says it")
        return super().means(step)

    def look(self, step):
        # In a mass action the copy's value is before-image enough; reading each person first would cost as many
        # calls again.
        return self.proof(step) if step.interactive else None

    def looked(self, step, answer):
        if answer.error is None:
            valid_from = User.read(answer.body).sessions_valid_from
            observe(step, valid_from_before=valid_from.isoformat() if valid_from else None)
            if wants_both(step):
                observe(step, refresh_from_before=answer.body.get(REFRESH_CLOCK))
        return None

    def call(self, step):
        return Call("POST", f"/users/{segment(step.target_id)}/{self.operation}", beta=self.beta)

    def missing(self, step, error):
        return failed(error, _("This person no longer exists in the directory, so there was nothing to sign out."))

    def proof(self, step):
        both = wants_both(step)
        return Call("GET", f"/users/{segment(step.target_id)}?{SELECT}{f',{REFRESH_CLOCK}' if both else ''}", beta=both)

    def proved(self, step, answer):
        if isinstance(answer.error, NotFound):
            return self.missing(step, answer.error)
        if answer.error is not None:
            return unreadable(answer.error)
        person = User.read(answer.body)
        if person.is_external:
            text = _("Signs in elsewhere: the sessions belong to the home organisation, and only it can end them.")
            return Outcome(Verdict.NO_EFFECT, text, "external", answer.request_id)
        moved = self._moved(step, person.sessions_valid_from, before_image(step))
        if moved:
            observe(step, valid_from=person.sessions_valid_from.isoformat())
        if wants_both(step):
            return self._both(step, moved, moment_of(answer.body.get(REFRESH_CLOCK)), answer.request_id)
        return Outcome(Verdict.VERIFIED, request_id=answer.request_id) if moved else NOT_YET

    def _both(self, step, sessions_moved: bool, refresh_from: datetime | None, request_id: str) -> Outcome:
        """A proof of both dates: where only one of them moved, the other is waited for a while, and then said."""
        before = (step.observed or {}).get("refresh_from_before")
        refresh_moved = self._moved(step, refresh_from, parse_datetime(before) if before else None)
        if refresh_moved:
            observe(step, refresh_from=refresh_from.isoformat())
        if sessions_moved and refresh_moved:
            return Outcome(Verdict.VERIFIED, _("The directory shows it: both dates moved."), request_id=request_id)
        if not (sessions_moved or refresh_moved) or timezone.now() - step.called_at < BOTH_MOVE_WITHIN:
            return NOT_YET
        moved, stood = ("signInSessionsValidFromDateTime", REFRESH_CLOCK)
        if refresh_moved:
            moved, stood = stood, moved
        text = _("%(moved)s moved and %(stood)s did not: a policy that compares the latter goes on issuing tokens.")
        return Outcome(Verdict.VERIFIED, text % {"moved": moved, "stood": stood}, "one_clock", request_id)

    def _moved(self, step, valid_from: datetime | None, before: datetime | None) -> bool:
        """Whether the valid-from time is this call's doing, and not an earlier sign-out's."""
        if valid_from is None or step.called_at is None or valid_from < step.called_at - CLOCK_SKEW:
            return False
        # Microsoft may cut the time to whole seconds, so two sign-outs within one second look the same.
        return before is None or valid_from > before or valid_from >= step.called_at.replace(microsecond=0)

    def applied(self, steps):
        proved = {step.target_id: (step.observed or {}).get("valid_from") for step in steps}
        proved = {person: parse_datetime(at) for person, at in proved.items() if at}
        sync.mark_all_sessions_revoked(steps[0].tenant, proved)


def wants_both(step) -> bool:
    """Whether both of an account's dates are to be read back: the tenant's policies ask the gate."""
    return bool((step.params or {}).get("both_clocks"))


def before_image(step) -> datetime | None:
    """Until when sessions were ended before this step, as far as we know."""
    known = (step.observed or {}).get("valid_from_before") or (step.before or {}).get("sessions_valid_from")
    return parse_datetime(known) if known else None
