"""What is said before a refresh is refused, and before that ends."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.models import Tenant
from b2c import effects, selectors
from b2c.models import GateSetting, RefreshRule
from b2c.rules import Verdict
from b2c.terms import Terms
from directory.models import Person
from revocation.rules import protection
from revocation.services import refusing
from revocation.showing import both_clocks
from revocation.showing.confirming import Confirmation, Crumb, Truth

PLAN = "revocation/_plan_of_rule.html"


def one_person(person: Person, terms: Terms, slug: str, *, refusal: str, needs_approval: bool) -> Confirmation:
    name, back = person.display_name or person.upn, reverse("revocation:person", args=[slug, person.pk])
    title = refusing.title(person, terms)
    return Confirmation(
        title=title,
        button=_("Ask for approval") if needs_approval else _("Refuse the refresh"),
        back=back,
        keep=_("Back"),
        crumbs=[Crumb(_("People"), reverse("revocation:people", args=[slug])), Crumb(name, back)],
        plan=PLAN,
        truths=truths(terms),
        refusal=refusal,
    )


def everyone(terms: Terms, slug: str, *, refusal: str, needs_approval: bool) -> Confirmation:
    return Confirmation(
        title=refusing.title(None, terms),
        button=_("Ask for approval") if needs_approval else _("Save the rule"),
        back=reverse("revocation:new-rule", args=[slug]),
        keep=_("Change it"),
        crumbs=[Crumb(_("Refresh rules"), reverse("revocation:rules", args=[slug]))],
        plan=PLAN,
        truths=truths(terms),
        refusal=refusal,
    )


def truths(terms: Terms) -> list[Truth]:
    """What the rule stops and what it does not, whoever it is about."""
    stops = _("The next refresh %(where)s, %(when)s, %(until)s. So is a silent sign-in by the browser's session.")
    words = {"where": terms.where(), "when": terms.when(), "until": terms.until()}
    lasts = _(
        "Access tokens that are out already: an hour, unless the policy gives them another life, of a day at most."
        " The app's own cookie is the app's to end."
    )
    goes_on = [_("Applications that sign in through other policies.")] if terms.app_id or terms.policy_id else []
    if terms.condition:
        goes_on.append(_("Everybody of whom the condition is not true, and each person from the moment it is not."))
    else:
        goes_on.append(_("Whoever signs in again with their password: such tokens are younger than the rule."))
    return [
        Truth(_("Refused"), stops % words),
        Truth(_("Lasts longer"), lasts),
        Truth(_("Goes on"), " ".join(goes_on)),
    ]


def ending(rules: list[RefreshRule], slug: str, *, refusal: str = "") -> Confirmation:
    back = reverse("revocation:rules", args=[slug])
    if len(rules) == 1:
        back = reverse("revocation:rule", args=[slug, rules[0].pk])
    return Confirmation(
        title=refusing.ending_title(rules),
        button=_("End the rule") if len(rules) == 1 else _("End the rules"),
        back=back,
        keep=_("Keep it") if len(rules) == 1 else _("Keep them"),
        crumbs=[Crumb(_("Refresh rules"), reverse("revocation:rules", args=[slug]))],
        danger=False,
        truths=[
            Truth(_("From now on"), _("The next refresh goes on, if no other rule stands against it.")),
            Truth(_("Also"), _("Refresh tokens that were refused work again, as long as they are alive.")),
            Truth(_("Stays"), _("The record of the rule: who asked for it, and why.")),
        ],
        refusal=refusal,
    )


def about(tenant: Tenant, rule: RefreshRule, setting: GateSetting) -> dict:
    """What `_effects.html` takes: policy by policy, what the rule does, and what is not known."""
    found = effects.effects(tenant, rule)
    hit = [one for one in found if Verdict.REFUSED in (one.refresh, one.silent, one.sign_in)]
    return {
        "effects": found,
        "words": {verdict.value: str(word) for verdict, word in effects.WORDS.items()},
        "hits_nothing": not hit,
        "too_wide": any(one.too_wide for one in found),
        "undecided": any(one.undecided for one in found),
        "fails": effects.fails_words(setting),
        "tolerance": setting.tolerance and not rule.condition,
    }


@dataclass(frozen=True)
class AppOfPerson:
    """One application of the gate, and the rules in force that stand against a person there."""

    app: effects.KnownApp
    rules: list[RefreshRule]


def of_person(tenant: Tenant, person: Person, actor: Actor) -> dict | None:
    """The gate's applications beside a person: where their refresh is refused, and by what. None without a gate."""
    setting = selectors.setting(tenant)
    if not setting.is_b2c:
        return None
    rules = list(selectors.rules_about(tenant, person.pk))
    for rule in rules:
        rule.terms = Terms.of_rule(rule)
    apps = effects.known_apps(tenant)
    of_apps = [AppOfPerson(app, [rule for rule in rules if rule.app_id == app.app_id]) for app in apps]
    known = {app.app_id for app in apps}
    return {
        "clocks": both_clocks.after_sign_out(tenant, person),
        "apps": of_apps,
        "others": [rule for rule in rules if rule.app_id not in known],
        "refusal": protection.refusal(tenant, person, actor) or "",
        "fails": effects.fails_words(setting),
    }
