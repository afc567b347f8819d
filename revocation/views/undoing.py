"""Putting back what a revocation took from apps and people's consents, from its before-images."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from accounts.access import Actor, require
from accounts.roles import Capability
from revocation import selectors, services
from revocation.showing import course_changes
from revocation.showing.confirming import confirm, refusals_to_messages
from revocation.showing.offered import may


@require_http_methods(["GET", "POST"])
@require(Capability.VIEW_REVOCATIONS, step_up=True)
def undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What comes back and what does not, then the undo: a new revocation that names this one."""
    found = get_object_or_404(selectors.requests(request.tenant), pk=pk)
    if not may(request.membership, found, "undo"):
        raise PermissionDenied
    if request.method == "POST":
        with refusals_to_messages(request):
            found = services.undo(found, Actor.of(request.membership))
        return redirect("revocation:detail", request.tenant.slug, found.pk)
    return confirm(request, course_changes.undoing(found))
