"""The record on a page: read, filter, check and export it."""

from collections.abc import Iterator
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Actor, require
from accounts.roles import Capability
from accounts.tenancy import tenant_context
from audit import export as exporting, selectors, services, verification
from audit.forms import AuditFilter
from audit.models import AuditEvent
from audit.state import state_of

CHECKED_ON_PAGE = 50_000  # entries a page may verify while somebody waits; more is for the command


@require_GET
@require(Capability.VIEW_AUDIT)
def entry_list(request: HttpRequest) -> HttpResponse:
    """The tenant's record, newest first, with what the chain says about its end."""
    form = AuditFilter(request.GET)
    found = selectors.entries(request.tenant.pk, **form.values())
    page = selectors.page(found, after=_sequence(request.GET.get("after")))
    context = {
        "form": form,
        "entries": page.items,
        "page": {"next": page.after},
        "state": state_of(request.tenant.pk),
        "filtered": any(value for name, value in request.GET.items() if name != "after"),
    }
    return render(request, "audit/list.html", context)


@require_GET
@require(Capability.VIEW_AUDIT)
def check(request: HttpRequest) -> HttpResponse:
    """Verify the whole chain, as `manage.py verify_audit` does; a very long one is left to the command."""
    state = state_of(request.tenant.pk)
    report = None
    if state.entries <= CHECKED_ON_PAGE:
        report = verification.verify(request.tenant.pk, settings.AUDIT_HEADS_DIR)
    return render(request, "audit/check.html", {"state": state, "report": report, "at": timezone.now()})


@require_POST
@require(Capability.VIEW_AUDIT)
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The whole record as JSON Lines with its signed head. Who took it away is itself recorded, first."""
    services.record(
        AuditEvent.AUDIT_EXPORTED,
        tenant_id=request.tenant.pk,
        actor=Actor.of(request.membership),
        target_type="tenant",
        target_id=str(request.tenant.pk),
        target_label=request.tenant.name,
    )
    answer = StreamingHttpResponse(_lines(request.tenant.pk), content_type="application/jsonl; charset=utf-8")
    name = f"audit-{request.tenant.slug}-{timezone.now():%Y%m%d-%H%M%S}.jsonl"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _lines(tenant_id: UUID) -> Iterator[str]:
    # The middleware has left the tenant's scope by the time a stream is read.
    with tenant_context(tenant_id):
        yield from exporting.lines(tenant_id)


def _sequence(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() and len(value) < 19 else None
