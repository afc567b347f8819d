"""Many people at once, or one app and everyone who let it in: choose, check, plan, confirm."""

from dataclasses import replace
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import Actor, asks_by_itself, leave_for, or_404, require
from accounts.roles import Capability
from audit.showing import files
from b2c.selectors import is_b2c
from directory import selectors
from graph.errors import GraphError
from revocation import planning
from revocation.forms import ConfirmForm, EveryoneForm, ListForm, TakeOutForm
from revocation.lists import containment, kept, parser, reading, recipes, sources, suggesting
from revocation.lists.parser import UnusableList
from revocation.lists.recipes import FIRST_TICKED, Recipe
from revocation.lists.selection import INCLUDED, QUESTIONS, Selection, Status
from revocation.models import ListDraft
from revocation.rule_forms import TermsForm
from revocation.rules import granting
from revocation.rules.refusals import Refused
from revocation.showing import confirming, downloads, sign_outs

PAGE = 100


@require_http_methods(["GET", "POST"])
@require(Capability.SIGN_OUT_PEOPLE)
def new(request: HttpRequest) -> HttpResponse:
    """Choose who, and what is to be done with them. Sending the form changes nothing: a preview follows.

    A group is looked for in Microsoft Graph, so that is asked for by a form of its own: opening a page asks nothing.
    """
    searched = request.method == "POST" and "find" in request.POST
    sent = (None, None) if searched else (request.POST or None, request.FILES or None)
    form = ListForm(*sent, initial=_initial(request), recipes=_recipes(request))
    rule = TermsForm(sent[0], tenant=request.tenant, prefix="rule")
    if request.method == "POST" and not searched and form.is_valid() and _has_terms(form, rule):
        try:
            if reading.is_long(form.cleaned_data):
                upload = reading.put_aside(request.tenant, request.membership, form.cleaned_data)
                return redirect("revocation:reading", request.tenant.slug, upload.pk)
            draft = sources.draft(request.tenant, Actor.of(request.membership), form.cleaned_data)
            return redirect("revocation:preview", request.tenant.slug, draft.pk)
        except UnusableList as unusable:
            form.add_error("file" if form.cleaned_data["source"] == ListDraft.Source.FILE else None, str(unusable))
        except GraphError as error:
            form.add_error(None, _("Microsoft Graph could not be asked, so nothing was read: %s") % error)
    context = _choices(request, form) | {"rule": rule if Recipe.REFUSE_REFRESH in _recipes(request) else None}
    return render(request, "revocation/new.html", context, status=422 if form.errors else 200)


new.takes = parser.MAX_BYTES + 1024 * 1024  # bytes (portal.limits): the file, and the form around it


