"""Revocations in the workspace: the list, one of them live, steering it, deciding about it, and taking results away."""

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import Actor, asks_by_itself, from_our_pages, require
from accounts.roles import Capability
from audit.models import AuditEvent
from audit.services import record
from audit.showing import files
from revocation import selectors, services
from revocation.forms import DecisionForm, ListState, OverrideForm, RejectForm, RequestFilter
from revocation.lists import kept
from revocation.models import RevocationRequest, RevocationStep
from revocation.showing import (
    about,
    course_changes as before,
    downloads,
    figures,
    live,
    signed_report,
    what_next,
    words,
)
from revocation.showing.checklist import checklist
from revocation.showing.confirming import Confirmation, confirm, refusals_to_messages
from revocation.showing.offered import may, what_may
from revocation.showing.tally import Tally, aloud, list_aloud, tallies, tell
from revocation.showing.timeline import timeline

State = RevocationRequest.State
SMALL = 12  # requests of so few steps are told as a timeline, larger ones as a bar


@require_GET
@require(Capability.VIEW_REVOCATIONS)
def request_list(request: HttpRequest) -> HttpResponse:
    """The tenant's revocations, newest first, each with its progress."""
    kinds = [(kind, words.kind_words(kind)) for kind in selectors.kinds(request.tenant)]
    form = RequestFilter(request.GET, kinds=kinds)
    filters = form.values()
    context = {"form": form, "filtered": any(filters.values()), "part": _rows(request, filters)}
    context["states"] = [(value, word, _with(request, state=value)) for value, word in ListState.choices]
    context["state"] = filters["state"]
    return render(request, "revocation/list.html", context)


@asks_by_itself
@require_GET
@require(Capability.VIEW_REVOCATIONS)
def listed(request: HttpRequest) -> HttpResponse:
    """The rows of that list, asked for again while something in them moves."""
    kinds = [(kind, kind) for kind in selectors.kinds(request.tenant)]
    part = _rows(request, RequestFilter(request.GET, kinds=kinds).values())
    return live.answer(request, part, revocations=selectors.how_many_open(request.tenant))


def _rows(request: HttpRequest, filters: dict[str, str]) -> live.Part:
    page = selectors.requests_page(selectors.requests(request.tenant, **filters), request.GET.get("after", ""))
    tell(page)
    return live.part(
        request,
        "revocation/_list.html",
        {"page": page, "filtered": any(filters.values())},
        address=reverse("revocation:listed", args=[request.tenant.slug]),
        every=live.LATER if all(one.final for one in page) else live.SOON,
        says=list_aloud(page),
    )


def _with(request: HttpRequest, **chosen: str) -> str:
    """The query of this page with other filters, from its beginning."""
    query = {name: value for name, value in request.GET.items() if name != "after"} | chosen
    return "?" + urlencode({name: value for name, value in query.items() if value})


@require_GET
@require(Capability.VIEW_REVOCATIONS)
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One revocation: how far it is, who needs a human, every step, and what may be done about it."""
    found = _find(request, pk)
    context = _context(request, found)
    context |= {"part": _part(request, context), "listed": kept.made_from_list(found)}
    return render(request, "revocation/detail.html", context)


@asks_by_itself
@require_GET
@require(Capability.VIEW_REVOCATIONS)
def progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The part of that page that fills in by itself, as long as anything of it can change."""
    context = _context(request, _find(request, pk))
    return live.answer(request, _part(request, context), revocations=selectors.how_many_open(request.tenant))


# --- Steering ---------------------------------------------------------------------------------------


