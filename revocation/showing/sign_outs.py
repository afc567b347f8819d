"""What is said before people are signed out: one person, a list of them, or everyone who let an app in."""

from django.urls import reverse
from django.utils.translation import gettext as _

from b2c.terms import Terms
from directory.models import Person, ServicePrincipal
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
        digest_of=_("Digest of what and whom:"),
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
        digest_of=_("Digest of what and whom:"),
        busy=_("Storing every step. A long list takes some seconds."),
    )


def containing(app: ServicePrincipal, slug: str, contained: Containment) -> Confirmation:
    back, title = reverse("consent:app", args=[slug, app.pk]), _("Contain %(app)s") % {"app": app.display_name}
    return Confirmation(
        title=title,
        button=_("Ask for approval") if contained.plan.needs_approval else title,
        back=back,
        keep=_("Back"),
        crumbs=[Crumb(app.display_name, back)],
        intro=_(
            "One revocation: the app is disabled, what it was granted and assigned is taken back, and everyone who"
            " consented is signed out."
        ),
        plan="revocation/_plan_of_app.html",
        truths=[
            Truth(_("First"), _("The app is disabled: nobody can sign in to it, and it gets no new token.")),
            Truth(
                _("Then"),
                _(
                    "Its grants and assignments are removed, each kept as a before-image, and the people are signed"
                    " out, privileged ones first."
                ),
            ),
            _tokens_last(_("Access tokens the app already holds: up to %(tokens)d minutes.")),
        ],
        refusal=contained.refusal,
        digest=contained.digest,
        digest_of=_("Digest of the steps:"),
    )


def _tokens_last(text: str) -> Truth:
    return Truth(_("Lasts longer"), text % {"tokens": _minutes(TOKEN_LIFETIME)})


def _minutes(length) -> int:
    return int(length.total_seconds() // 60)
