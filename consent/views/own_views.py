"""Keeping the filters of a list under a name, and letting go of them."""

from collections.abc import Callable, Mapping
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import saved_views
from accounts.access import or_404, require
from accounts.models import SavedView
from accounts.roles import Capability
from consent.forms import AppFilter, PeopleFilter, PermissionFilter, ViewForm

List = SavedView.List
# By list: its page, and what of an address are filters of it.
LISTS: Mapping[str, tuple[str, Callable]] = {
    List.APPS: ("consent:apps", AppFilter),
    List.PERMISSIONS: ("consent:permissions", PermissionFilter),
    List.PEOPLE: ("revocation:people", PeopleFilter),
}


@require_POST
@require(Capability.VIEW_WORKSPACE)
def keep(request: HttpRequest) -> HttpResponse:
    """Keep what a list is narrowed to. Nothing but its filters is kept, and no entry is made: it changes nothing."""
    list_ = request.POST.get("list", "")
    if list_ not in LISTS:
        raise BadRequest(_("There is no such choice. Nothing was changed."))
    page, filters = LISTS[list_]
    chosen = filters(QueryDict(request.POST.get("query", ""))).values()
    form = ViewForm(request.POST)
    if not (form.is_valid() and chosen):
        messages.error(request, _("Without a name or a filter there is no view to keep. Nothing was changed."))
    else:
        name = form.cleaned_data["name"]
        try:
            saved_views.keep(request.membership, list_, name, chosen)
        except saved_views.TooMany:
            text = _("You keep %(n)d views of this list already. Delete one first. Nothing was changed.")
            messages.error(request, text % {"n": saved_views.MOST})
        except saved_views.TooLong:
            messages.error(request, _("What this list is narrowed to is too long to be kept. Nothing was changed."))
        else:
            messages.success(request, _("“%(name)s” is one of your views now.") % {"name": name})
    return redirect(f"{reverse(page, args=[request.tenant.slug])}?{saved_views.spelled(chosen)}")


@require_POST
@require(Capability.VIEW_WORKSPACE)
def delete(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Delete one of one's own; the list stays as it is narrowed."""
    view = or_404(saved_views.one, request.membership, view_id)
    view.delete()
    messages.success(request, _("The view “%(name)s” was deleted.") % {"name": view.name})
    page, _filters = LISTS[view.list]
    return redirect(f"{reverse(page, args=[request.tenant.slug])}?{view.query}")
