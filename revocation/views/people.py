"""People: find one, see what their sign-out will do, do it; and one's own requests outside the workspace."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import replace_url

from accounts import pace
from accounts.access import Actor, asks_by_itself, or_404, require
from accounts.directory_roles import role_names
from accounts.roles import Capability
from directory import selectors, sync
from directory.models import Collection, Person
from directory.paging import mapped
from directory.roles import KnownRoles, Roles
from graph.errors import GraphError
from revocation import selectors as revocations, services
from revocation.forms import ReasonForm, SecureForm
from revocation.rules import granting, protection
from revocation.showing import live, own_views, people as known, refresh_rules, sign_outs
from revocation.showing.confirming import confirm
from revocation.showing.heads import Column, heads
from revocation.showing.timeline import timeline

ONLY = {  # what a list of people may be narrowed to: `directory.selectors.people`
    "": gettext_lazy("Everybody"),
    "risky": gettext_lazy("With an app of high risk"),
    "roles": gettext_lazy("With a directory role"),
    "guests": gettext_lazy("Guests"),
    "disabled": gettext_lazy("Disabled"),
}
COLUMNS = (
    Column(gettext_lazy("Person"), "name"),
    Column(gettext_lazy("Work")),
    Column(gettext_lazy("Apps")),
    Column(gettext_lazy("Account")),
    Column(gettext_lazy("Sessions valid from"), "sessions", falls=True),
)


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@require(Capability.VIEW_PEOPLE)
def people(request: HttpRequest) -> HttpResponse:
    """Find a person in the copy. Sent as a form, Microsoft Graph is asked too, and whom it knows is taken in."""
    sent = request.POST if request.method == "POST" else request.GET
    q, after = sent.get("q", "").replace("\0", "").strip()[:200], request.GET.get("after", "")
    if request.method == "POST":
        if q:
            _ask_graph(request, q)
        return redirect(f"{reverse('revocation:people', args=[request.tenant.slug])}?{urlencode({'q': q})}")
    only = sent.get("only", "") if sent.get("only") in ONLY else ""
    sort = sent.get("sort", "") if sent.get("sort", "").removeprefix("-") in selectors.PEOPLE_SORTS else ""
    found = selectors.people(request.tenant, q, after, only, sort)
    page = mapped(found, lambda people: _with_apps(request, people))
    context = {
        "q": q,
        "only": only,
        "sort": sort,
        "heads": heads(COLUMNS, sort or "name"),
        "page": page,
        "read": selectors.is_read(request.tenant, Collection.Kind.GRANTS),
    }
    chosen = {name: value for name, value in (("q", q), ("only", only), ("sort", sort)) if value}
    context |= own_views.beside(request, "people", chosen, known=not q)
    if request.htmx:
        answer = render(request, "revocation/_people_table.html", context)
        asked = urlencode(chosen)
        return replace_url(answer, f"{request.path}?{asked}" if asked else request.path)
    context["views"] = [{"only": value, "word": word} for value, word in ONLY.items()]
    context["collection"] = selectors.freshness(request.tenant)["people"]
    return render(request, "revocation/people.html", context)


def _with_apps(request: HttpRequest, people: list[Person]) -> list[Person]:
    """Each with how many apps act for them because they said so: `apps`, None for nobody's business here."""
    counts = selectors.apps_of_people(request.tenant, [person.pk for person in people])
    for person in people:
        person.apps = counts.get(person.pk)
    return people


def _ask_graph(request: HttpRequest, q: str) -> None:
    try:
        found = sync.take_in_people(request.tenant, q)
    except GraphError as error:
        text = _("Microsoft Graph could not be asked, so only our copy was searched: %(why)s")
        messages.warning(request, text % {"why": error})
        return
    if found:
        messages.success(request, _("Microsoft Graph was asked as well. Whom it found is in the list."))
    else:
        messages.info(request, _("Microsoft Graph knows nobody of this name."))


