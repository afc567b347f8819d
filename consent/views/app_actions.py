"""What an administrator does to one app. Each says first what will happen; each needs a fresh sign-in."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_http_methods

from accounts.access import or_404, require
from accounts.roles import Capability
from consent import services
from consent.forms import ReasonForm, TypedForm
from consent.views.doing import follow
from directory import selectors
from directory.models import Collection, ServicePrincipal
from revocation.showing.confirming import Confirmation, Truth, confirm, tokens_end

changes_apps = require(Capability.CHANGE_APPS, step_up=True)
reads_and_posts = require_http_methods(["GET", "HEAD", "POST"])


@reads_and_posts
@changes_apps
def revoke_user_consent(request: HttpRequest, app_id: UUID, person_id: UUID) -> HttpResponse:
    app = or_404(selectors.app, request.tenant, app_id)
    consent = or_404(selectors.user_consent, app, person_id)
    form, back = ReasonForm(request.POST or None), _page(request, app)
    if request.method == "POST" and form.is_valid():
        return follow(request, back, services.revoke_user_consent, app, person_id, **form.cleaned_data)
    return confirm(request, _user_consent(app, consent, back), form)


@reads_and_posts
@changes_apps
def revoke_tenant_consent(request: HttpRequest, app_id: UUID) -> HttpResponse:
    return _change(request, app_id, _tenant_consent, services.revoke_tenant_consent)


@reads_and_posts
@changes_apps
def disable(request: HttpRequest, app_id: UUID) -> HttpResponse:
    return _change(request, app_id, _disabling, services.disable_app)


@reads_and_posts
@changes_apps
def enable(request: HttpRequest, app_id: UUID) -> HttpResponse:
    return _change(request, app_id, _enabling, services.enable_app)


@reads_and_posts
@changes_apps
def delete(request: HttpRequest, app_id: UUID) -> HttpResponse:
    return _change(request, app_id, _deleting, services.delete_app, typed=True)


def _change(request: HttpRequest, app_id: UUID, says, service, *, typed: bool = False) -> HttpResponse:
    """Find the app, confirm, act: the same for every change of a whole app."""
    app = or_404(selectors.app, request.tenant, app_id)
    form = TypedForm(request.POST or None, name=app.display_name) if typed else ReasonForm(request.POST or None)
    back = _page(request, app)
    if request.method == "POST" and form.is_valid():
        return follow(request, back, service, app, **form.cleaned_data)
    return confirm(request, says(app, back), form)


def _page(request: HttpRequest, app: ServicePrincipal) -> str:
    return reverse("consent:app", args=[request.tenant.slug, app.pk])


# --- What is said before ------------------------------------------------------------------------------


def _user_consent(app: ServicePrincipal, consent: selectors.UserConsent, back: str) -> Confirmation:
    who = consent.person.display_name if consent.person else str(consent.person_id)
    stays = _("Anything it has copied. What an administrator allowed it for everyone.")
    if not app.has_admin_consent:
        stays = _("Anything it has copied. Other people's consent.")
    return Confirmation(
        title=_("Revoke %(who)s's consent to %(app)s?") % {"who": who, "app": app.display_name},
        button=_("Revoke %(who)s's consent") % {"who": who},
        back=back,
        truths=[
            Truth(_("Stops now"), _("New access in this person's name: %(can)s") % {"can": consent.summary}),
            tokens_end(),
            Truth(_("Stays"), stays),
            Truth(_("Later"), _("The person can consent again, unless the app is disabled or consent is restricted.")),
        ],
    )


def _tenant_consent(app: ServicePrincipal, back: str) -> Confirmation:
    people = ngettext(
        "The consent that %(count)d person gave for themselves.",
        "The consent that %(count)d people gave for themselves.",
        app.user_consent_count,
    ) % {"count": app.user_consent_count}
    return Confirmation(
        title=_("Revoke the organisation's consent to %(app)s?") % {"app": app.display_name},
        button=_("Revoke the organisation's consent"),
        back=back,
        truths=[
            Truth(_("Stops now"), _("New access to anybody's data that rests on the administrator's consent.")),
            tokens_end(),
            Truth(_("Stays"), f"{people} " + _("Its app-only permissions. Anything it has copied.")),
            Truth(_("Later"), _("People who use it are asked to consent themselves, where the tenant lets them.")),
        ],
    )


def _disabling(app: ServicePrincipal, back: str) -> Confirmation:
    return Confirmation(
        title=_("Disable %(app)s?") % {"app": app.display_name},
        button=_("Disable %(app)s") % {"app": app.display_name},
        back=back,
        truths=[
            Truth(_("Stops now"), _("Nobody can sign in to it, and Microsoft issues it no new token, also app-only.")),
            tokens_end(),
            Truth(_("Stays"), _("Every permission and assignment, so that enabling it again restores all.")),
            Truth(_("Later"), _("Nobody can consent again while it is disabled. Enable it at any time.")),
        ],
    )


def _enabling(app: ServicePrincipal, back: str) -> Confirmation:
    return Confirmation(
        title=_("Enable %(app)s?") % {"app": app.display_name},
        button=_("Enable %(app)s") % {"app": app.display_name},
        back=back,
        danger=False,
        truths=[
            Truth(_("Works again"), _("Sign-in, and every permission it still holds, from now on.")),
            Truth(_("Stays"), _("What was revoked while it was disabled stays revoked.")),
        ],
    )


def _agents_go_too(count: int) -> str:
    """https://learn.microsoft.com/entra/agent-id/cascade-deletion-agent-identities"""
    if not count:
        return _("Agents made from it are deleted by Microsoft about a day later, and then restored one by one.")
    text = ngettext(
        "The %(count)d agent made from it is deleted by Microsoft about a day later.",
        "The %(count)d agents made from it are deleted by Microsoft about a day later, and then restored one by one.",
        count,
    )
    return text % {"count": count}


def _deleting(app: ServicePrincipal, back: str) -> Confirmation:
    hits = selectors.what_deleting_hits(app)
    what = _("%(people)d people, %(grants)d grants, %(assigned)d assignments, %(alone)d app-only permissions.") % {
        "people": hits.people,
        "grants": hits.grants,
        "assigned": hits.assignments,
        "alone": hits.app_permissions,
    }
    if app.kind == ServicePrincipal.Kind.BLUEPRINT:
        what = f"{what} {_agents_go_too(hits.agents)}"
    if not selectors.is_read(app.tenant, Collection.Kind.GRANTS, Collection.Kind.ASSIGNMENTS):
        what = _("%(what)s The directory has not been read in full yet, so it may be more.") % {"what": what}
    return Confirmation(
        title=_("Delete %(app)s?") % {"app": app.display_name},
        button=_("Delete %(app)s") % {"app": app.display_name},
        back=back,
        warning=_("The organisation has consented for everyone, so everyone who uses it loses it.")
        if hits.organisation_wide
        else "",
        truths=[
            Truth(_("Goes"), what),
            Truth(_("Stops now"), _("Every sign-in to it and every new token, also app-only.")),
            tokens_end(),
            Truth(_("Stays"), _("For 30 days it can be restored; we keep its grants and put them back.")),
            Truth(_("Later"), _("People can bring it back by consenting again. To keep it out, disable it instead.")),
        ],
    )
