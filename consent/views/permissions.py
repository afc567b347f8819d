"""Who can read all mail? Permissions in use, the apps that hold one, and from there the people who gave it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import replace_url

from accounts.access import from_our_pages, or_404, require
from accounts.roles import Capability
from consent.exports import record_export
from consent.forms import PermissionFilter
from consent.showing import apps_list, permissions_list
from directory import selectors
from directory.models import Collection
from directory.paging import mapped
from revocation.showing import own_views
from revocation.showing.downloads import csv_file
from revocation.showing.heads import heads

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
        "heads": heads(permissions_list.COLUMNS, chosen.get("sort", "risk")),
        "filtered": bool(set(chosen) - {"sort"}),
        "query": permissions_list.query(chosen),
        "presets": (presets := permissions_list.presets(chosen)),
        "read": selectors.is_read(request.tenant, Collection.Kind.GRANTS, Collection.Kind.ASSIGNMENTS),
    }
    if chosen.get("may") and page.first:
        answer = {"may": chosen["may"], "alone": chosen.get("alone", ""), "enabled": "yes"}
        found = selectors.apps(request.tenant, sort="risk", **answer)
        context["answer"] = mapped(found, lambda apps: apps_list.rows(apps[:SHOWN]))
        context["answer_query"] = apps_list.query(answer)
    context |= own_views.beside(request, "permissions", chosen, any(one["current"] for one in presets))
    if request.htmx:
        answer = render(request, "consent/_permissions_table.html", context)
        return replace_url(answer, f"{request.path}?{context['query']}" if chosen else request.path)
    context["folded"] = len(set(chosen) - {"sort", "q"})
    context["collection"] = selectors.freshness(request.tenant)[Collection.Kind.GRANTS]
    return render(request, "consent/permissions.html", context)


@require_safe
@require(Capability.VIEW_APPS)
@from_our_pages
def permissions_csv(request: HttpRequest) -> StreamingHttpResponse:
    """All permissions that fit, in the order of the list."""
    chosen = PermissionFilter(request.GET).values()
    record_export(request.membership, "permissions", chosen)
    rows = map(permissions_list.cells, selectors.all_permission_uses(request.tenant, **chosen))
    return csv_file(request.tenant, permissions_list.OF_THE_FILE, rows, "permissions.csv")


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