@require_POST
@require(Capability.VIEW_REVOCATIONS, step_up=True)
def pause(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Let nothing more of it begin; what Microsoft was already asked is still proved."""
    found = _find_for(request, pk, "pause")
    with refusals_to_messages(request):
        services.pause(found, Actor.of(request.membership))
    return _back_to(found)


@require_POST
@require(Capability.VIEW_REVOCATIONS, step_up=True)
def resume(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Go on where it was paused."""
    found = _find_for(request, pk, "resume")
    with refusals_to_messages(request):
        services.resume(found, Actor.of(request.membership))
    return _back_to(found)


@require_http_methods(["GET", "POST"])
@require(Capability.VIEW_REVOCATIONS, step_up=True)
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Do not do the rest. What is done stays done, and the page before says so."""
    found = _find_for(request, pk, "cancel")
    if request.method == "POST":
        with refusals_to_messages(request):
            services.cancel(found, Actor.of(request.membership))
        return _back_to(found)
    return _ask(request, found, "cancel", before.cancelling)


@require_http_methods(["GET", "POST"])
@require(Capability.VIEW_REVOCATIONS, step_up=True)
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask again for what failed, as a new request that names this one."""
    found = _find_for(request, pk, "retry")
    if request.method == "POST":
        with refusals_to_messages(request):
            return _back_to(services.retry_failed(found, Actor.of(request.membership)))
        return _back_to(found)
    return _ask(request, found, "retry", before.retrying)


@require_http_methods(["GET", "POST"])
@require(Capability.VIEW_REVOCATIONS, step_up=True)
def approve(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The second person's yes, to exactly the steps whose digest was shown."""
    found = _find_for(request, pk, "approve")
    form = DecisionForm(request.POST or None, initial={"digest": found.digest})
    if request.method == "POST" and form.is_valid():
        with refusals_to_messages(request):
            services.approve(found, Actor.of(request.membership), form.cleaned_data["digest"])
        return _back_to(found)
    context = _context(request, found, linked=False)
    if "approve" not in context["may"]:
        return _back_to(found)
    context |= {"form": form, "listed": kept.made_from_list(found)}
    return render(request, "revocation/approve.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@require(Capability.VIEW_REVOCATIONS, step_up=True)
def reject(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The second person's no, with a reason: nothing is changed, and the request is closed."""
    found = _find_for(request, pk, "approve")
    form = RejectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_to_messages(request):
            services.reject(found, Actor.of(request.membership), found.digest, **form.cleaned_data)
        return _back_to(found)
    if found.state != RevocationRequest.State.AWAITING_APPROVAL:
        return _back_to(found)
    return confirm(request, before.rejecting(found), form)


@require_http_methods(["GET", "POST"])
@require(Capability.VIEW_REVOCATIONS, step_up=True)
def override(request: HttpRequest, pk: UUID) -> HttpResponse:
    """An admin goes on without a second person, in an emergency, with a reason that everybody sees afterwards."""
    found = _find_for(request, pk, "override")
    form = OverrideForm(request.POST or None, initial={"digest": found.digest})
    if request.method == "POST" and form.is_valid():
        with refusals_to_messages(request):
            services.override(found, Actor.of(request.membership), **form.cleaned_data)
        return _back_to(found)
    return _ask(request, found, "override", before.overriding, form)


def _find_for(request: HttpRequest, pk: UUID, action: str) -> RevocationRequest:
    """The revocation, for somebody whose role lets them do this to it."""
    found = _find(request, pk)
    if not may(request.membership, found, action):
        raise PermissionDenied
    return found


def _ask(
    request: HttpRequest,
    found: RevocationRequest,
    action: str,
    says: Callable[[RevocationRequest, Tally], Confirmation],
    form: Form | None = None,
) -> HttpResponse:
    """The page before the button; where it moved on meanwhile, its own page, which says where to."""
    tally = tallies([found])[found.pk]
    if action not in what_may(request.membership, found, tally):
        return _back_to(found)
    return confirm(request, says(found, tally), form)


def _back_to(found: RevocationRequest) -> HttpResponse:
    return redirect("revocation:detail", found.tenant.slug, found.pk)


# --- Taking away ------------------------------------------------------------------------------------


@require_GET
@require(Capability.VIEW_REVOCATIONS)
@from_our_pages
def results_csv(request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    """One row per person, streamed: a hundred thousand rows need no more memory than ten."""
    found = _find(request, pk)
    _record_download(request, found, "csv")
    return files.download(request.tenant, downloads.results_as_csv(found), files.CSV, f"revocation-{pk}.csv")


@require_GET
@require(Capability.VIEW_REVOCATIONS)
@from_our_pages
def results_json(request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    """The same rows as JSON, with every step of each person; the signed report names their digest."""
    found = _find(request, pk)
    _record_download(request, found, "json")
    rows = downloads.results_as_json(found)
    return files.download(request.tenant, rows, "application/json", f"revocation-{pk}.json")


@require_GET
@require(Capability.VIEW_REVOCATIONS)
@from_our_pages
def list_download(request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    """The list this request was made from, line by line, with who was left out and why."""
    draft = get_object_or_404(kept.behind(request.tenant), request_id=pk)
    _record_download(request, draft.request, "list")
    rows = downloads.selection_as_csv(kept.rows_of(draft))
    return files.download(request.tenant, rows, files.CSV, f"list-{pk}.csv")


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
@from_our_pages
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


def _context(request: HttpRequest, found: RevocationRequest, *, linked: bool = True) -> dict:
    counted = figures.figures(found)
    small = counted.total <= SMALL
    return {
        "revocation": found,
        "figures": counted,
        "small": small,
        "timeline": timeline(found, list(selectors.steps(found)), own=False) if small else None,
        "urgent": None if found.interactive else figures.urgent(found),
        "may": what_may(request.membership, found, counted.tally),
        "followers": selectors.followers(found),
        "rejection": selectors.rejection(found) if found.state == State.REJECTED else None,
        "remedies": what_next.remedies(found) if counted.attention else [],
        **_steps(request, found, counted, linked),
    }


def _part(request: HttpRequest, context: dict) -> live.Part:
    if context["revocation"].state == State.AWAITING_APPROVAL:
        context["approvers"] = selectors.approvers(context["revocation"])
    found, counted, told = context["revocation"], context["figures"], context["timeline"]
    return live.part(
        request,
        "revocation/_detail.html",
        context,
        address=reverse("revocation:progress", args=[found.tenant.slug, found.pk]),
        every=live.pace(counted.final, told.points if told else []),
        says=told.headline if told else aloud(counted.tally),
        title=live.titled(
            gettext("Revocation: %(title)s") % {"title": found.title},
            percent=counted.tally.percent,
            final=counted.final,
            attention=counted.attention,
        ),
    )


STATES = figures.State.choices
SHOWN = {"attention": RevocationStep.FOR_A_HUMAN, "waiting": RevocationStep.PENDING}


def _steps(request: HttpRequest, found_request: RevocationRequest, counted: figures.Figures, linked: bool) -> dict:
    """The steps to show: those that need a human unless something else was asked for."""
    show = request.GET.get("show") or ("attention" if counted.attention else "all")
    states = SHOWN.get(show) or ((show,) if show in figures.State.values else ())
    page = selectors.steps_page(selectors.steps(found_request, states), request.GET.get("after", ""))
    if linked:
        about.link(request.tenant, page)
    found = {"show": show, "page": page, "states": STATES}
    if linked and counted.total <= SMALL:
        whole = (
            about.link(request.tenant, selectors.steps(found_request)) if states or len(page) < counted.total else page
        )
        found |= {"subjects": about.subjects(whole), "checklist": checklist(request.tenant, found_request, list(whole))}
    return found


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
