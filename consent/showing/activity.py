"""What the record says of one person, as sentences to that person: what was done, by whom, to what."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.access import Actor
from accounts.models import Membership
from accounts.refusals import known_code
from accounts.roles import Capability
from audit.models import Area, AuditEntry, AuditEvent as E, Outcome
from audit.templatetags.record import why
from consent.showing import deeds
from revocation import selectors
from revocation.models import RevocationStep, worst
from revocation.showing import own
from revocation.showing.words import action_words, state_means

# What lies between asking and the outcome is told by each request's own page.
BETWEEN = [E.STEPS_STARTED, E.STEP_ACCEPTED, E.STEP_RETRIED]
OUTCOMES = dict(RevocationStep.State.choices) | dict(Outcome.choices)

_STEP = (_("You asked for this: %(action)s, %(target)s."), _("%(who)s asked for this: %(action)s, %(target)s."))
# What the reader did, and what somebody else did to the reader.
SENTENCES = {
    E.SIGNED_IN: (_("You signed in to Consentry."), _("%(who)s signed in to Consentry as you.")),
    E.SIGN_IN_REFUSED: (_("Your sign-in to Consentry was refused."),) * 2,
    E.SIGNED_OUT: (_("You ended a session in Consentry: %(target)s."), _("%(who)s ended your session in Consentry.")),
    E.STEPPED_UP: (_("You signed in again to confirm a change."), _("%(who)s signed in again to confirm a change.")),
    E.MEMBERSHIP_GRANTED: (_("You let %(target)s in from another organisation."), _("%(who)s let you in.")),
    E.MEMBERSHIP_REVOKED: (_("You ended the membership of %(target)s."), _("%(who)s ended your membership.")),
    E.TENANT_CONNECTED: (_("You connected %(target)s to Consentry."), _("%(who)s connected %(target)s.")),
    E.TENANT_CHANGED: (_("You changed the settings of %(target)s."), _("%(who)s changed the settings.")),
    E.TENANT_RESTORED: (_("The database of the portal was restored from a backup."),) * 2,
    E.TENANT_PRUNED: (_("What was kept long enough was deleted."),) * 2,
    E.TENANT_LEFT: (_("%(target)s left Consentry."),) * 2,
    E.PERSON_ERASED: (_("Somebody's names were erased."), _("Your names were erased from the record.")),
    E.REVOCATION_REQUESTED: (_("You asked for this: %(title)s."), _("%(who)s asked for this: %(title)s.")),
    E.REVOCATION_APPROVED: (_("You approved this: %(title)s."), _("%(who)s approved this: %(title)s.")),
    E.REVOCATION_REJECTED: (_("You rejected this: %(title)s."), _("%(who)s rejected this: %(title)s.")),
    E.REVOCATION_OVERRIDDEN: (
        _("You let this begin without a second person: %(title)s."),
        _("%(who)s let this begin without a second person: %(title)s."),
    ),
    E.REVOCATION_APPROVAL_VOIDED: (_("The approval of this became void: %(title)s."),) * 2,
    E.REVOCATION_EXPIRED: (_("Nobody approved this in time: %(title)s."),) * 2,
    E.REVOCATION_PAUSED: (_("You paused this: %(title)s."), _("%(who)s paused this: %(title)s.")),
    E.REVOCATION_RESUMED: (_("You let this go on: %(title)s."), _("%(who)s let this go on: %(title)s.")),
    E.REVOCATION_CANCELLED: (
        _("You cancelled what was left of this: %(title)s."),
        _("%(who)s cancelled what was left of this: %(title)s."),
    ),
    E.REVOCATION_REFUSED: (
        _("You asked for this, and a rule refused it: %(action)s, %(target)s."),
        _("%(who)s asked for this, and a rule refused it: %(action)s, %(target)s."),
    ),
    E.REVOCATION_FINISHED: (_("This came to its end: %(title)s."),) * 2,
    E.STEPS_STARTED: _STEP,
    E.STEP_ACCEPTED: _STEP,
    E.STEP_VERIFIED: _STEP,
    E.STEP_NO_EFFECT: _STEP,
    E.STEP_RETRIED: _STEP,
    E.STEP_FAILED: _STEP,
    E.STEP_UNCONFIRMED: _STEP,
    E.RESULT_EXPORTED: (_("You downloaded what came of this: %(title)s."), _("%(who)s downloaded: %(title)s.")),
    E.LIST_EXPORTED: (_("You downloaded a list: %(target)s."), _("%(who)s downloaded a list: %(target)s.")),
    E.AUDIT_EXPORTED: (_("You exported the audit record."), _("%(who)s exported the audit record.")),
    E.AUDIT_ARCHIVED: (_("Older entries of the record went to the archive."),) * 2,
    E.AUDIT_CERTIFIED: (
        _("You downloaded a certificate of the audit record."),
        _("%(who)s downloaded a certificate of the audit record."),
    ),
    E.GATE_CREDENTIAL_CREATED: (
        _("You made a credential of the refresh gate: %(target)s."),
        _("%(who)s made a credential of the refresh gate: %(target)s."),
    ),
    E.GATE_CREDENTIAL_ENDED: (
        _("You ended a credential of the refresh gate: %(target)s."),
        _("%(who)s ended a credential of the refresh gate: %(target)s."),
    ),
    E.APP_REPORTED: (
        _("You reported an app that you do not recognise: %(target)s."),
        _("%(who)s reported an app: %(target)s."),
    ),
    E.REPORT_WITHDRAWN: (
        _("You withdrew your report of an app: %(target)s."),
        _("%(who)s withdrew a report of an app: %(target)s."),
    ),
    E.REPORT_REFUSED: (
        _("You reported many apps in a short time, so this report was refused: %(target)s."),
        _("A report of %(who)s was refused: %(target)s."),
    ),
    E.REPORT_ANSWERED: (
        _("You answered a report of an app: %(title)s."),
        _("%(who)s looked at the app that you reported: %(title)s."),
    ),
    E.DEALT_WITH: (
        _("You dealt with this in the inbox: %(target)s."),
        _("%(who)s dealt with this in the inbox: %(target)s."),
    ),
    E.REOPENED: (
        _("You put this back into the inbox: %(target)s."),
        _("%(who)s put this back into the inbox: %(target)s."),
    ),
    E.MAIL_CHOSEN: (_("You chose when you are told by mail."),) * 2,
    E.DIRECTORY_SYNCED: (_("The copy of the directory was completed."),) * 2,
    E.DIRECTORY_SYNC_FAILED: (_("The copy of the directory could not be completed."),) * 2,
}


# What tells one deed together: that it was asked for, what became of each step, and that it ended.
OF_A_DEED = frozenset(
    {E.REVOCATION_REQUESTED, E.REVOCATION_FINISHED, *(event for event, told in SENTENCES.items() if told is _STEP)}
)


@dataclass(frozen=True)
class Line:
    """One deed, ready to be read.

    Attributes:
        entry: the newest entry about it.
        icon: which kind of deed it is.
        sentence: who did what.
        proof: what became of it, where that is known; `why` it was done.
        outcome, state: the worst of its steps, in a word and as it is called.
        url: to every step of it, where the reader may see them.
        not_me: whether the reader may say that it was somebody else.
    """

    entry: AuditEntry
    icon: str
    sentence: str
    proof: str
    why: str
    outcome: str
    state: str
    url: str
    not_me: bool


def lines(entries: Sequence[AuditEntry], membership: Membership) -> list[Line]:
    """The entries as sentences, one for each deed, in one query."""
    actor = Actor.of(membership)
    ids = {entry.request_id for entry in entries if entry.request_id}
    asked = selectors.asked_by(membership.tenant, actor).filter(pk__in=ids)
    theirs = {pk: (title, kind) for pk, title, kind in asked.values_list("pk", "title", "kind")} if ids else {}
    return [
        _line(deed, actor, theirs.get(deed[0].request_id, ("", "")), _url(deed[0], theirs, membership))
        for deed in _deeds(entries)
    ]


def by_day(found: Sequence[Line]) -> list[dict]:
    """The lines under the day they happened on (UTC; times.js moves them to the reader's)."""
    days: dict = {}
    for line in found:
        days.setdefault(line.entry.at.date(), []).append(line)
    return [{"at": lines[0].entry.at, "lines": lines} for lines in days.values()]


def _deeds(entries: Sequence[AuditEntry]) -> list[list[AuditEntry]]:
    """Entries that tell one deed of one person together, newest first as they come."""
    found: dict = {}
    for entry in entries:
        together = entry.request_id and entry.event in OF_A_DEED
        found.setdefault((entry.request_id, entry.actor_id) if together else entry.pk, []).append(entry)
    return list(found.values())


def _line(deed: Sequence[AuditEntry], reader: Actor, request: tuple[str, str], url: str) -> Line:
    """One deed. `request`: title and kind of the reader's own request, for where what names it is on another page."""
    newest, (title, kind) = deed[0], request
    steps = [entry for entry in deed if SENTENCES.get(entry.event) is _STEP]
    asked = next((entry for entry in deed if entry.event == E.REVOCATION_REQUESTED), None)
    states = [step.outcome for step in steps if step.outcome in RevocationStep.State.values]
    state = worst(states) if states else newest.outcome
    kind = kind or (asked.action if asked else "")
    told = deeds.told(kind, asked, steps, state, reader)
    if not told and (asked or (title and len(steps) > 1)):
        told = sentence(asked, reader) if asked else str(SENTENCES[E.REVOCATION_REQUESTED][0]) % {"title": title}
    told = told or sentence((steps or deed)[0], reader)
    became = list(dict.fromkeys(f"{_became(step).rstrip('.')}." for step in steps))
    return Line(
        entry=newest,
        icon=deeds.icon(newest, kind),
        sentence=told,
        proof=" ".join(became),
        why=next(filter(None, (_why(entry, reader) for entry in deed)), ""),
        outcome=str(OUTCOMES.get(state, "")),
        state=state,
        url=url,
        not_me=newest.actor_id == reader.id and deeds.may_be_somebody_else(newest, kind),
    )


def sentence(entry: AuditEntry, reader: Actor) -> str:
    """An entry, told to its actor or to whom it was done to."""
    if entry.event not in SENTENCES:
        return f"{entry.event}: {entry.target_label}"  # of a later release
    by_reader, to_reader = SENTENCES[E(entry.event)]
    after = entry.after if isinstance(entry.after, dict) else {}
    return str(by_reader if entry.actor_id == reader.id else to_reader) % {
        "who": entry.actor_label or entry.actor_id,
        "target": _("yours")
        if entry.event == E.SIGNED_OUT and entry.target_id == reader.id
        else _target(entry, reader),
        "title": str(after.get("title") or entry.target_label).rstrip("."),
        "action": action_words(entry.action),
    }


def _why(entry: AuditEntry, reader: Actor) -> str:
    """The reason the reader gave, or a code in words. What somebody else typed is for the record's readers alone."""
    is_code = entry.event in E.of(Area.SESSIONS) and bool(known_code(entry.reason))
    return why(entry) if entry.actor_id == reader.id or is_code else ""


def _target(entry: AuditEntry, reader: Actor) -> str:
    if entry.target_id == reader.id:
        return str(_("yours") if entry.event == E.SIGNED_OUT else _("your account"))
    return entry.target_label or entry.target_id


def _became(entry: AuditEntry) -> str:
    """What became of a step: what was found out, else what its state means for its action."""
    after = entry.after if isinstance(entry.after, dict) else {}
    if entry.outcome == RevocationStep.State.VERIFIED and (seen := own.shown(entry.action)):
        return seen
    return str(after.get("outcome") or state_means(entry.outcome) or E(entry.event).label)


def _url(entry: AuditEntry, own: Container, membership: Membership) -> str:
    if entry.request_id in own:
        return reverse("revocation:own-detail", args=[entry.request_id])
    if entry.request_id and membership.can(Capability.VIEW_REVOCATIONS):
        return reverse("revocation:detail", args=[membership.tenant.slug, entry.request_id])
    return ""