@require_http_methods(["GET", "POST"])
@require(Capability.VIEW_PEOPLE)
def person(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One person: who they are, what signing them out would do, their apps and earlier revocations.

    Sent as a form, this one person is read again: of one alone more can be known than of all.
    """
    found = or_404(selectors.person, request.tenant, pk)
    if request.method == "POST":
        _read_again(request, found)
        return redirect("revocation:person", request.tenant.slug, pk)
    context = _about(request, found)
    context["apps"] = known.apps_of(request.tenant, found)
    context["known_since"] = selectors.known_since(request.tenant)
    context["history"] = revocations.about(request.tenant, found.pk)
    context["refresh"] = refresh_rules.of_person(request.tenant, found, Actor.of(request.membership))
    return render(request, "revocation/person.html", context)


def _read_again(request: HttpRequest, found: Person) -> None:
    if seconds := pace.take(request.user.pk, pace.READINGS):
        messages.warning(request, _("You asked often, so this is our copy. %(wait)s") % {"wait": pace.wait(seconds)})
        return
    try:
        if sync.refresh_person(request.tenant, found.pk):
            messages.success(request, _("Read from Microsoft just now."))
        else:
            messages.warning(request, _("Microsoft's directory does not show this account, so this is our copy."))
    except GraphError as error:
        messages.warning(request, _("Microsoft could not be asked just now: %(why)s") % {"why": error})


@require_http_methods(["GET", "POST"])
@require(Capability.SIGN_OUT_PEOPLE, step_up=True, again=True)
def sign_out(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End every session of one person: what it does and does not first, then the reason, then the deed."""
    found = or_404(selectors.person, request.tenant, pk)
    context = _about(request, found)
    form = ReasonForm(request.POST or None)
    if context["under_way"] and request.method == "POST":
        return redirect("revocation:detail", request.tenant.slug, context["under_way"].pk)
    if request.method == "POST" and form.is_valid():
        try:  # whoever may not is refused by the service, which records the attempt
            asked = services.sign_out(request.tenant, [found], actor=Actor.of(request.membership), **form.cleaned_data)
            return redirect("revocation:detail", request.tenant.slug, asked.pk)
        except services.Refused as refused:
            context["refusal"] = str(refused)
    says = sign_outs.one_person(found, request.tenant.slug, roles=context["roles"], refusal=context["refusal"])
    return confirm(request, says, form)


@require_http_methods(["GET", "POST"])
@require(Capability.SIGN_OUT_PEOPLE, step_up=True, again=True)
def secure(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Secure one account: what is done is ticked, with the person's own apps; then the page that follows it."""
    found = or_404(selectors.person, request.tenant, pk)
    context = _about(request, found)
    apps = known.apps_of(request.tenant, found) if request.membership.can(Capability.CHANGE_APPS) else []
    form = SecureForm(request.POST or None, apps=sign_outs.as_choices(apps))
    if request.method == "POST" and form.is_valid():
        try:  # whoever may not is refused by the service, which records the attempt
            asked = services.secure_account(
                request.tenant, found, actor=Actor.of(request.membership), **form.cleaned_data
            )
            return redirect("revocation:detail", request.tenant.slug, asked.pk)
        except services.Refused as refused:
            context["refusal"] = str(refused)
    says = sign_outs.securing(found, request.tenant.slug, roles=context["roles"], refusal=context["refusal"])
    return confirm(request, says, form)


@require_GET
@require(Capability.OWN_APPS)
def own_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One of the reader's own requests, from asked to the last token's end."""
    context = _own(request, pk)
    return render(request, "revocation/own_detail.html", context | {"part": _own_part(request, context)})


@asks_by_itself
@require_GET
@require(Capability.OWN_APPS)
def own_timeline(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The part of that page that fills in by itself."""
    return live.answer(request, _own_part(request, _own(request, pk)))


def _own(request: HttpRequest, pk: UUID) -> dict:
    found = get_object_or_404(revocations.asked_by(request.tenant, Actor.of(request.membership)), pk=pk)
    return {"revocation": found, "timeline": timeline(found, list(revocations.steps(found)[:200]), own=True)}


def _own_part(request: HttpRequest, context: dict) -> live.Part:
    told = context["timeline"]
    return live.part(
        request,
        "revocation/_own_detail.html",
        context,
        address=reverse("revocation:own-timeline", args=[context["revocation"].pk]),
        every=live.pace(told.final, told.points),
        says=told.headline,
    )


def _roles_known(held: Roles) -> bool:
    return held.known and not held.possible


def _about(request: HttpRequest, person: Person) -> dict:
    held = KnownRoles(request.tenant).of_person(person)
    return {
        "person": person,
        "person_id": str(person.pk),
        "restricted": protection.restricted_unit() if person.is_restricted else "",
        "does": sign_outs.truths_of_one(person.display_name or person.upn),
        "roles": role_names(held.held),
        "roles_known": _roles_known(held),
        "in_role_group": held.in_role_group,
        "refusal": protection.refusal(request.tenant, person, Actor.of(request.membership))
        or granting.refusal_of(request.tenant, str(request.tenant.sign_out_action)),
        "under_way": known.under_way(request.tenant, person),
    }
