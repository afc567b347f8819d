"""The tenant's apps: the list, and one app."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import replace_url

from accounts.access import from_our_pages, or_404, require
from accounts.roles import Capability
from consent.bulk import Deed
from consent.exports import record_export
from consent.forms import AppFilter
from consent.showing import app_tabs, apps_list, one_app
from directory import risk, selectors
from directory.models import Collection
from directory.paging import mapped
from graph import entra_pages
from inbox import selectors as inbox
from revocation import selectors as revocations
from revocation.rules import protection
from revocation.showing import own_views
from revocation.showing.downloads import csv_file
from revocation.showing.heads import heads


@require_safe
@vary_on_headers("HX-Request")
@require(Capability.VIEW_APPS)
def apps(request: HttpRequest) -> HttpResponse:
    form = AppFilter(request.GET)
    chosen = form.values()
    sort = chosen.get("sort", "risk")
    page = selectors.apps(request.tenant, **chosen | {"sort": sort}, after=request.GET.get("after", ""))
    fresh = selectors.freshness(request.tenant)
    context = {
        "page": mapped(page, apps_list.rows),
        "filtered": bool(set(chosen) - {"sort"}),
        "form": form,
        "query": apps_list.query(chosen),
        "chosen": chosen,
        "heads": heads(apps_list.COLUMNS, sort),
        "views": (views := apps_list.views(chosen)),
        "deeds": Deed.choices if request.membership.can(Capability.CHANGE_APPS) else [],
        "whole": page.first and not page.next,
        "labels": apps_list.labels(),
        "too_many_people": selectors.too_many_people(request.tenant, chosen.get("q", "")),
        "read": _read(fresh),
    }
    context |= own_views.beside(request, "apps", chosen, any(view["current"] for view in views))
    if request.htmx:
        answer = render(request, "consent/_apps_table.html", context)
        return replace_url(answer, f"{request.path}?{context['query']}" if context["query"] else request.path)
    context["folded"] = len(set(chosen) - {"sort", "q"})
    context["collection"] = fresh[Collection.Kind.SERVICE_PRINCIPALS]
    return render(request, "consent/apps.html", context)


@require_safe
@require(Capability.VIEW_APPS)
@from_our_pages
def apps_csv(request: HttpRequest) -> StreamingHttpResponse:
    """All apps that fit, in the order of the list, row by row."""
    chosen = AppFilter(request.GET).values()
    found = selectors.all_apps(request.tenant, **{"sort": "risk"} | chosen)
    record_export(request.membership, "apps", chosen)
    rows = (apps_list.cells(app) for app in found.iterator(chunk_size=1000))
    return csv_file(request.tenant, apps_list.OF_THE_FILE, rows, "apps.csv")


@require_safe
@require(Capability.VIEW_APPS)
def app(request: HttpRequest, app_id: UUID) -> HttpResponse:
    found = or_404(selectors.app, request.tenant, app_id)
    if found.deleted_at:
        deletion = revocations.deletions_of(request.tenant, [found]).get(found.pk)
        return render(request, "consent/app_deleted.html", {"app": found, "deletion": deletion})
    hits, fresh = selectors.what_deleting_hits(found), selectors.freshness(request.tenant)
    read, grants = _read(fresh), fresh[Collection.Kind.GRANTS]
    tabs = app_tabs.of(found, hits, read)
    tab = next((one for one in tabs if one.key == request.GET.get("tab")), None) or app_tabs.first(tabs)
    context = {
        "app": found,
        "app_id": str(found.pk),
        "hits": hits,
        "read": read,
        "verdict": one_app.verdict(found, hits, read),
        "entra": entra_pages.app(request.tenant.pk, found.pk, found.app_id),
        "reasons": risk.reasons(found.risk_reasons),
        "tabs": tabs,
        "tab": tab,
        "may_change": request.membership.can(Capability.CHANGE_APPS),
        "protected": protection.app_refusal(request.tenant, found),
        "collection": grants,
        "known_since": grants.first_complete_at,
        "history": revocations.about(request.tenant, found.pk),
        "reports": inbox.reports_of_app(request.tenant, found.pk),
        "kept": inbox.kept(request.tenant).filter(subject_id=found.pk).first(),
    }
    return render(request, "consent/app.html", context | tab.read(found, request.GET))


def _read(fresh: dict[str, Collection]) -> dict[str, bool]:
    """What has been read in full at least once: before that, nothing found is not known, and not nought."""
    return {kind: collection.complete_at is not None for kind, collection in fresh.items()}
