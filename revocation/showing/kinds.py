"""What the kinds of request are called."""

from django.utils.translation import gettext_lazy as _

LABELS = {
    "sign_out": _("Sign-out"),
    "sign_out_self": _("Own sign-out"),
    "contain_people": _("Containment of people"),
    "contain_app": _("Containment of an app"),
    "remove_own_app": _("App removed by its user"),
    "remove_own_permission": _("Permission removed by its user"),
    "revoke_user_consent": _("Consent withdrawn"),
    "revoke_admin_consent": _("Admin consent withdrawn"),
    "disable_app": _("App disabled"),
    "enable_app": _("App enabled"),
    "delete_app": _("App deleted"),
    "restore_app": _("App restored"),
    "purge_app": _("App deleted for good"),
    "undo": _("Undo"),
    "retry": _("Retry"),
}


def kind_label(kind: str) -> str:
    """A kind in words; one without a name of its own is shown as its machine word, with blanks."""
    return str(LABELS.get(kind) or kind.replace("_", " ").capitalize())
