"""What people most often do to their own account, and have done to it, in a sentence each; and what marks its kind."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from accounts.access import Actor
from audit.models import AuditEntry, AuditEvent as E
from revocation.models import RevocationRequest, RevocationStep

Kind, State = RevocationRequest.Kind, RevocationStep.State
DONE = {State.VERIFIED, State.ACCEPTED}
MOST_NAMED = 5  # in one sentence

# By kind of request: what the reader asked for and did, and what somebody else asked for and did to the reader.
_BY_READER = {
    Kind.REMOVE_OWN_APP: (_("You asked to remove %(target)s."), _("You removed %(target)s.")),
    Kind.REMOVE_OWN_PERMISSION: (
        _("You asked to take a permission back from %(target)s."),
        _("You took a permission back from %(target)s."),
    ),
    Kind.SIGN_OUT_SELF: (_("You asked to be signed out everywhere."), _("You signed yourself out everywhere.")),
    Kind.SIGN_OUT: (_("You asked to sign %(target)s out everywhere."), _("You signed %(target)s out everywhere.")),
}
_TO_READER = {
    Kind.SIGN_OUT: (_("%(who)s asked to have you signed out everywhere."), _("%(who)s signed you out everywhere.")),
}
_SIGN_OUTS = {"revoke_sessions", "end_portal_sessions"}

ICONS = {
    E.SIGNED_IN: "in",
    E.STEPPED_UP: "in",
    E.SIGN_IN_REFUSED: "in",
    E.SIGNED_OUT: "out",
    Kind.SIGN_OUT: "out",
    Kind.SIGN_OUT_SELF: "out",
    Kind.REMOVE_OWN_APP: "remove",
    Kind.REMOVE_OWN_PERMISSION: "remove",
    Kind.REVOKE_USER_CONSENT: "remove",
    Kind.REVOKE_ADMIN_CONSENT: "remove",
    Kind.UNDO: "back",
    E.RESULT_EXPORTED: "file",
    E.LIST_EXPORTED: "file",
    E.AUDIT_EXPORTED: "file",
}
_OWN = {Kind.REMOVE_OWN_APP, Kind.REMOVE_OWN_PERMISSION, Kind.SIGN_OUT_SELF, Kind.UNDO}


def told(kind: str, asked: AuditEntry | None, steps: Sequence[AuditEntry], state: str, reader: Actor) -> str:
    """The sentence; empty where this deed has none of its own, or it is not known whom or what it was about."""
    first = next(iter((*steps, *([asked] if asked else []))), None)
    if first is None:
        return ""
    if not kind and first.action in _SIGN_OUTS:
        kind = Kind.SIGN_OUT
    pair = (_BY_READER if first.actor_id == reader.id else _TO_READER).get(kind)
    targets = {entry.target_label for entry in steps if entry.target_type != "request"}
    if asked and asked.target_type != "request":
        targets.add(asked.target_label)
    whom = "" if kind == Kind.SIGN_OUT_SELF else ", ".join(sorted(filter(None, targets)))
    if pair is None or len(targets) > MOST_NAMED or not (whom or kind == Kind.SIGN_OUT_SELF):
        return ""
    if first.actor_id == reader.id and kind == Kind.SIGN_OUT and first.target_id == reader.id:
        pair = _BY_READER[Kind.SIGN_OUT_SELF]
    return str(pair[state in DONE]) % {"target": whom, "who": first.actor_label or first.actor_id}


def icon(entry: AuditEntry, kind: str) -> str:
    """ "in", "out", "remove", "back", "file", "flag" or, for whatever else there is, "dot"."""
    if entry.event.startswith("inbox."):
        return "flag"
    if not kind and entry.action in _SIGN_OUTS:
        return "out"
    return ICONS.get(kind) or ICONS.get(entry.event, "dot")


def may_be_somebody_else(entry: AuditEntry, kind: str) -> bool:
    """Whether this is what a thief of an account does: signs in, takes things away, puts things back."""
    return kind in _OWN or entry.event in {E.SIGNED_IN, E.STEPPED_UP}
