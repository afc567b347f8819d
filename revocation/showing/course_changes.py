"""What is said before a revocation's course is changed: cancelling the rest, trying again, overriding a rule."""

from django.urls import reverse
from django.utils.translation import gettext as _, ngettext

from graph.sentences import grouped
from revocation.models import RevocationRequest
from revocation.showing.confirming import Confirmation, Truth
from revocation.showing.tally import Tally


def cancelling(request: RevocationRequest, tally: Tally) -> Confirmation:
    undone = ngettext(
        "%(n)s step that nobody has begun yet.", "%(n)s steps that nobody has begun yet.", tally.waiting
    ) % {"n": grouped(tally.waiting)}
    done = ngettext(
        "%(n)s step that Microsoft was already asked. It is shown as it is, and still proved.",
        "%(n)s steps that Microsoft was already asked. They are shown as they are, and still proved.",
        tally.decided,
    ) % {"n": grouped(tally.decided)}
    return Confirmation(
        title=(_("Cancel the rest: %(title)s") if tally.decided else _("Cancel: %(title)s")) % {"title": request.title},
        button=_("Cancel the rest") if tally.decided else _("Cancel this revocation"),
        back=_page(request),
        keep=_("Back"),
        truths=[
            Truth(_("Not done"), undone),
            *([Truth(_("Stays done"), done)] if tally.decided else []),
            Truth(_("Final"), _("A cancelled revocation cannot go on. To stop for a while, pause it.")),
        ],
    )


def retrying(request: RevocationRequest, tally: Tally) -> Confirmation:
    button = ngettext("Try it again", "Try the %(n)s again", tally.attention) % {"n": grouped(tally.attention)}
    return Confirmation(
        title=_("Try again: %(title)s") % {"title": request.title},
        button=button,
        back=_page(request),
        keep=_("Back"),
        danger=False,
        truths=[
            Truth(
                _("Asked again"),
                _("What failed or could not be confirmed, as a new revocation with the same reason, linked with this."),
            ),
            Truth(_("Not asked"), _("What was proved.")),
        ],
        warning=_(
            "A sign-out that Microsoft accepted but the directory never showed is asked a second time: the person may"
            " have to sign in once more."
        ),
    )


def rejecting(request: RevocationRequest) -> Confirmation:
    return Confirmation(
        title=_("Reject: %(title)s") % {"title": request.title},
        button=_("Reject it"),
        back=reverse("revocation:approve", args=[request.tenant.slug, request.pk]),
        keep=_("Back"),
        truths=[
            Truth(_("Not done"), _("Nothing of it is done, and it is closed. It can be asked for anew.")),
            Truth(_("Told"), _("%(who)s reads your name and your reason.") % {"who": request.actor_label}),
        ],
    )


def undoing(request: RevocationRequest) -> Confirmation:
    return Confirmation(
        title=_("Undo: %(title)s") % {"title": request.title},
        button=_("Undo it"),
        back=_page(request),
        keep=_("Back"),
        danger=False,
        truths=[
            Truth(
                _("Comes back"),
                _(
                    "What this revocation took, from the images kept before each step: consents of each person, those"
                    " for everyone, permissions and assignments; what it disabled is enabled again."
                ),
            ),
            Truth(_("Stays"), _("What somebody changed since, what was gone already, and whoever was signed out.")),
            Truth(_("So"), _("The apps can act again with all they had, and nobody is asked.")),
        ],
    )


def overriding(request: RevocationRequest, tally: Tally) -> Confirmation:
    return Confirmation(
        title=_("Override the approval in an emergency: %(title)s") % {"title": request.title},
        button=_("Override and start"),
        back=_page(request),
        keep=_("Back"),
        warning=_(
            "You go on without a second person. The override, your name and your reason are written into the audit"
            " record and shown on the revocation and in its report."
        ),
    )


def _page(request: RevocationRequest) -> str:
    return reverse("revocation:detail", args=[request.tenant.slug, request.pk])
