"""What a person did here, and what was done to them."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import Actor, require
from accounts.roles import Capability
from audit import selectors
from audit.models import AuditEntry, AuditEvent
from revocation.models import RevocationStep

# What lies between asking and the outcome is told by each request's own page.
BETWEEN = [AuditEvent.STEPS_STARTED, AuditEvent.STEP_ACCEPTED, AuditEvent.STEP_RETRIED]
OUTCOMES = dict(RevocationStep.State.choices)


@dataclass(frozen=True)
class Line:
    """One entry of the record, in the reader's words."""

    entry: AuditEntry
    what: str
    outcome: str
    own: bool


@dataclass(frozen=True)
class Lines:
    items: list[Line]
    next: int | None


@require_safe
@require(Capability.OWN_APPS)
def my_activity(request: HttpRequest) -> HttpResponse:
    own_id = Actor.of(request.membership).id
    after = request.GET.get("after", "")
    found = selectors.own_activity(request.tenant.pk, own_id).exclude(event__in=BETWEEN)
    page = selectors.page(found, after=int(after) if after.isdecimal() and len(after) < 19 else None)
    lines = [_line(entry, own_id) for entry in page.items]
    return render(request, "consent/activity.html", {"page": Lines(lines, page.after)})


def _line(entry: AuditEntry, own_id: str) -> Line:
    what = str(AuditEvent(entry.event).label) if entry.event in AuditEvent.values else entry.event
    if entry.event == AuditEvent.REVOCATION_REQUESTED and (title := (entry.after or {}).get("title")):
        what = _("asked for: %(title)s") % {"title": title}
    outcome = str(OUTCOMES.get(entry.outcome, entry.outcome))
    return Line(entry, what[:1].upper() + what[1:], outcome, entry.actor_id == own_id)
