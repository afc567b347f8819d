"""What is said before an administrator changes an app: what stops, what stays, and what comes later."""

from django.utils.translation import gettext as _, ngettext

from consent.showing import coming_back
from directory import agents, selectors
from directory.models import Collection, Person, ServicePrincipal
from directory.wording import Sentence
from revocation.showing.confirming import Confirmation, Truth, tokens_end

Kind = ServicePrincipal.Kind


def user_consent(app: ServicePrincipal, consent: selectors.UserConsent, back: str) -> Confirmation:
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
            *coming_back.truths(app.tenant),
        ],
    )


def user_consents(app: ServicePrincipal, consents: list[selectors.UserConsent], back: str) -> Confirmation:
    n = len(consents)
    names = [one.person.display_name if one.person else str(one.person_id) for one in consents]
    title = ngettext(
        "Revoke the consent of %(n)s person to %(app)s?", "Revoke the consent of %(n)s people to %(app)s?", n
    )
    button = ngettext("Revoke %(n)s consent", "Revoke %(n)s consents", n)
    return Confirmation(
        title=title % {"n": n, "app": app.display_name},
        button=button % {"n": n},
        back=back,
        truths=[
            Truth(_("Whose"), ", ".join(names)),
            Truth(_("Stops now"), _("New access in the name of these people.")),
            tokens_end(),
            Truth(
                _("Stays"), _("Anything it has copied. What others allowed it, and what it was allowed for everyone.")
            ),
            *coming_back.truths(app.tenant),
        ],
    )


def tenant_consent(app: ServicePrincipal, back: str) -> Confirmation:
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
            *coming_back.truths(app.tenant),
        ],
    )


def _agents_stop(count: int) -> str:
    text = ngettext(
        "%(count)d agent made from it gets no new token, and nobody can make another.",
        "%(count)d agents made from it get no new token, and nobody can make another.",
        count,
    )
    return text % {"count": count}


def _disabling_an_agent(app: ServicePrincipal, back: str) -> Confirmation:
    """https://learn.microsoft.com/entra/agent-id/manage-agent-blueprint"""
    blueprint = app.kind == Kind.BLUEPRINT
    stops = _("Microsoft issues this agent no new token, for anybody or for itself; its own account stops with it.")
    if blueprint:
        stops = _agents_stop(agents.all_of(app).count())
    stays = _("Every permission, its own and what it inherits, so that enabling it again restores all.")
    return Confirmation(
        title=_("Disable %(app)s?") % {"app": app.display_name},
        button=_("Disable %(app)s") % {"app": app.display_name},
        back=back,
        truths=[
            Truth(_("Stops now"), stops),
            tokens_end(),
            Truth(_("Stays"), _("What was granted to it, its agents and their sponsors.") if blueprint else stays),
            Truth(_("Later"), _("Enable it at any time, and all is as it was. Another tenant is not touched.")),
        ],
    )


def signing_out_account(agent: ServicePrincipal, account: Person, back: str) -> Confirmation:
    """An agent's own account is no person: signing it out is not what stops it."""
    return Confirmation(
        title=_("Sign out the account of %(app)s?") % {"app": agent.display_name},
        button=_("Sign out %(upn)s") % {"upn": account.upn},
        back=back,
        truths=[
            Truth(_("Stops now"), _("What was issued to the account until now: it cannot be renewed.")),
            tokens_end(),
            Truth(_("Stays"), _("The agent. It gets the account new tokens whenever it wants.")),
            Truth(_("To stop it"), _("Disable the agent, or its blueprint with all its agents.")),
        ],
    )


def taking(blueprint: ServicePrincipal, sentence: Sentence, back: str) -> Confirmation:
    """What taking one permission from a blueprint does to the agents made from it."""
    count = agents.all_of(blueprint).count()
    loses = ngettext(
        "%(count)d agent made from it loses this with its next token: %(what)s",
        "%(count)d agents made from it lose this with their next token: %(what)s",
        count,
    )
    return Confirmation(
        title=_("Take %(permission)s from %(app)s?") % {"permission": sentence.value, "app": blueprint.display_name},
        button=_("Take %(permission)s") % {"permission": sentence.value},
        back=back,
        truths=[
            Truth(_("Stops now"), loses % {"count": count, "what": sentence.text}),
            tokens_end(),
            Truth(_("Stays"), _("What people granted an agent themselves, and what an agent was granted alone.")),
            Truth(_("Later"), _("An administrator can grant it to the blueprint again; undoing this does it too.")),
        ],
    )


def disabling(app: ServicePrincipal, back: str) -> Confirmation:
    if app.kind in (Kind.AGENT, Kind.BLUEPRINT):
        return _disabling_an_agent(app, back)
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


def enabling(app: ServicePrincipal, back: str) -> Confirmation:
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
        "The %(count)d agent made from it stops at once and is deleted by Microsoft about a day later.",
        "The %(count)d agents made from it stop at once and are deleted by Microsoft about a day later.",
        count,
    ) % {"count": count}
    return f"{text} " + _("Restored before that, nothing happens to them; later each has to be restored by itself.")


def deleting(app: ServicePrincipal, back: str) -> Confirmation:
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
            Truth(_("Later"), _("It comes back as a new app when somebody consents. To keep it out, disable it.")),
            *coming_back.truths(app.tenant),
        ],
    )


def restoring(app: ServicePrincipal, back: str) -> Confirmation:
    of_blueprint = Truth(
        _("Agents"),
        _("Those Microsoft has deleted with it, about a day after it, are in this list too and come back one by one."),
    )
    return Confirmation(
        back=back,
        title=_("Restore %(app)s?") % {"app": app.display_name},
        button=_("Restore %(app)s") % {"app": app.display_name},
        danger=False,
        truths=[
            Truth(_("Comes back"), _("The app, enabled or disabled as it was, and its assignments.")),
            Truth(_("Then"), _("We compare its grants with what was there before, and put back what is missing.")),
            Truth(_("So"), _("Whoever had allowed it has allowed it again; nobody is asked.")),
            *([of_blueprint] if app.kind == Kind.BLUEPRINT else []),
        ],
    )


def purging(app: ServicePrincipal, back: str) -> Confirmation:
    return Confirmation(
        back=back,
        title=_("Delete %(app)s for good?") % {"app": app.display_name},
        button=_("Delete %(app)s for good") % {"app": app.display_name},
        truths=[
            Truth(_("Goes"), _("The app in this tenant, its assignments and grants. Nobody can restore it.")),
            Truth(_("Stays"), _("Our record of it. The app in its publisher's own tenant.")),
            Truth(_("Later"), _("If someone consents to it again, it comes back as a new app with new ids.")),
        ],
    )
