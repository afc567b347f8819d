"""What is said before people are signed out: one person, a list of them, or everyone who let an app in."""

from dataclasses import replace

from django.urls import reverse
from django.utils.translation import gettext as _

from b2c.terms import Terms
from directory.models import Person, Risk, ServicePrincipal
from revocation.lists.containment import Containment
from revocation.lists.recipes import Recipe
from revocation.models import ListDraft
from revocation.planning import Plan
from revocation.rules.protection import restricted_unit
from revocation.showing import refresh_rules
from revocation.showing.confirming import Confirmation, Crumb, Truth
from revocation.showing.timeline import CAE_DELAY, TOKEN_LIFETIME


def truths_of_one(name: str) -> list[Truth]:
    ends = _(
        "Every refresh token and Microsoft session of %(name)s, on every device, within a few minutes of Microsoft"
        " accepting it. Sessions in this portal end as well."
    )
    lasts = _(
        "Access tokens that apps already hold work until they expire: up to %(tokens)d minutes. Outlook, Teams and"
        " SharePoint are told, usually within %(told)d minutes."
    )
    does_not = _(
        "End a website's own cookie, remove what apps were allowed to do, change the password or disable the account."
        " Whoever knows the password can sign in again."
    )
    return [
        Truth(_("Ends"), ends % {"name": name}),
        Truth(_("Lasts longer"), lasts % {"tokens": _minutes(TOKEN_LIFETIME), "told": _minutes(CAE_DELAY)}),
        Truth(_("Does not"), does_not),
    ]


def one_person(person: Person, slug: str, *, roles: list[str], refusal: str) -> Confirmation:
    name = person.display_name or person.upn
    back, what = (
        reverse("revocation:person", args=[slug, person.pk]),
        _("Sign out %(name)s everywhere") % {"name": name},
    )
    holds = _("%(name)s holds a directory role: %(roles)s.") % {"name": name, "roles": ", ".join(map(str, roles))}
    return Confirmation(
        title=what,
        button=what,
        back=back,
        keep=_("Back"),
        crumbs=[Crumb(_("People"), reverse("revocation:people", args=[slug])), Crumb(name, back)],
        truths=truths_of_one(name),
        warning=" ".join([*([holds] if roles else []), *([restricted_unit()] if person.is_restricted else [])]),
        refusal=refusal,
    )


def as_choices(apps: list[dict]) -> list[tuple[str, str, bool]]:
    """A person's apps (`showing.people.apps_of`) as they are ticked: id, words, and whether they are of high risk."""
    found = []
    for one in apps:
        words = _("%(app)s: %(may)s") % {"app": one["app"].display_name, "may": one["summary"]}
        risky = one["risk"] == Risk.HIGH
        found.append((str(one["app"].pk), _("%(app)s (high risk)") % {"app": words} if risky else words, risky))
    return found


def a_list(draft: ListDraft, slug: str, title: str, plan: Plan) -> Confirmation:
    back = reverse("revocation:preview", args=[slug, draft.pk])
    ends = _(
        "Every refresh token and Microsoft session of these people, within a few minutes of Microsoft accepting each."
    )
    if draft.recipe == Recipe.REFUSE_REFRESH:
        return _a_list_refused(draft, slug, title, plan, back)
    if draft.recipe == Recipe.CONTAIN_PEOPLE:
        ends = f"{ends} {_('What they granted to high-risk apps is withdrawn.')}"
    return Confirmation(
        title=title,
        button=_("Ask for approval") if plan.needs_approval else title,
        back=back,
        keep=_("Back to the list"),
        crumbs=[
            Crumb(_("Revocations"), reverse("revocation:list", args=[slug])),
            Crumb(_("Who this is"), back),
        ],
        plan="revocation/_plan.html",
        truths=[
            Truth(_("Ends"), ends),
            _tokens_last(_("Access tokens that apps already hold: up to %(tokens)d minutes.")),
            Truth(
                _("Does not"),
                _("Change passwords or disable accounts. Whoever knows a password can sign in again."),
            ),
        ],
        digest=draft.digest,
        busy=_("Storing every step. A long list takes some seconds."),
    )


def _a_list_refused(draft: ListDraft, slug: str, title: str, plan: Plan, back: str) -> Confirmation:
    return Confirmation(
        title=title,
        button=_("Ask for approval") if plan.needs_approval else title,
        back=back,
        keep=_("Back to the list"),
        crumbs=[
            Crumb(_("Revocations"), reverse("revocation:list", args=[slug])),
            Crumb(_("Who this is"), back),
        ],
        plan="revocation/_plan.html",
        truths=refresh_rules.truths(Terms.of(draft.options)),
        digest=draft.digest,
        busy=_("Storing every step. A long list takes some seconds."),
    )


def taking_out(app: ServicePrincipal, slug: str, contained: Containment) -> Confirmation:
    back, title = reverse("consent:app", args=[slug, app.pk]), _("Take out %(app)s") % {"app": app.display_name}
    return Confirmation(
        title=title,
        button=title,
        back=back,
        keep=_("Back"),
        crumbs=[Crumb(app.display_name, back)],
        intro=_("One revocation of the steps that are ticked. Nobody is signed out unless you tick that."),
        plan="revocation/_plan_of_app.html",
        truths=[
            Truth(_("In order"), _("What is ticked is done in the order shown; disabling comes before all else.")),
            Truth(_("Undo"), _("Each is kept as a before-image, and an undo puts it back. A sign-out stays.")),
            _tokens_last(_("Access tokens the app already holds: up to %(tokens)d minutes.")),
        ],
        refusal=contained.refusal,
        digest=contained.digest,
    )


def securing(person: Person, slug: str, *, roles: list[str], refusal: str) -> Confirmation:
    """What is said before one account is secured: what we do, and what only Entra can."""
    name = person.display_name or person.upn
    back, what = (
        reverse("revocation:person", args=[slug, person.pk]),
        _("Secure the account of %(name)s") % {"name": name},
    )
    one = one_person(person, slug, roles=roles, refusal=refusal)
    return replace(
        one,
        title=what,
        button=what,
        crumbs=[*one.crumbs[:1], Crumb(name, back)],
        truths=[
            *truths_of_one(name)[:2],
            Truth(_("Withdrawn"), _("What the ticked apps may do in this person's name. An undo puts it back.")),
            Truth(
                _("Yours to do"),
                _(
                    "Reset the password, and look at what they prove themselves with: only Entra can. The next page"
                    " leads there."
                ),
            ),
        ],
    )


def _tokens_last(text: str) -> Truth:
    return Truth(_("Lasts longer"), text % {"tokens": _minutes(TOKEN_LIFETIME)})


def _minutes(length) -> int:
    return int(length.total_seconds() // 60)