@asks_by_itself
@require_GET
@require(Capability.SIGN_OUT_PEOPLE)
def read(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far a worker is with a long list; where it is through, on to the preview."""
    upload = get_object_or_404(reading.of(request.tenant, Actor.of(request.membership)), pk=pk)
    if upload.draft_id:
        return leave_for(request, reverse("revocation:preview", args=[request.tenant.slug, upload.draft_id]))
    template = "revocation/_reading.html" if request.htmx else "revocation/reading.html"
    return render(request, template, {"upload": upload})


@require_GET
@require(Capability.SIGN_OUT_PEOPLE)
def preview(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Every line of the list, with whom it names and whether and why they are in or out."""
    draft = _draft(request, pk)
    selection = kept.rows_of(draft)
    counts = draft.counts
    asked = [status for status in QUESTIONS if counts[status]]
    show = request.GET.get("show", "questions" if asked else "all")
    rows = selection.of(QUESTIONS) if show == "questions" else selection.rows
    if show in Status.values:
        rows = selection.of([show])
    start = int(after) if (after := request.GET.get("after", "")).isdecimal() and len(after) < 8 else 0
    if selection.lines and not draft.request_id:
        suggesting.suggest(request.tenant, rows[start : start + PAGE])
    context = {
        "draft": draft,
        "selection": selection,
        "rows": rows[start : start + PAGE],
        "page": {"next": str(start + PAGE) if start + PAGE < len(rows) else ""},
        "show": show,
        "statuses": [(status, status.label, counts[status]) for status in Status if counts[status]],
        "questions": sum(counts[status] for status in asked),
        "included": sum(counts[status] for status in INCLUDED),
        "plan": _plan(request, draft, selection),
        "off": granting.refusal_of(request.tenant, *recipes.actions_of(request.tenant, draft.recipe)),
        "refuses": draft.recipe == Recipe.REFUSE_REFRESH,
        "title": kept.title_of(draft, len(selection.people())),
    }
    return render(request, "revocation/preview.html", context)


@require_GET
@require(Capability.SIGN_OUT_PEOPLE)
def download(request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    """The whole preview as CSV; with `?show=questions` only what should be looked at."""
    selection = kept.rows_of(_draft(request, pk))
    if request.GET.get("show") == "questions":
        selection = replace(selection, rows=selection.of(QUESTIONS))
    rows = downloads.selection_as_csv(selection)
    return files.download(request.tenant, rows, files.CSV, f"list-{pk}.csv")


@require_POST
@require(Capability.SIGN_OUT_PEOPLE)
def change_line(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put another address into one line, which changes nothing but the list: every line is checked anew."""
    draft, line = _draft(request, pk), request.POST.get("line", "")
    try:
        number = int(line) if line.isdecimal() and len(line) < 8 else -1
        address = request.POST.get("address", "")[:256]
        draft = suggesting.replace(request.tenant, draft, Actor.of(request.membership), line=number, address=address)
    except UnusableList as unusable:
        messages.error(request, str(unusable))
    return redirect("revocation:preview", request.tenant.slug, draft.pk)


@require_http_methods(["GET", "POST"])
@require(Capability.SIGN_OUT_PEOPLE, step_up=True)
def confirm(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The plan, the reason, and the button. A second click finds the request of the first."""
    draft = _draft(request, pk)
    if draft.request_id:
        return redirect("revocation:detail", request.tenant.slug, draft.request_id)
    plan = _plan(request, draft, kept.rows_of(draft))
    typed = draft.source == ListDraft.Source.EVERYONE and not plan.needs_approval
    form = EveryoneForm(request.POST or None, people=plan.people) if typed else ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actor, digest = Actor.of(request.membership), request.POST.get("digest", "")
        try:
            made = kept.confirm(request.tenant, pk, actor, digest=digest, **form.cleaned_data)
            return redirect("revocation:detail", request.tenant.slug, made.pk)
        except Refused as refused:
            messages.error(request, str(refused))
            return redirect("revocation:preview", request.tenant.slug, pk)
        except kept.SelectionChanged:
            messages.warning(request, _("The list or the rules changed since this preview. Check the list again."))
            return redirect("revocation:preview", request.tenant.slug, pk)
    says = sign_outs.a_list(draft, request.tenant.slug, kept.title_of(draft, plan.people), plan)
    return confirming.confirm(request, says, form, plan=plan)


@require_http_methods(["GET", "POST"])
@require(Capability.CHANGE_APPS, step_up=True)
def take_out(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take one app out, in the steps that are ticked: the plan of just those, then the button."""
    app, actor = or_404(selectors.app, request.tenant, pk), Actor.of(request.membership)
    sent = request.POST if request.method == "POST" else request.GET
    ticked = sent.getlist("parts") if "ticked" in sent else FIRST_TICKED
    plan = containment.plan(request.tenant, app, actor, ticked)
    form = TakeOutForm(request.POST or None, counts=plan.counts, ticked=ticked)
    if request.method == "POST" and not plan.refusal and form.is_valid():
        digest = request.POST.get("digest", "")
        try:
            made = containment.submit(request.tenant, app, actor, digest=digest, **form.cleaned_data)
            return redirect("revocation:detail", request.tenant.slug, made.pk)
        except Refused as refused:
            form.add_error(None, str(refused))
        except kept.SelectionChanged:
            form.add_error(
                None, _("What was granted to the app changed since this was shown. Here it is as it is now.")
            )
    says = sign_outs.taking_out(app, request.tenant.slug, plan)
    return confirming.confirm(request, says, form, app=app, contained=plan, plan=plan.plan)


# --- Shared -----------------------------------------------------------------------------------------


def _draft(request: HttpRequest, pk: UUID) -> ListDraft:
    draft = get_object_or_404(kept.open_drafts(request.tenant, Actor.of(request.membership)), pk=pk)
    if draft.recipe not in _recipes(request):
        raise PermissionDenied
    return draft


def _recipes(request: HttpRequest) -> list[str]:
    """Helpdesk signs people out; taking grants away is for those who may change apps."""
    found = [str(Recipe.SIGN_OUT)]
    if request.membership.can(Capability.CHANGE_APPS):
        found.append(str(Recipe.CONTAIN_PEOPLE))
    if request.membership.can(Capability.MANAGE_TENANT) and is_b2c(request.tenant):
        found.append(str(Recipe.REFUSE_REFRESH))
    return found


def _has_terms(form: ListForm, rule: TermsForm) -> bool:
    """Where refreshes are to be refused, the valid form also knows where and when."""
    if form.cleaned_data["recipe"] != Recipe.REFUSE_REFRESH:
        return True
    if not rule.is_valid():
        form.add_error(None, _("Say where and when the refresh is refused."))
        return False
    form.cleaned_data["terms"] = rule.terms()
    return True


def _initial(request: HttpRequest) -> dict:
    """What a link from another page fills in: `?source=app&app=…`, `?who=<object id>&recipe=contain_people`."""
    source = request.GET.get("source", "")
    initial = {
        "source": source if source in ListDraft.Source.values else ListDraft.Source.PASTE,
        "recipe": request.GET.get("recipe") or Recipe.SIGN_OUT,
        "app": request.GET.get("app", ""),
    }
    if who := request.GET.get("who", ""):
        initial["text"] = sources.address_of(request.tenant, who)
    return initial


def _choices(request: HttpRequest, form: ListForm) -> dict:
    """What the form of the chosen source offers: groups found in Graph, apps found in the copy."""
    source = form["source"].value()
    asked = source == ListDraft.Source.GROUP and "find" in request.POST
    q = (request.POST if asked else request.GET).get("q", "").replace("\0", "").strip()[:200]
    context = {"form": form, "source": source, "q": q, "sources": _sources(), "asked": asked and q}
    if context["asked"]:
        context["groups"], context["trouble"] = sources.find_groups(request.tenant, q)
    if source == ListDraft.Source.APP:
        chosen = str(form["app"].value() or "")
        found = selectors.apps(request.tenant, q=q or chosen, consent="user", sort="consents").items[:25]
        context["apps"], context["chosen"] = found, chosen
    if source == ListDraft.Source.EVERYONE:
        context["collection"] = selectors.freshness(request.tenant)["people"]
    return context


def _sources() -> list[tuple[str, str, str]]:
    """Where people come from: value, word, and a line about it."""
    lines = {
        ListDraft.Source.PASTE: _("Addresses or ids from a mail, a ticket or a sheet."),
        ListDraft.Source.FILE: _("CSV or text, as Excel writes it."),
        ListDraft.Source.GROUP: _("Its members, and those of groups in it."),
        ListDraft.Source.APP: _("Whoever let this one app act for them."),
        ListDraft.Source.EVERYONE: _("All but protected accounts and guests."),
    }
    return [(source.value, source.label, lines[source]) for source in ListDraft.Source]


def _plan(request: HttpRequest, draft: ListDraft, selection: Selection) -> planning.Plan:
    return recipes.plan(request.tenant, draft, selection, Actor.of(request.membership))
