"""What was proved, in the words of the person it was done for: theirs are not an administrator's."""

from django.utils.translation import gettext_lazy as _

from revocation import actions
from revocation.models import RevocationStep

_NOTHING_NEW = _("It can get nothing new with it")
# By action: what was seen, and what follows.
_WORDS = {
    "delete_grant": (_("Microsoft no longer lists what you gave the app"), _NOTHING_NEW),
    "narrow_grant": (_("Microsoft no longer lists the permission"), _NOTHING_NEW),
    "create_grant": (_("Microsoft lists the permission again"), ""),
    "revoke_sessions": (
        _("Microsoft's records show it: sign-ins from before are over"),
        _("Whoever was signed in as you has to sign in again"),
    ),
    "end_portal_sessions": (_("No browser is signed in to Consentry as you any more"), ""),
}


def shown(action: str) -> str:
    """What was seen once it is proved."""
    known = actions.all_actions().get(action)
    words = _WORDS.get(action)
    return str(words[0]) if words else str(known.shown) if known else ""


def means(step: RevocationStep) -> str:
    """What follows from this step."""
    words = _WORDS.get(step.action)
    return str(words[1]) if words else actions.get(step.action).means(step)
