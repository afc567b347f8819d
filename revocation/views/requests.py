"""Revocations in the workspace: the list, one of them live, steering it, deciding about it, and taking results away."""

from collections.abc import Iterator
from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import Actor, require
from accounts.roles import Capability
from accounts.tenancy import tenant_context
from audit.models import AuditEvent
from audit.services import record
from revocation import selectors, services
from revocation.forms import DecisionForm, OverrideForm, RequestFilter
from revocation.lists import kept
from revocation.models import RevocationRequest, RevocationStep
from revocation.rules.refusals import Refused
from revocation.showing import downloads, figures, signed_report, words
from revocation.showing.tally import tell
from revocation.showing.timeline import timeline
from revocation.views.steering import may, what_may

SMALL = 12  # requests of so few steps are told as a timeline, larger ones as a bar


@require_GET
@require(Capability.VIEW_REVOCATIONS)
def request_list(request: HttpRequest) -> HttpResponse:
    """The tenant's revocations, newest first, those under way with their progress."""
    kinds = [(kind, words.kind_words(kind)) for kind in selectors.kinds(request.tenant)]
    form = RequestFilter(request.GET, kinds=kinds)
    filters = form.values()
    page = selectors.requests_page(selectors.requests(request.tenant, **filters), request.GET.get("after", ""))
    tell(page)
    context = {"form": form, "page": page, "filtered": any(filters.values())}
    return render(request, "revocation/list.html", context)


@require_GET
@require(Capability.VIEW_REVOCATIONS)
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One revocation: how far it is, who needs a human, every step, and what may be done about it."""
    found = _find(request, pk)
    context = _context(request, found) | _steps(request, found)
    context["urgent"] = None if found.interactive else figures.urgent(found)
    return render(request, "revocation/detail.html", context)


@require_GET
@require(Capability.VIEW_REVOCATIONS)
def progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The part of that page that fills in by itself."""
    context = _context(request, _find(request, pk))
    template = "_timeline_panel.html" if context["small"] else "_progress_panel.html"
    return render(request, f"revocation/{template}", context)


# --- Steering ---------------------------------------------------------------------------------------


def _steers(action: str, *, step_up: bool = False):
    """A view that changes a revocation's course: found in this tenant, by somebody who may, while it is possible."""

    def decorate(view):
        @require(Capability.VIEW_REVOCATIONS, step_up=step_up)
        @wraps(view)
        def steered(request: HttpRequest, pk: UUID) -> HttpResponse:
            found = _find(request, pk)
            if not may(request.membership, found, action):
                raise PermissionDenied
            if action not in what_may(request.membership, found, _figures(found)):
                return redirect("revocation:detail", request.tenant.slug, pk)  # it moved on: the page says where to
            try:
                return view(request, found)
            except Refused as refused:
                messages.error(request, str(refused))
                return redirect("revocation:detail", request.tenant.slug, pk)

        return steered

    return decorate


@require_POST
@_steers("pause")
def pause(request: HttpRequest, found: RevocationRequest) -> HttpResponse:
    """Let nothing more of it begin; what Microsoft was already asked is still proved."""
    services.pause(found, Actor.of(request.membership))
    return redirect("revocation:detail", request.tenant.slug, found.pk)


@require_POST
@_steers("resume")
def resume(request: HttpRequest, found: RevocationRequest) -> HttpResponse:
    """Go on where it was paused."""
    services.resume(found, Actor.of(request.membership))
    return redirect("revocation:detail", request.tenant.slug, found.pk)


@require_http_methods(["GET", "POST"])
@_steers("cancel")
def cancel(request: HttpRequest, found: RevocationRequest) -> HttpResponse:
    """Do not do the rest. What is done stays done, and the page before says so."""
    if request.method == "POST":
        services.cancel(found, Actor.of(request.membership))
        return redirect("revocation:detail", request.tenant.slug, found.pk)
    return render(request, "revocation/cancel.html", _context(request, found))


@require_http_methods(["GET", "POST"])
@_steers("retry", step_up=True)
def retry(request: HttpRequest, found: RevocationRequest) -> HttpResponse:
    """Ask again for what failed, as a new request that names this one."""
    if request.method == "POST":
        again = services.retry_failed(found, Actor.of(request.membership))
        return redirect("revocation:detail", request.tenant.slug, again.pk)
    return render(request, "revocation/retry.html", _context(request, found))


@require_http_methods(["GET", "POST"])
@_steers("approve", step_up=True)
def approve(request: HttpRequest, found: RevocationRequest) -> HttpResponse:
    """The second person's yes, to exactly the steps whose digest was shown."""
    form = DecisionForm(request.POST or None, initial={"digest": found.digest})
    context = _context(request, found) | _steps(request, found)
    if request.method == "POST" and form.is_valid():
        services.approve(found, Actor.of(request.membership), form.cleaned_data["digest"])
        return redirect("revocation:detail", request.tenant.slug, found.pk)
    return render(request, "revocation/approve.html", context | {"form": form})


@require_POST
@_steers("approve", step_up=True)
def reject(request: HttpRequest, found: RevocationRequest) -> HttpResponse:
    """The second person's no: nothing is changed, and the request is closed."""
    services.reject(found, Actor.of(request.membership), found.digest)
    return redirect("revocation:detail", request.tenant.slug, found.pk)


