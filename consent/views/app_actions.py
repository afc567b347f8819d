"""What an administrator does to one app. Each says first what will happen; each needs a fresh sign-in."""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.access import or_404, require, safe_next
from accounts.ids import id_or_none
from accounts.roles import Capability
from consent import agent_changes, services
from consent.forms import ReasonForm, TypedForm
from consent.showing import app_changes as said
from directory import agents, selectors
from directory.models import ServicePrincipal
from revocation.showing.confirming import confirm_and_do

changes_apps = require(Capability.CHANGE_APPS, step_up=True, again=True)
deletes_apps = require(Capability.CHANGE_APPS, step_up=True)
MOST_PEOPLE = 100  # ticked at once, as many as a page of them and more
reads_and_posts = require_http_methods(["GET", "HEAD", "POST"])


@reads_and_posts
@changes_apps
def revoke_user_consent(request: HttpRequest, app_id: UUID, person_id: UUID) -> HttpResponse:
    app = or_404(selectors.app, request.tenant, app_id)
    consent = or_404(selectors.user_consent, app, person_id)
    do = partial(services.revoke_user_consent, request.tenant, app, person_id)
    back = safe_next(request.GET.get("next")) or _page(request, app, "people")
    return confirm_and_do(request, said.user_consent(app, consent, back), _reason(request), do)


@reads_and_posts
@changes_apps
def revoke_user_consents(request: HttpRequest, app_id: UUID) -> HttpResponse:
    """Withdraw what several people let the app do: those the address names, who were ticked."""
    app = or_404(selectors.app, request.tenant, app_id)
    ids = [found for pk in request.GET.getlist("person")[:MOST_PEOPLE] if (found := id_or_none(pk))]
    consents = [found for pk in dict.fromkeys(ids) if (found := selectors.user_consent(app, pk))]
    back = _page(request, app, "people")
    if not consents:
        messages.info(request, gettext("Nobody was ticked who still lets it act for them."))
        return redirect(back)
    do = partial(services.revoke_user_consents, request.tenant, app, [one.person_id for one in consents])
    return confirm_and_do(request, said.user_consents(app, consents, back), _reason(request), do)


@reads_and_posts
@changes_apps
def revoke_tenant_consent(request: HttpRequest, app_id: UUID) -> HttpResponse:
    app = or_404(selectors.app, request.tenant, app_id)
    do = partial(services.revoke_tenant_consent, request.tenant, app)
    return confirm_and_do(request, said.tenant_consent(app, _page(request, app, "organisation")), _reason(request), do)


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
@deletes_apps
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
    back = _page(request, app, "ties")
    return confirm_and_do(request, said.signing_out_account(app, account, back), _reason(request), do)


@reads_and_posts
@changes_apps
def take_from_blueprint(request: HttpRequest, app_id: UUID, resource_id: UUID, kind: str, value: str) -> HttpResponse:
    """Take one permission from an agent blueprint, and with it from every agent made from it."""
    app = or_404(selectors.app, request.tenant, app_id)
    sentence = or_404(agents.passed_on, app, resource_id, kind, value)
    do = partial(agent_changes.take_from_blueprint_of, request.tenant, app, resource_id, kind, value)
    back = _page(request, app, "passes")
    return confirm_and_do(request, said.taking(app, sentence, back), _reason(request), do)


def _reason(request: HttpRequest) -> ReasonForm:
    return ReasonForm(request.POST or None)


def _page(request: HttpRequest, app: ServicePrincipal, tab: str = "") -> str:
    page = reverse("consent:app", args=[request.tenant.slug, app.pk])
    return f"{page}?tab={tab}" if tab else page
