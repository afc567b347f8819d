"""The recycle bin: what was deleted in the last 30 days, back again or gone for good."""

from datetime import timedelta
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import or_404, require
from accounts.roles import Capability
from consent import services
from consent.forms import ReasonForm, TypedForm
from consent.views.doing import follow
from directory import selectors
from directory.models import Collection, ServicePrincipal
from directory.paging import mapped
from revocation.showing.confirming import Confirmation, Truth, confirm

# https://learn.microsoft.com/entra/identity/enterprise-apps/restore-application
KEPT_FOR = timedelta(days=30)


@require_safe
@require(Capability.CHANGE_APPS)
def deleted_apps(request: HttpRequest) -> HttpResponse:
    page = selectors.deleted_apps(request.tenant, after=request.GET.get("after", ""))
    rows = mapped(page, lambda apps: [{"app": app, "purged_at": app.deleted_at + KEPT_FOR} for app in apps])
    fresh = selectors.freshness(request.tenant)[Collection.Kind.DELETED_APPS]
    return render(request, "consent/deleted_apps.html", {"page": rows, "collection": fresh})


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.CHANGE_APPS, step_up=True)
def restore(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app, form = _deleted(request, app_id), ReasonForm(request.POST or None)
    return _change(request, app, form, services.restore_app, _restoring(app))


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.CHANGE_APPS, step_up=True)
def purge(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app = _deleted(request, app_id)
    form = TypedForm(request.POST or None, name=app.display_name)
    return _change(request, app, form, services.purge_app, _purging(app))


def _change(request: HttpRequest, app: ServicePrincipal, form, service, says: dict) -> HttpResponse:
    back = reverse("consent:deleted-apps", args=[request.tenant.slug])
    if request.method == "POST" and form.is_valid():
        return follow(request, back, service, app, **form.cleaned_data)
    return confirm(request, Confirmation(back=back, **says), form)


def _deleted(request: HttpRequest, app_id: UUID) -> ServicePrincipal:
    app = or_404(selectors.app, request.tenant, app_id)
    if app.deleted_at is None:
        raise Http404
    return app


def _restoring(app: ServicePrincipal) -> dict:
    return {
        "title": _("Restore %(app)s?") % {"app": app.display_name},
        "button": _("Restore %(app)s") % {"app": app.display_name},
        "danger": False,
        "truths": [
            Truth(_("Comes back"), _("The app, enabled or disabled as it was, and its assignments.")),
            Truth(_("Then"), _("We compare its grants with what was there before, and put back what is missing.")),
            Truth(_("So"), _("Whoever had allowed it has allowed it again; nobody is asked.")),
        ],
    }


def _purging(app: ServicePrincipal) -> dict:
    return {
        "title": _("Delete %(app)s for good?") % {"app": app.display_name},
        "button": _("Delete %(app)s for good") % {"app": app.display_name},
        "truths": [
            Truth(_("Goes"), _("The app in this tenant, its assignments and grants. Nobody can restore it.")),
            Truth(_("Stays"), _("Our record of it. The app in its publisher's own tenant.")),
            Truth(_("Later"), _("If someone consents to it again, it comes back as a new app with new ids.")),
        ],
    }
