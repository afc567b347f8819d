"""By the people an app acts for: "I don't recognise this app", and taking that back."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import local_path, or_404, require
from accounts.roles import Capability
from directory import selectors as directory
from inbox import selectors, services
from revocation.showing.confirming import refusals_to_messages


@require_POST
@require(Capability.OWN_APPS)
def report(request: HttpRequest, app_id: UUID) -> HttpResponse:
    """One click, and those who look after the apps know."""
    mine = or_404(directory.my_app, request.tenant, request.membership.object_id, app_id)
    with refusals_to_messages(request):
        made = services.report_app(request.membership, mine.app, note=request.POST.get("note", ""))
        said = _(
            "Reported: your organisation's administrators are asked to look at %(app)s. It still works until then."
        )
        undo = f"undo:{reverse('inbox:withdraw', args=[made.pk])}"
        messages.success(request, said % {"app": mine.app.display_name}, extra_tags=undo)
    return _back(request)


@require_POST
@require(Capability.OWN_APPS)
def withdraw(request: HttpRequest, report_id: UUID) -> HttpResponse:
    found = or_404(selectors.own_report, request.membership, report_id)
    withdrawn = services.withdraw_report(request.membership, found)
    if withdrawn.withdrawn_at:
        messages.success(request, _("Your report of %(app)s is withdrawn.") % {"app": found.app_label})
    else:
        messages.info(request, _("Somebody has looked at %(app)s already.") % {"app": found.app_label})
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    return redirect(local_path(request, request.headers.get("Referer", "")))
