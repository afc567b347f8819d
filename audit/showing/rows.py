"""The rows of the record: what belongs to one request is one row, told by what became of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Count
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit import selectors
from audit.models import Area, AuditEntry, AuditEvent as E, Outcome
from audit.showing import deeds
from audit.showing.sentences import SENTENCES, sentence, told
from audit.templatetags.record import why

STEPS = E.of(Area.STEPS)
OF_A_REQUEST = frozenset({*E.of(Area.REVOCATIONS), *STEPS} - {E.REVOCATION_REFUSED})
BAD = {Outcome.FAILED, Outcome.REFUSED}
DOUBTFUL = {Outcome.UNCONFIRMED, Outcome.NO_EFFECT, Outcome.UNKNOWN, Outcome.INCOMPLETE}
# What a request is called by, the first that there is an entry of.
BECAME: tuple[tuple[E, str | Promise, str], ...] = (
    (E.STEP_FAILED, Outcome.FAILED.label, "bad"),
    (E.STEP_UNCONFIRMED, Outcome.UNCONFIRMED.label, "warn"),
    (E.REVOCATION_REJECTED, _("Rejected"), "warn"),
    (E.REVOCATION_EXPIRED, _("Not approved in time"), "warn"),
    (E.REVOCATION_CANCELLED, _("Cancelled"), "warn"),
    (E.STEP_NO_EFFECT, Outcome.NO_EFFECT.label, "warn"),
)


@dataclass
class Row:
    """One line of the record.

    Attributes:
        entry: the newest entry it is about.
        count: how many entries of this page it stands for.
        state, look: what became of it, in a word, and how the word looks.
        why: the reason that was given, or what a code means.
        request_id: whose other entries are folded under this row; None where it stands for one entry.
    """

    entry: AuditEntry
    sentence: SafeString
    state: str | Promise = ""
    look: str = ""
    why: str = ""
    approver: str = ""
    ticket: str = ""
    count: int = 1
    request_id: UUID | None = None


@dataclass
class _Request:
    """What the whole record says of one request, whatever part of it is on this page."""

    asked: AuditEntry | None = None
    sample: AuditEntry | None = None  # any of its outcomes
    counts: dict[str, int] = field(default_factory=dict)
    targets: int = 0


def rows(entries: Sequence[AuditEntry], *, together: bool = True) -> list[Row]:
    """The entries of a page as rows, in their order; three queries more where some are about requests."""
    groups: dict = {}
    for entry in entries:
        joined = together and entry.request_id and entry.event in OF_A_REQUEST
        groups.setdefault(entry.request_id if joined else entry.pk, []).append(entry)
    ids = {group[0].request_id for key, group in groups.items() if key == group[0].request_id}
    requests = _requests(entries[0].tenant_id, ids) if ids else {}
    return [
        _request_row(group, requests[key]) if key in requests else _entry_row(group[0]) for key, group in groups.items()
    ]


def _entry_row(entry: AuditEntry) -> Row:
    look = "bad" if entry.outcome in BAD else "warn" if entry.outcome in DOUBTFUL else ""
    state = Outcome(entry.outcome).label if entry.outcome in Outcome.values else entry.outcome
    if entry.event in (E.SIGN_IN_REFUSED, E.REVOCATION_REFUSED, E.REVOCATION_REJECTED):
        state, look = state or Outcome.REFUSED.label, "bad"
    return Row(entry, sentence(entry), state, look, why(entry), entry.approver_label, entry.ticket)


def _request_row(group: list[AuditEntry], about: _Request) -> Row:
    newest, told_by = group[0], about.asked or group[-1]
    state, look = _became(about)
    done = deeds.done(told_by.action) if about.asked and about.targets == 1 else None
    if done and about.sample and not look and state == Outcome.VERIFIED.label:
        words = told(done, told_by, about.sample.target_label)
    else:
        words = told(SENTENCES[E.REVOCATION_REQUESTED], told_by) if about.asked else sentence(told_by)
    approver = about.sample.approver_label if about.sample else ""
    approver = approver or next((one.actor_label for one in group if one.event == E.REVOCATION_APPROVED), "")
    return Row(
        newest, words, state, look, why(told_by), approver, told_by.ticket, len(group), request_id=newest.request_id
    )


def _became(about: _Request) -> tuple[str | Promise, str]:
    for event, word, look in BECAME:
        if about.counts.get(event):
            return word, look
    if not about.counts.get(E.REVOCATION_FINISHED):
        return _("Under way"), ""
    return (Outcome.VERIFIED.label if about.counts.get(E.STEP_VERIFIED) else Outcome.ACCEPTED.label), ""


def _requests(tenant_id: UUID, ids: set[UUID]) -> dict[UUID, _Request]:
    of_them = AuditEntry.objects.filter(tenant_id=tenant_id, request_id__in=ids, event__in=OF_A_REQUEST)
    found: dict[UUID, _Request] = defaultdict(_Request)
    for row in of_them.values("request_id", "event").annotate(n=Count("id"), targets=Count("target_id", distinct=True)):
        about = found[row["request_id"]]
        about.counts[row["event"]] = row["n"]
        if row["event"] in STEPS and row["event"] != E.STEPS_STARTED:
            about.targets = max(about.targets, row["targets"])
    asked = of_them.filter(event=E.REVOCATION_REQUESTED).order_by("-sequence")
    for entry in selectors.page(asked, size=len(ids)).items:
        found[entry.request_id].asked = entry
    outcomes = of_them.filter(event__in=[event for event in STEPS if event != E.STEPS_STARTED])
    newest = outcomes.order_by("request_id", "-sequence").distinct("request_id")
    for entry in selectors.page(newest, size=len(ids)).items:
        found[entry.request_id].sample = entry
    return dict(found)
