"""What an administrator does to one app. Each says first what will happen; each needs a fresh sign-in."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.access import Actor, or_404, require
from accounts.roles import Capability
from consent import services
from consent.forms import ReasonForm, TypedForm
from consent.showing import app_changes as said
from directory import selectors
from directory.models import ServicePrincipal
from revocation.models import RevocationRequest
from revocation.showing.confirming import confirm, refusals_to_messages

changes_apps = require(Capability.CHANGE_APPS, step_up=True)
reads_and_posts = require_http_methods(["GET", "HEAD", "POST"])


@reads_and_posts
@changes_apps
def revoke_user_consent(request: HttpRequest, app_id: UUID, person_id: UUID) -> HttpResponse:
    app = or_404(selectors.app, request.tenant, app_id)
    consent = or_404(selectors.user_consent, app, person_id)
    form, back = ReasonForm(request.POST or None), _page(request, app)
    if request.method == "POST" and form.is_valid():
        with refusals_to_messages(request):
            done = services.revoke_user_consent(
                request.tenant, app, person_id, actor=_actor(request), **form.cleaned_data
            )
            return _told(done)
        return redirect(back)
    return confirm(request, said.user_consent(app, consent, back), form)


@reads_and_posts
@changes_apps
def revoke_tenant_consent(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app = or_404(selectors.app, request.tenant, app_id)
    form, back = ReasonForm(request.POST or None), _page(request, app)
    if request.method == "POST" and form.is_valid():
        with refusals_to_messages(request):
            done = services.revoke_tenant_consent(request.tenant, app, actor=_actor(request), **form.cleaned_data)
            return _told(done)
        return redirect(back)
    return confirm(request, said.tenant_consent(app, back), form)


@reads_and_posts
@changes_apps
def disable(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app = or_404(selectors.app, request.tenant, app_id)
    form, back = ReasonForm(request.POST or None), _page(request, app)
    if request.method == "POST" and form.is_valid():
        with refusals_to_messages(request):
            done = services.disable_app(request.tenant, app, actor=_actor(request), **form.cleaned_data)
            return _told(done)
        return redirect(back)
    return confirm(request, said.disabling(app, back), form)


@reads_and_posts
@changes_apps
def enable(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app = or_404(selectors.app, request.tenant, app_id)
    form, back = ReasonForm(request.POST or None), _page(request, app)
    if request.method == "POST" and form.is_valid():
        with refusals_to_messages(request):
            done = services.enable_app(request.tenant, app, actor=_actor(request), **form.cleaned_data)
            return _told(done)
        return redirect(back)
    return confirm(request, said.enabling(app, back), form)


@reads_and_posts
@changes_apps
def delete(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app = or_404(selectors.app, request.tenant, app_id)
    form, back = TypedForm(request.POST or None, name=app.display_name), _page(request, app)
    if request.method == "POST" and form.is_valid():
        with refusals_to_messages(request):
            done = services.delete_app(request.tenant, app, actor=_actor(request), **form.cleaned_data)
            return _told(done)
        return redirect(back)
    return confirm(request, said.deleting(app, back), form)


def _page(request: HttpRequest, app: ServicePrincipal) -> str:
    return reverse("consent:app", args=[request.tenant.slug, app.pk])


def _actor(request: HttpRequest) -> Actor:
    return Actor.of(request.membership)


def _told(done: RevocationRequest) -> HttpResponse:
    """On to the page that tells what becomes of it."""
    return redirect("revocation:detail", done.tenant.slug, done.pk)
