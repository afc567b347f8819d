"""What changed since a day: new consents and apps, what was taken back here or at Microsoft, and deleted apps."""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import require
from accounts.roles import Capability
from consent.forms import SinceForm
from directory import selectors, wording
from revocation import selectors as revocations

USUAL = timedelta(days=7)
MOST = 25  # requests; the list of all is a click away


@require_safe
@require(Capability.VIEW_APPS)
def changes(request: HttpRequest) -> HttpResponse:
    form = SinceForm(request.GET or None)
    since = _start_of(form)
    found = selectors.changes_since(request.tenant, since, request.GET.get("after", ""))
    by = revocations.deletions_of(request.tenant, found.deleted)
    shown = request.membership.can(Capability.VIEW_REVOCATIONS)
    context = {
        "form": form,
        "since": since,
        "since_date": since.date().isoformat(),
        "found": found,
        "page": found.consents,
        "rows": [(grant, wording.summary(grant.scopes, "admin")) for grant in found.consents],
        "deleted": [(app, by.get(app.pk)) for app in found.deleted],
        "withdrawn": [(one, person, wording.summary(one.scopes, "admin")) for one, person in found.withdrawn],
        "revocations": revocations.requests(request.tenant).filter(created_at__gte=since).count(),
        "show_revocations": shown,
        "taken": list(revocations.of_apps_since(request.tenant, since)[:MOST]) if shown else [],
    }
    return render(request, "consent/changes.html", context)


def _start_of(form: SinceForm) -> datetime:
    """The beginning of the day asked for; a week ago where none was, or none that can be read."""
    if form.is_valid() and (day := form.cleaned_data["since"]):
        return timezone.make_aware(datetime.combine(day, datetime.min.time()))
    return (timezone.now() - USUAL).replace(hour=0, minute=0, second=0, microsecond=0)
