"""What is said before many apps are changed at once, and before one is kept out that never came."""

from django.utils.translation import gettext as _

from accounts.models import Tenant
from consent.bulk import Bulk, Deed, title
from consent.showing import coming_back
from revocation.showing.confirming import Confirmation, Truth, tokens_end


def changing(tenant: Tenant, bulk: Bulk, back: str) -> Confirmation:
    what = title(bulk.deed, bulk.apps)
    return Confirmation(
        title=what if bulk.apps else str(bulk.deed.label),
        button=_("Ask for approval") if bulk.plan.needs_approval else what,
        back=back,
        keep=_("Back"),
        plan="consent/_bulk_plan.html",
        truths=[*_truths(bulk.deed), tokens_end(), *coming_back.truths(tenant, kept_out=bulk.deed != Deed.REVOKE)],
        note=_("It can be undone for 30 days, from the images kept before each step."),
        refusal=bulk.refusal,
        digest=bulk.digest,
        busy=_("Storing every step. A long list takes some seconds."),
    )


def _truths(deed: Deed) -> list[Truth]:
    if deed == Deed.DISABLE:
        return [
            Truth(_("Stops now"), _("Nobody can sign in to these apps, and they get no new token.")),
            Truth(_("Stays"), _("Everything they were granted, asleep. Enabled again, they work as before.")),
        ]
    if deed == Deed.TAKE_OUT:
        return [
            Truth(
                _("First"), _("Each app is disabled: nobody can sign in to it or let it in, and it gets no new token.")
            ),
            Truth(
                _("Then"),
                _("Every consent is withdrawn, each person's and the organisation's, and every app-only permission."),
            ),
            Truth(_("Stays"), _("Who is assigned. Nobody is signed out: the app's own page offers that as a step.")),
        ]
    return [
        Truth(_("Stops now"), _("They get nothing new with any consent, of people or for everyone.")),
        Truth(
            _("Stays"), _("The apps themselves, who is assigned to them, and what they may do with nobody signed in.")
        ),
    ]


def keeping_out(tenant: Tenant, back: str) -> Confirmation:
    return Confirmation(
        title=_("Keep an app out"),
        button=_("Keep it out"),
        back=back,
        truths=[
            Truth(
                _("Now"),
                _("The app is made known to this organisation and disabled at once, before anybody lets it in."),
            ),
            Truth(_("So"), _("Nobody can consent to it, sign in to it, or ask an administrator for it.")),
            Truth(_("Not"), _("It is not told, and what people gave it elsewhere stays.")),
        ],
        note=_("An app that is here already is taken out instead."),
    )
