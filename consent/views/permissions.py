"""Who can read all mail? Permissions in use, the apps that hold one, and from there the people who gave it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.access import or_404, require
from accounts.roles import Capability
from consent.forms import PermissionFilter
from consent.showing import apps_list, permissions_list
from directory import selectors
from directory.models import Collection
from directory.paging import mapped

SHOWN = 10  # apps beside the permissions that answer a question


@require_safe
@vary_on_headers("HX-Request")
@require(Capability.VIEW_APPS)
def permissions(request: HttpRequest) -> HttpResponse:
    """The permissions that apps hold, gravest first; to a question, the worst apps that answer it as well."""
    form = PermissionFilter(request.GET)
    chosen = form.values()
    page = selectors.permission_uses(request.tenant, **chosen, after=request.GET.get("after", ""))
    context = {
        "page": page,
        "form": form,
        "filtered": bool(chosen),
        "presets": permissions_list.presets(chosen),
        "read": selectors.is_read(request.tenant, Collection.Kind.GRANTS, Collection.Kind.ASSIGNMENTS),
    }
    if chosen.get("may") and page.first:
        answer = {"may": chosen["may"], "alone": chosen.get("alone", ""), "enabled": "yes"}
        found = selectors.apps(request.tenant, sort="risk", **answer)
        context["answer"] = mapped(found, lambda apps: apps_list.rows(apps[:SHOWN]))
        context["answer_query"] = apps_list.query(answer)
    if request.htmx:
        return render(request, "consent/_permissions_table.html", context)
    context["collection"] = selectors.freshness(request.tenant)[Collection.Kind.GRANTS]
    return render(request, "consent/permissions.html", context)


@require_safe
@require(Capability.VIEW_APPS)
def permission(request: HttpRequest, resource_id: UUID, kind: str, value: str) -> HttpResponse:
    """One permission: why it is rated as it is, and the apps that hold it."""
    use = or_404(selectors.permission_use, request.tenant, resource_id, kind, value)
    alone = "yes" if use.alone else "no"
    context = {
        "use": use,
        "reason": permissions_list.reason(use),
        "line": selectors.why_rated(use),
        "page": selectors.apps_holding(request.tenant, use, request.GET.get("after", "")),
        "inherited": selectors.inherited_by(request.tenant, use),
        "apps_query": apps_list.query({"permission": value, "alone": alone}),
        "collection": selectors.freshness(request.tenant)[Collection.Kind.GRANTS],
    }
    return render(request, "consent/permission.html", context)
