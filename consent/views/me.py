"""My apps: what can act in my name, and how to make it stop."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import pace
from accounts.access import asks_by_itself, or_404, require
from accounts.roles import Capability
from consent import own_removals
from consent.showing import own_apps, removals
from directory import agents, selectors, sync
from directory.models import Collection, ServicePrincipal
from directory.my_apps import MyApp
from directory.wording import Sentence
from graph.errors import GraphError
from inbox import services as inbox
from revocation.models import RevocationRequest
from revocation.showing import live
from revocation.showing.confirming import confirm, refusals_to_messages


@require_safe
@require(Capability.OWN_APPS)
def my_apps(request: HttpRequest) -> HttpResponse:
    """The copy at once; the page then asks for `refresh` by itself."""
    return render(request, "consent/my_apps.html", own_apps.listing(request) | {"first": True})


@require_POST
@require(Capability.OWN_APPS)
def refresh(request: HttpRequest) -> HttpResponse:
    """Read this person's grants from Graph, then show the list again; without Graph, the copy and the reason.

    What was read a moment ago is the answer: a page that is opened often costs the organisation nothing.
    """
    checked, problem = pace.read_lately(request.user.pk), ""
    if not checked:
        checked, problem = _read_now(request)
    if not request.htmx:
        if problem:
            messages.warning(request, problem)
        else:
            messages.success(request, _("Read from Microsoft just now."))
        return redirect("consent:my-apps")
    context = own_apps.listing(request, read=bool(checked)) | {"checked": checked, "problem": problem}
    return render(request, "consent/_my_apps.html", context)


def _read_now(request: HttpRequest) -> tuple[datetime | None, str]:
    """When it was read, or None and why not."""
    if seconds := pace.take(request.user.pk, pace.READINGS):
        return None, _("You asked often, so this is our copy. %(wait)s") % {"wait": pace.wait(seconds)}
    try:
        if not sync.refresh_person(request.tenant, request.membership.object_id):
            return None, _("Microsoft's directory does not show your account, so this is our copy.")
    except GraphError as error:
        return None, _("Microsoft could not be asked just now: %(why)s") % {"why": error}
    return pace.note_reading(request.user.pk), ""


@require_safe
@require(Capability.OWN_APPS)
def my_app(request: HttpRequest, app_id: UUID) -> HttpResponse:
    item = _mine(request, app_id)
    context = own_apps.about(request, item) | {
        "ties": agents.ties(item.app) if item.inherited_grants else None,
        "known_since": selectors.freshness(request.tenant)[Collection.Kind.GRANTS].first_complete_at,
    }
    return render(request, "consent/my_app.html", context)


@require_safe
@require(Capability.OWN_APPS)
def my_agent(request: HttpRequest, app_id: UUID) -> HttpResponse:
    """An agent or a blueprint that this person sponsors or owns."""
    membership = request.membership
    app = or_404(agents.answered_for, request.tenant, membership.object_id, app_id)
    context = {
        "app": app,
        "blueprint": agents.blueprint_of(app),
        "own": selectors.admin_permissions(app),
        "alone": selectors.app_only_permissions(app),
        "people": app.user_consent_count,
        "inherited": agents.inherited(app),
        "made": agents.all_of(app).count() if app.kind == ServicePrincipal.Kind.BLUEPRINT else None,
        "ties": agents.ties(app),
    }
    return render(request, "consent/my_agent.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.OWN_APPS)
@pace.limited(pace.CHANGES)
def remove_app(request: HttpRequest, app_id: UUID) -> HttpResponse:
    item = _mine(request, app_id)
    if not item.removable:
        return redirect("consent:my-app", app_id)
    if request.method == "POST":
        reason = _reason_and_report(request, [item])
        with refusals_to_messages(request):
            _say(request, own_removals.remove_own_app(request.membership, item.app, reason=reason))
        return redirect("consent:my-apps")
    return confirm(request, own_apps.removal(item), base="base.html")


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.OWN_APPS)
@pace.limited(pace.CHANGES)
def remove_apps(request: HttpRequest) -> HttpResponse:
    """Several at once, as they were ticked or suggested: what is not there (any more), or not theirs, is left out."""
    chosen = set(request.GET.getlist("app")[: own_apps.MOST_AT_ONCE])
    items = [item for item in own_apps.of(request.membership) if item.removable and str(item.id) in chosen]
    if not items:
        messages.warning(request, _("None of your apps was ticked. Nothing was changed."))
        return redirect("consent:my-apps")
    if request.method == "POST":
        reason, apps = _reason_and_report(request, items), [item.app for item in items]
        with refusals_to_messages(request):
            _say(request, own_removals.remove_own_apps(request.membership, apps, reason=reason))
        return redirect("consent:my-apps")
    return confirm(request, own_apps.removal_of(items), base="base.html")


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.OWN_APPS)
@pace.limited(pace.CHANGES)
def remove_permission(request: HttpRequest, app_id: UUID, resource_id: UUID, scope: str) -> HttpResponse:
    """Take one permission back and leave the app the others: its page stays, for as long as there is one."""
    item = _mine(request, app_id)
    sentence = _own_sentence(item, resource_id, scope)
    if request.method == "POST":
        with refusals_to_messages(request):
            _say(request, own_removals.remove_own_permission(request.membership, item.app, resource_id, scope))
        left = [value for value in item.scopes if value != scope] or item.granted_by_organisation
        return redirect("consent:my-app", app_id) if left else redirect("consent:my-apps")
    return confirm(request, own_apps.permission_removal(item, sentence), base="base.html")


@asks_by_itself
@require_safe
@require(Capability.OWN_APPS)
def listed(request: HttpRequest) -> HttpResponse:
    """The list alone, asked for again while a removal in it is under way; 204 where the browser shows just that."""
    context = own_apps.listing(request)
    return live.answer_with(request, context["part"], "consent/_my_apps_polled.html", context)


@require_POST
@require(Capability.OWN_APPS)
@pace.limited(pace.CHANGES)
def undo(request: HttpRequest, request_id: UUID) -> HttpResponse:
    removal = or_404(removals.one, request.membership, request_id)
    with refusals_to_messages(request):
        messages.success(request, _came_to(own_removals.undo_own_removal(request.membership, removal.request)))
    return redirect("consent:my-apps")


def _reason_and_report(request: HttpRequest, items: list[MyApp]) -> str:
    """What they said in the form: why, and whether those who look after the apps are to know that it is none of theirs.

    An app is removed also where its report is refused, which is said.
    """
    reason = request.POST.get("reason", "")[:1000]
    if reason or "report" in request.POST:
        with refusals_to_messages(request):
            for item in items:
                inbox.report_app(request.membership, item.app, removed=True)
    return reason


def _mine(request: HttpRequest, app_id: UUID) -> MyApp:
    return or_404(selectors.my_app, request.tenant, request.membership.object_id, app_id)


def _own_sentence(item: MyApp, resource_id: UUID, scope: str) -> Sentence:
    for group in item.permissions:
        for sentence in group.sentences:
            if group.resource_id == resource_id and sentence.value == scope and item.mine(sentence):
                return sentence
    raise Http404


def _say(request: HttpRequest, done: RevocationRequest) -> None:
    """Say on the list, where the row tells what becomes of it, what was asked, and offer to undo it."""
    removal = removals.one(request.membership, done.pk)
    undo = f"undo:{reverse('consent:undo', args=[done.pk])}" if removal and removal.undo_until else ""
    messages.success(request, _came_to(done), extra_tags=undo)


def _came_to(done: RevocationRequest) -> str:
    """Never more than is known: the row tells what was proved."""
    if done.state == RevocationRequest.State.FINISHED:
        return _("%(title)s: finished. The list says what was proved.") % {"title": done.title}
    return _("%(title)s: under way. The list says how far it is.") % {"title": done.title}
