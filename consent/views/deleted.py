"""The recycle bin: what was deleted in the last 30 days, back again or gone for good."""

from datetime import timedelta
from functools import partial
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import or_404, require
from accounts.roles import Capability
from consent import services
from consent.forms import ReasonForm, TypedForm
from consent.showing import app_changes as said
from directory import selectors
from directory.models import Collection, ServicePrincipal
from directory.paging import mapped
from revocation import selectors as revocations
from revocation.showing.confirming import confirm_and_do

# https://learn.microsoft.com/entra/identity/enterprise-apps/restore-application
KEPT_FOR = timedelta(days=30)


@require_safe
@require(Capability.CHANGE_APPS)
def deleted_apps(request: HttpRequest) -> HttpResponse:
    page = selectors.deleted_apps(request.tenant, after=request.GET.get("after", ""))
    by = revocations.deletions_of(request.tenant, page.items)
    rows = mapped(
        page,
        lambda apps: [{"app": app, "purged_at": app.deleted_at + KEPT_FOR, "deletion": by.get(app.pk)} for app in apps],
    )
    fresh = selectors.freshness(request.tenant)[Collection.Kind.DELETED_APPS]
    return render(request, "consent/deleted_apps.html", {"page": rows, "collection": fresh})


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.CHANGE_APPS, step_up=True)
def restore(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app, form = _deleted(request, app_id), ReasonForm(request.POST or None)
    do = partial(services.restore_app, request.tenant, app)
    return confirm_and_do(request, said.restoring(app, _list(request)), form, do)


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.CHANGE_APPS, step_up=True)
def purge(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app = _deleted(request, app_id)
    form = TypedForm(request.POST or None, app=app)
    do = partial(services.purge_app, request.tenant, app)
    return confirm_and_do(request, said.purging(app, _list(request)), form, do)


def _list(request: HttpRequest) -> str:
    return reverse("consent:deleted-apps", args=[request.tenant.slug])


def _deleted(request: HttpRequest, app_id: UUID) -> ServicePrincipal:
    app = or_404(selectors.app, request.tenant, app_id)
    if app.deleted_at is None:
        raise Http404
    return app
