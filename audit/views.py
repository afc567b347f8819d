"""The record on a page: read, filter, check and export it."""

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.access import Actor, require
from accounts.roles import Capability
from audit import certificate as certificates, export as exporting, keys, selectors, services, verification
from audit.forms import AuditFilter
from audit.models import AuditEntry, AuditEvent
from audit.showing import files, filters
from audit.showing.difference import difference
from audit.showing.rows import rows
from audit.state import state_of

CHECKED_ON_PAGE = 50_000  # entries a page may verify while somebody waits; more is for the command
FILES = {"csv": files.entries_as_csv, "json": files.entries_as_json}


@require_GET
@vary_on_headers("HX-Request")
@require(Capability.VIEW_AUDIT)
def entry_list(request: HttpRequest) -> HttpResponse:
    """The tenant's record, newest first, with what the chain says about its end."""
    form = AuditFilter(request.GET, zone=filters.zone_of(request))
    found = filters.entries(request.tenant.pk, **form.values())
    page = selectors.page(found, after=_sequence(request.GET.get("after")))
    chosen = form.chosen()
    context = {
        "rows": rows(page.items, together="request_id" not in chosen),
        "entries": page.items,
        "page": {"next": page.after},
        "chosen": chosen,
    }
    if request.headers.get("HX-Request"):  # what is folded under a request
        return render(request, "audit/_rows.html", context)
    context |= {
        "form": form,
        "zone": form.zone.key,
        "presets": filters.presets(chosen, form.zone),
        "chips": filters.chips(form),
        "state": state_of(request.tenant.pk),
    }
    return render(request, "audit/list.html", context)


@require_GET
@vary_on_headers("HX-Request")
@require(Capability.VIEW_AUDIT)
def entry(request: HttpRequest, sequence: int) -> HttpResponse:
    """One entry: everything it says, before and after beside each other. As a part, what a row opens to."""
    items = selectors.page(AuditEntry.objects.filter(tenant_id=request.tenant.pk, sequence=sequence)).items
    if not items:
        raise Http404
    (found,) = items
    (row,) = rows(items, together=False)
    context = {"entry": found, "row": row, "lines": difference(found.before, found.after)}
    part = request.headers.get("HX-Request")
    return render(request, "audit/_entry.html" if part else "audit/entry.html", context)


@require_GET
@require(Capability.VIEW_AUDIT)
def check(request: HttpRequest) -> HttpResponse:
    """Verify the whole chain, as `manage.py verify_audit` does; a very long one is left to the command."""
    state = state_of(request.tenant.pk)
    report = None
    if state.entries <= CHECKED_ON_PAGE:
        report = verification.verify(request.tenant.pk, settings.AUDIT_HEADS_DIR)
    context = {
        "state": state,
        "report": report,
        "at": timezone.now(),
        "public_key": certificates.ENVELOPE.public_key(keys.newest(), request.tenant.pk),
    }
    return render(request, "audit/check.html", context)


@require_POST
@require(Capability.VIEW_AUDIT)
def certificate(request: HttpRequest) -> HttpResponse:
    """Check the whole chain once more, and say in a signed file what was found. That it was taken away is recorded."""
    if state_of(request.tenant.pk).entries > CHECKED_ON_PAGE:
        return check(request)  # says what to run instead
    report = verification.verify(request.tenant.pk, settings.AUDIT_HEADS_DIR)
    signed = certificates.certify(request.tenant, report, settings.AUDIT_HEADS_DIR)
    _recorded(request, AuditEvent.AUDIT_CERTIFIED, after={"entries": report.entries, "holds": report.ok})
    answer = JsonResponse(signed, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="{_name(request, "certificate", "json")}"'
    return answer


@require_POST
@require(Capability.VIEW_AUDIT)
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The whole record as JSON Lines with its signed head. Who took it away is itself recorded, first."""
    _recorded(request, AuditEvent.AUDIT_EXPORTED)
    lines = exporting.lines(request.tenant.pk)
    return files.download(request.tenant, lines, "application/jsonl; charset=utf-8", _name(request, "audit", "jsonl"))


@require_POST
@require(Capability.VIEW_AUDIT)
def export_found(request: HttpRequest) -> HttpResponse:
    """What is filtered, and only what was there when it was asked for, as CSV or JSON. Recorded with its filters."""
    form = AuditFilter(request.POST, zone=filters.zone_of(request))
    kind = request.POST.get("format", "")
    if kind not in FILES:
        raise Http404
    found = _until_now(request, filters.entries(request.tenant.pk, **form.values()))
    _recorded(request, AuditEvent.AUDIT_EXPORTED, after={"filters": form.chosen(), "format": kind})
    return FILES[kind](request.tenant, found, _name(request, "audit", kind))


def _until_now(request: HttpRequest, found: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    newest = AuditEntry.objects.filter(tenant_id=request.tenant.pk).order_by("-sequence").first()
    return found.filter(sequence__lte=newest.sequence if newest else 0)


def _recorded(request: HttpRequest, event: AuditEvent, **details) -> None:
    tenant, actor = request.tenant, Actor.of(request.membership)
    services.record_on_tenant(event, tenant.pk, tenant.name, actor=actor, **details)


def _name(request: HttpRequest, what: str, kind: str) -> str:
    return f"{what}-{request.tenant.slug}-{timezone.now():%Y%m%d-%H%M%S}.{kind}"


def _sequence(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() and len(value) < 19 else None
