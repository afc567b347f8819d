"""What an administrator does to one app. Each says first what will happen; each needs a fresh sign-in."""

from functools import partial
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.access import or_404, require
from accounts.roles import Capability
from consent import agent_changes, services
from consent.forms import ReasonForm, TypedForm
from consent.showing import app_changes as said
from directory import agents, selectors
from directory.models import ServicePrincipal
from revocation.showing.confirming import confirm_and_do

changes_apps = require(Capability.CHANGE_APPS, step_up=True)
reads_and_posts = require_http_methods(["GET", "HEAD", "POST"])


@reads_and_posts
@changes_apps
def revoke_user_consent(request: HttpRequest, app_id: UUID, person_id: UUID) -> HttpResponse:
    app = or_404(selectors.app, request.tenant, app_id)
    consent = or_404(selectors.user_consent, app, person_id)
    do = partial(services.revoke_user_consent, request.tenant, app, person_id)
    return confirm_and_do(request, said.user_consent(app, consent, _page(request, app)), _reason(request), do)


@reads_and_posts
@changes_apps
def revoke_tenant_consent(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app = or_404(selectors.app, request.tenant, app_id)
    do = partial(services.revoke_tenant_consent, request.tenant, app)
    return confirm_and_do(request, said.tenant_consent(app, _page(request, app)), _reason(request), do)


@reads_and_posts
@changes_apps
def disable(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app = or_404(selectors.app, request.tenant, app_id)
    do = partial(services.disable_app, request.tenant, app)
    return confirm_and_do(request, said.disabling(app, _page(request, app)), _reason(request), do)


@reads_and_posts
@changes_apps
def enable(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app = or_404(selectors.app, request.tenant, app_id)
    do = partial(services.enable_app, request.tenant, app)
    return confirm_and_do(request, said.enabling(app, _page(request, app)), _reason(request), do)


@reads_and_posts
@changes_apps
def delete(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app = or_404(selectors.app, request.tenant, app_id)
    form = TypedForm(request.POST or None, app=app)
    do = partial(services.delete_app, request.tenant, app)
    return confirm_and_do(request, said.deleting(app, _page(request, app)), form, do)


@reads_and_posts
@changes_apps
def sign_out_account(request: HttpRequest, app_id: UUID) -> HttpResponse:
    """End the sessions of an agent's own account."""
    app = or_404(selectors.app, request.tenant, app_id)
    if (account := agents.account_of(app)) is None:
        raise Http404
    do = partial(agent_changes.sign_out_account_of, request.tenant, app)
    back = f"{_page(request, app)}?tab=ties"
    return confirm_and_do(request, said.signing_out_account(app, account, back), _reason(request), do)


@reads_and_posts
@changes_apps
def take_from_blueprint(request: HttpRequest, app_id: UUID, resource_id: UUID, kind: str, value: str) -> HttpResponse:
    """Take one permission from an agent blueprint, and with it from every agent made from it."""
    app = or_404(selectors.app, request.tenant, app_id)
    sentence = or_404(agents.passed_on, app, resource_id, kind, value)
    do = partial(agent_changes.take_from_blueprint_of, request.tenant, app, resource_id, kind, value)
    back = f"{_page(request, app)}?tab=passes"
    return confirm_and_do(request, said.taking(app, sentence, back), _reason(request), do)


def _reason(request: HttpRequest) -> ReasonForm:
    return ReasonForm(request.POST or None)


def _page(request: HttpRequest, app: ServicePrincipal) -> str:
    return reverse("consent:app", args=[request.tenant.slug, app.pk])