@require_http_methods(["GET", "POST"])
@_steers("override", step_up=True)
def override(request: HttpRequest, found: RevocationRequest) -> HttpResponse:
    """An admin goes on without a second person, in an emergency, with a reason that everybody sees afterwards."""
    form = OverrideForm(request.POST or None, initial={"digest": found.digest})
    if request.method == "POST" and form.is_valid():
        services.override(found, Actor.of(request.membership), **form.cleaned_data)
        return redirect("revocation:detail", request.tenant.slug, found.pk)
    return render(request, "revocation/override.html", _context(request, found) | {"form": form})


# --- Taking away ------------------------------------------------------------------------------------


@require_GET
@require(Capability.VIEW_REVOCATIONS)
def results_csv(request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    """One row per person, streamed: a hundred thousand rows need no more memory than ten."""
    found = _find(request, pk)
    _record_download(request, found, "csv")
    return _stream(request, downloads.results_as_csv(found), "text/csv; charset=utf-8", f"revocation-{pk}.csv")


@require_GET
@require(Capability.VIEW_REVOCATIONS)
def results_json(request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    """The same rows as JSON, with every step of each person; the signed report names their digest."""
    found = _find(request, pk)
    _record_download(request, found, "json")
    return _stream(request, downloads.results_as_json(found), "application/json", f"revocation-{pk}.json")


@require_GET
@require(Capability.VIEW_REVOCATIONS)
def list_download(request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    """The list this request was made from, line by line, with who was left out and why."""
    draft = get_object_or_404(kept.behind(request.tenant), request_id=pk)
    _record_download(request, draft.request, "list")
    rows = downloads.selection_as_csv(kept.rows_of(draft))
    return _stream(request, rows, "text/csv; charset=utf-8", f"list-{pk}.csv")


@require_GET
@require(Capability.VIEW_REVOCATIONS)
def report(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The one-page report for the incident file, to be printed."""
    found = _find(request, pk)
    signed = signed_report.sign(signed_report.build(found))
    context = {"revocation": found, "signed": signed, "printed": timezone.now()}
    context["states"] = STATES
    context["attention"] = signed["report"]["needs_a_human"]
    counts = signed["report"]["counts"]
    context["more"] = sum(counts[state] for state in RevocationStep.FOR_A_HUMAN) - len(context["attention"])
    return render(request, "revocation/report.html", context)


@require_GET
@require(Capability.VIEW_REVOCATIONS)
def report_json(request: HttpRequest, pk: UUID) -> JsonResponse:
    """The same report with its signature, for `manage.py verify_report`."""
    found = _find(request, pk)
    _record_download(request, found, "report")
    answer = JsonResponse(
        signed_report.sign(signed_report.build(found)), json_dumps_params={"indent": 2, "ensure_ascii": False}
    )
    answer["Content-Disposition"] = f'attachment; filename="report-{pk}.json"'
    return answer


# --- Shared -----------------------------------------------------------------------------------------


def _find(request: HttpRequest, pk: UUID) -> RevocationRequest:
    found = get_object_or_404(selectors.requests(request.tenant).select_related("follows"), pk=pk)
    found.tenant = request.tenant  # the same row, already read
    return found


def _figures(found: RevocationRequest) -> figures.Figures:
    """The figures of a request, counted once per page."""
    if not hasattr(found, "known_figures"):
        found.known_figures = figures.figures(found)
    return found.known_figures


def _context(request: HttpRequest, found: RevocationRequest) -> dict:
    counted = _figures(found)
    small = counted.total <= SMALL
    context = {
        "revocation": found,
        "figures": counted,
        "small": small,
        "may": what_may(request.membership, found, counted),
    }
    # The buttons are only sent again when they change: replacing them takes the focus from whoever is on one.
    now = ",".join(sorted(context["may"]))
    context["live"] = {"name": "revocation:progress", "own": False, "may": now}
    context["moved_on"] = request.GET.get("may") != now
    if small:
        context["timeline"] = timeline(found, list(selectors.steps(found)), own=False)
    return context


STATES = figures.State.choices
SHOWN = {"attention": RevocationStep.FOR_A_HUMAN, "waiting": RevocationStep.PENDING}


def _steps(request: HttpRequest, found: RevocationRequest) -> dict:
    """The steps to show: those that need a human unless something else was asked for."""
    show = request.GET.get("show") or ("attention" if _figures(found).attention else "all")
    states = SHOWN.get(show) or ((show,) if show in figures.State.values else ())
    page = selectors.steps_page(selectors.steps(found, states), request.GET.get("after", ""))
    followers = list(selectors.requests(request.tenant).filter(follows=found)[:5])
    listed = kept.behind(request.tenant).filter(request=found).exists()
    return {"show": show, "page": page, "states": STATES, "followers": followers, "listed": listed}


def _record_download(request: HttpRequest, found: RevocationRequest, what: str) -> None:
    record(
        AuditEvent.RESULT_EXPORTED,
        tenant_id=request.tenant.pk,
        actor=Actor.of(request.membership),
        target_type="revocation",
        target_id=str(found.pk),
        target_label=found.title,
        request_id=found.pk,
        after={"what": what},
    )


def _stream(request: HttpRequest, rows: Iterator[str], content_type: str, name: str) -> StreamingHttpResponse:
    def scoped() -> Iterator[str]:
        # The middleware has left the tenant's scope by the time a stream is read.
        with tenant_context(request.tenant.pk):
            yield from rows

    answer = StreamingHttpResponse(scoped(), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
