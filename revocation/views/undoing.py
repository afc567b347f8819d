"""Putting back what a revocation took from apps and people's consents, from its before-images."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import Actor, asks_by_itself, require, safe_next
from accounts.roles import Capability
from revocation import selectors, services
from revocation.showing import course_changes, toasts
from revocation.showing.confirming import confirm, refusals_to_messages
from revocation.showing.offered import may


@require_http_methods(["GET", "POST"])
@require(Capability.VIEW_REVOCATIONS, step_up=True)
def undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What comes back and what does not, then the undo: a new revocation that names this one.

    With `?next=` it was asked for where somebody works, and they stay there.
    """
    found = get_object_or_404(selectors.requests(request.tenant), pk=pk)
    if not may(request.membership, found, "undo"):
        raise PermissionDenied
    if request.method == "POST":
        stay = safe_next(request.GET.get("next"))
        with refusals_to_messages(request):
            found = services.undo(found, Actor.of(request.membership))
            if stay:
                toasts.say(request, found, back=stay)
        return redirect(stay) if stay else redirect("revocation:detail", request.tenant.slug, found.pk)
    return confirm(request, course_changes.undoing(found))


@asks_by_itself
@require_GET
@require(Capability.VIEW_REVOCATIONS)
def toast(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The message about a change, as far as it is now, for the page on which somebody stayed."""
    found = get_object_or_404(selectors.requests(request.tenant), pk=pk)
    found.tenant = request.tenant
    said = toasts.of(request, found, back=safe_next(request.GET.get("next")) or "/")
    about = {"text": said.text, "level": said.level_tag, "undo": said.undo, "details": said.details}
    return render(request, "_toast.html", about | {"follow": said.follow})
