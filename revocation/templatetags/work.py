"""Words for what revocations are made of."""

from collections.abc import Mapping
from datetime import timedelta

from django import template
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from revocation.models import RevocationStep
from revocation.showing.kinds import kind_label

register = template.Library()
register.filter("kind_words", kind_label)

ACTIONS = {
    "revoke_sessions": gettext_lazy("Sign out everywhere"),
    "invalidate_tokens": gettext_lazy("Sign out everywhere (both clocks)"),
    "end_portal_sessions": gettext_lazy("End sessions in this portal"),
    "delete_grant": gettext_lazy("Withdraw a consent"),
    "narrow_grant": gettext_lazy("Remove one permission"),
    "create_grant": gettext_lazy("Put a consent back"),
    "disable_app": gettext_lazy("Disable the app"),
    "enable_app": gettext_lazy("Enable the app"),
    "delete_app": gettext_lazy("Delete the app"),
    "restore_app": gettext_lazy("Restore the app"),
    "purge_app": gettext_lazy("Delete the app for good"),
    "delete_assignment": gettext_lazy("Take an assignment away"),
    "create_assignment": gettext_lazy("Put an assignment back"),
}
State = RevocationStep.State
MEANING = {
    State.WAITING: gettext_lazy("Not asked yet"),
    State.CLAIMED: gettext_lazy("Microsoft is being asked"),
    State.ACCEPTED: gettext_lazy("Microsoft accepted it; waiting for the directory to show it"),
    State.VERIFIED: gettext_lazy("The directory shows it"),
    State.NO_EFFECT: gettext_lazy("Microsoft accepted it, and it changed nothing"),
    State.UNCONFIRMED: gettext_lazy("Accepted, but the directory did not show it in time"),
    State.FAILED: gettext_lazy("Microsoft refused"),
    State.CANCELLED: gettext_lazy("Cancelled before it was asked; nothing was changed"),
}


@register.filter
def action_words(action: str) -> str:
    return str(ACTIONS.get(action, action))


@register.filter
def what_happened(step: RevocationStep) -> str:
    """One sentence about a step: what its outcome says, else what its state means."""
    return step.outcome or str(MEANING[State(step.state)])


@register.filter
def at(values: Mapping, key: str):
    return values.get(key, 0)


@register.simple_tag
def duration(length: timedelta | None) -> str:
    """A length of time in words, as exact as anybody can use: "40 s", "3 min", "2 h 5 min"."""
    if length is None:
        return _("an unknown time")
    seconds = max(0, round(length.total_seconds()))
    if seconds < 90:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    minutes = round(seconds / 60)
    if minutes < 90:
        return _("%(n)d min") % {"n": minutes}
    hours, rest = divmod(minutes, 60)
    return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest} if rest else _("%(n)d h") % {"n": hours}


@register.filter
def state_words(state: str) -> str:
    """A step's state as a word for people."""
    return str(State(state).label) if state in State.values else state


@register.filter
def state_means(state: str) -> str:
    """What a step's state means, in a sentence."""
    return str(MEANING.get(state, ""))


@register.filter
def exact(instant: str | None) -> str:
    """A stored instant as a person writes it down: "2026-11-22 14:42:15 UTC"."""
    return f"{instant[:10]} {instant[11:19]} UTC" if instant else ""
