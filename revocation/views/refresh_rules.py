"""Rules of the gate: those in force, what one would refuse, making one, ending one."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import Actor, or_404, require
from accounts.roles import Capability
from b2c import effects, selectors as gate
from b2c.models import RefreshRule
from b2c.terms import Terms
from directory import selectors
from directory.models import Person
from directory.paging import page
from revocation import services
from revocation.actions import refuse_refresh
from revocation.forms import ReasonForm
from revocation.models import RevocationRequest
from revocation.rule_forms import RefuseForm, TermsForm
from revocation.rules import protection
from revocation.rules.hits import NOT_KNOWN, Hits
from revocation.services import refusing
from revocation.showing import refresh_rules as says
from revocation.showing.confirming import confirm


@require_GET
@require(Capability.VIEW_REVOCATIONS)
def rules(request: HttpRequest) -> HttpResponse:
    """The rules in force, newest first, or those that are over."""
    q = request.GET.get("q", "").replace("\0", "").strip()[:200]
    ended = "ended" in request.GET
    found = gate.found_rules(request.tenant, q=q, ended=ended)
    shown = page(found, ("-created_at", "id"), request.GET.get("after", ""), 50)
    for rule in shown.items:
        rule.terms = Terms.of_rule(rule)
    setting = gate.setting(request.tenant)
    context = {"q": q, "ended": ended, "page": shown, "setting": setting, "fails": effects.fails_words(setting)}
    return render(request, "revocation/rules.html", context)


@require_GET
@require(Capability.VIEW_REVOCATIONS)
def rule(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One rule: whom it hits and where, what it does at each policy, where it came from."""
    found = _rule(request, pk)
    came_from = RevocationRequest.objects.filter(tenant=request.tenant, pk=found.request_id).first()
    context = {
        "rule": found,
        "terms": Terms.of_rule(found),
        "people": _hit(request, found)["people"],
        "in_force": gate.rules(request.tenant).in_force().filter(pk=pk).exists(),
        "came_from": came_from,
        "siblings": gate.rules(request.tenant).in_force().filter(request_id=found.request_id).count(),
        "cannot_end": refusing.ending_objection(found, Actor.of(request.membership)),
        **says.about(request.tenant, found, gate.setting(request.tenant)),
    }
    return render(request, "revocation/rule.html", context)


@require_http_methods(["GET", "POST"])
@require(Capability.SIGN_OUT_PEOPLE, step_up=True)
def refuse(request: HttpRequest, pk: UUID, app_id: UUID) -> HttpResponse:
    """Refuse one person's refresh in one application."""
    person, name = or_404(selectors.person, request.tenant, pk), effects.name_of(request.tenant, app_id)
    if not name:
        raise Http404
    form = RefuseForm(request.POST or None, initial={"hours": 0})
    terms = Terms(app_id=str(app_id), app_label=name)
    if request.method == "POST" and form.is_valid():
        terms = Terms(app_id=str(app_id), app_label=name, hours=form.cleaned_data.pop("hours"))
        return _asked(request, person, terms, form, app_id=app_id)
    return _before_one(request, person, terms, form)


