"""The inbox of a workspace, and what is said about one thing in it."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import Actor, local_path, or_404, require
from accounts.roles import Capability
from directory import selectors as directory
from inbox import selectors, services
from inbox.forms import KeepForm
from inbox.models import Dealt
from inbox.showing import waiting, worst_reason
from revocation.showing.confirming import Confirmation, Truth, confirm


@require_safe
@require(Capability.VIEW_WORKSPACE)
def inbox(request: HttpRequest) -> HttpResponse:
    """Everything that waits for somebody here, as far as this person's role shows it."""
    context = {"waiting": waiting(request.membership), "dealt": selectors.dealt_with(request.tenant)}
    context["dealt"] = [one for one in context["dealt"] if selectors.may_see(request.membership, one.kind)]
    return render(request, "inbox/inbox.html", context)


@require_POST
@require(Capability.VIEW_WORKSPACE)
def deal_with(request: HttpRequest, kind: str, subject_id: UUID) -> HttpResponse:
    _may(request, kind)
    note, actor = request.POST.get("note", ""), Actor.of(request.membership)
    dealt = services.deal_with(request.tenant, kind, subject_id, actor=actor, note=note)
    if dealt is None:
        or_404(selectors.subject, request.tenant, kind, subject_id)
        messages.info(request, _("Nothing of it waits any more."))
    else:
        said = _("Dealt with: %(what)s.") % {"what": dealt.subject_label}
        messages.success(request, said, extra_tags=_undo(dealt))
    return _back(request)


@require_POST
@require(Capability.VIEW_WORKSPACE)
def reopen(request: HttpRequest, dealt_id: UUID) -> HttpResponse:
    dealt = or_404(selectors.one_dealt, request.tenant, dealt_id)
    _may(request, dealt.kind)
    services.reopen(request.tenant, dealt, actor=Actor.of(request.membership))
    messages.success(request, _("It waits again: %(what)s.") % {"what": dealt.subject_label})
    return _back(request)


@require_http_methods(["GET", "HEAD", "POST"])
@require(Capability.CHANGE_APPS)
def keep(request: HttpRequest, app_id: UUID) -> HttpResponse:
    """Say why a risky app may stay: it is not shown among the worst for a while."""
    app = or_404(directory.app, request.tenant, app_id)
    form = KeepForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actor, note = Actor.of(request.membership), form.cleaned_data["note"]
        dealt = services.deal_with(request.tenant, Dealt.Kind.RISKY, app.pk, actor=actor, note=note)
        said = _("%(app)s is kept: it is not shown among the risky apps for %(days)d days.")
        words = said % {"app": app.display_name, "days": services.KEPT.days}
        messages.success(request, words, extra_tags=_undo(dealt))
        return redirect("consent:overview", request.tenant.slug)
    days = {"days": services.KEPT.days}
    confirmation = Confirmation(
        title=_("Keep %(app)s?") % {"app": app.display_name},
        button=_("Keep %(app)s") % {"app": app.display_name},
        back=reverse("consent:overview", args=[request.tenant.slug]),
        danger=False,
        warning=worst_reason(app),
        truths=[
            Truth(_("Stays"), _("Everything it may do. Nothing is changed in your directory.")),
            Truth(_("Hidden"), _("For %(days)d days: from the overview and from the inbox, not from the apps.") % days),
        ],
    )
    return confirm(request, confirmation, form)


def _undo(dealt: Dealt) -> str:
    return f"undo:{reverse('inbox:reopen', args=[dealt.tenant.slug, dealt.pk])}"


def _may(request: HttpRequest, kind: str) -> None:
    if kind not in Dealt.Kind.values:
        raise Http404
    if not selectors.may_act(request.membership, kind):
        raise PermissionDenied


def _back(request: HttpRequest) -> HttpResponse:
    address = local_path(request, request.headers.get("Referer", ""))
    return redirect(address if address != "/" else reverse("inbox:inbox", args=[request.tenant.slug]))
