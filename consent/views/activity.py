"""What a person did here, and what was done to them."""

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import Actor, require
from accounts.roles import Capability
from audit import selectors
from audit.models import AuditEntry
from consent.showing import activity


@require_safe
@require(Capability.OWN_APPS)
def my_activity(request: HttpRequest) -> HttpResponse:
    after = request.GET.get("after", "")
    page = selectors.page(_own(request), after=int(after) if after.isdecimal() and len(after) < 19 else None)
    lines = activity.lines(page.items, request.membership)
    context = {"days": activity.by_day(lines), "page": {"next": page.after}}
    return render(request, "consent/activity.html", context)


@require_safe
@require(Capability.OWN_APPS)
def not_me(request: HttpRequest, sequence: int) -> HttpResponse:
    """What to do when a deed in one's own name was somebody else's: it may be the sign of a stolen account."""
    found = selectors.page(_own(request).filter(sequence=sequence), size=1).items
    line = next(iter(activity.lines(found, request.membership)), None)
    if line is None or not line.not_me:
        raise Http404
    return render(request, "consent/not_me.html", {"line": line})


def _own(request: HttpRequest) -> QuerySet[AuditEntry]:
    own_id = Actor.of(request.membership).id
    return selectors.own_activity(request.tenant.pk, own_id, without=activity.BETWEEN)