@require_http_methods(["GET", "POST"])
@require(Capability.MANAGE_TENANT, step_up=True)
def new(request: HttpRequest) -> HttpResponse:
    """The terms of a rule for everyone. Sending them changes nothing: what the rule would refuse comes next."""
    form = TermsForm(request.POST or None, tenant=request.tenant, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        check = reverse("revocation:check-rule", args=[request.tenant.slug])
        return redirect(f"{check}?{urlencode(form.terms().params())}")
    setting = gate.setting(request.tenant)
    context = {"form": form, "switched_on": setting.is_b2c, "attribute": setting.country_attribute or "country"}
    return render(request, "revocation/new_rule.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@require(Capability.MANAGE_TENANT, step_up=True)
def check(request: HttpRequest) -> HttpResponse:
    """What a rule for everyone would refuse, the reason, and the button."""
    asked = TermsForm(_from_query(request), tenant=request.tenant)
    if not asked.is_valid():
        return redirect("revocation:new-rule", request.tenant.slug)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _asked(request, None, asked.terms(), form)
    return _before_everyone(request, asked.terms(), form)


@require_http_methods(["GET", "POST"])
@require(Capability.SIGN_OUT_PEOPLE, step_up=True)
def end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End one rule, or with `?all` every rule that was made with it."""
    found, actor = _rule(request, pk), Actor.of(request.membership)
    together = [found]
    if "all" in request.GET:
        together = list(gate.rules(request.tenant).in_force().filter(request_id=found.request_id)) or [found]
    refusal = next(filter(None, (refusing.ending_objection(one, actor) for one in together)), "")
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.end_refresh_rules(request.tenant, together, actor=actor, **form.cleaned_data)
            return redirect("revocation:detail", request.tenant.slug, made.pk)
        except services.Refused as refused:
            refusal = str(refused)
    return confirm(request, says.ending(together, request.tenant.slug, refusal=refusal), form)


# --- Shared -----------------------------------------------------------------------------------------


def _rule(request: HttpRequest, pk: UUID) -> RefreshRule:
    return get_object_or_404(gate.rules(request.tenant), pk=pk)


def _asked(request: HttpRequest, person: Person | None, terms: Terms, form, **about) -> HttpResponse:
    """Ask for the rule; where that is refused, the page before says why."""
    actor = Actor.of(request.membership)
    try:
        made = services.refuse_refresh(request.tenant, person, terms, actor=actor, **form.cleaned_data)
        return redirect("revocation:detail", request.tenant.slug, made.pk)
    except services.Refused as refused:
        if person:
            return _before_one(request, person, terms, form, str(refused))
        return _before_everyone(request, terms, form, str(refused))


def _before_one(request: HttpRequest, person: Person, terms: Terms, form, refusal: str = "") -> HttpResponse:
    actor = Actor.of(request.membership)
    refusal = refusal or refusing.objection(request.tenant, person, terms, actor)
    refusal = refusal or protection.refusal(request.tenant, person, actor) or ""
    hit = _hit(request, terms.example(timezone.now(), person.pk))
    said = says.one_person(person, terms, request.tenant.slug, refusal=refusal, needs_approval=hit["approval"])
    return confirm(request, said, form, **_effects(request, terms), **hit)


def _before_everyone(request: HttpRequest, terms: Terms, form, refusal: str = "") -> HttpResponse:
    refusal = refusal or refusing.objection(request.tenant, None, terms, Actor.of(request.membership))
    hit = _hit(request, terms.example(timezone.now()))
    said = says.everyone(terms, request.tenant.slug, refusal=refusal, needs_approval=hit["approval"])
    return confirm(request, said, form, **_effects(request, terms), **hit)


def _effects(request: HttpRequest, terms: Terms) -> dict:
    return says.about(request.tenant, terms.example(timezone.now()), gate.setting(request.tenant))


def _hit(request: HttpRequest, rule: RefreshRule) -> dict:
    """How many people it is about (None: not known), and whether a second person is needed."""
    hits = Hits(request.tenant)
    hits.add(refuse_refresh.step(Terms.of_rule(rule), None if rule.is_for_everyone else rule.person_id))
    people = hits.people()
    approval = hits.need_second_person(Actor.of(request.membership))
    return {"people": None if people == NOT_KNOWN else people, "approval": approval}


def _initial(request: HttpRequest) -> dict:
    return {name: request.GET[name] for name in TermsForm.base_fields if name in request.GET}


def _from_query(request: HttpRequest) -> dict:
    """The terms as the address carries them, in the form's own fields."""
    sent = request.GET
    return {
        "app": sent.get("app_id", ""),
        "policy": sent.get("policy_id", ""),
        "when": sent.get("condition", "") or "before",
        "claim": sent.get("claim", ""),
        "value": sent.get("value", ""),
        "hours": sent.get("hours", "0"),
    }
