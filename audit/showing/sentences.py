"""Each entry as a sentence to whoever reads the record: who did what, to whom."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.models import AuditEntry
from audit.showing import deeds

_STEP = "revocation.step."
# By event: those of a later release are told by their name.
SENTENCES: Mapping[str, str | Promise] = {
    "accounts.session.started": _("{who} signed in to the portal"),
    "accounts.session.refused": _("The sign-in of {who} was refused"),
    "accounts.session.ended": _("{who} ended a portal session of {target}"),
    "accounts.session.stepped_up": _("{who} signed in again to confirm a change"),
    "accounts.membership.granted": _("{who} let {target} in from another organisation"),
    "accounts.membership.revoked": _("{who} ended the membership of {target}"),
    "accounts.person.erased": _("{who} had the names of a person erased"),
    "consent.tenant.connected": _("{who} connected {target}"),
    "consent.tenant.changed": _("{who} changed the settings of {target}"),
    "consent.tenant.restored": _("The database was put back from a backup"),
    "consent.tenant.pruned": _("Old rows of {target} were deleted"),
    "consent.tenant.left": _("{who} exported {target} and destroyed its data"),
    "revocation.request.created": _("{who} asked for this: {title}"),
    "revocation.request.approved": _("{who} approved this: {title}"),
    "revocation.request.rejected": _("{who} rejected this: {title}"),
    "revocation.request.overridden": _("{who} let this begin without a second person: {title}"),
    "revocation.approval.voided": _("The approval of this became void: {title}"),
    "revocation.request.expired": _("Nobody approved this in time: {title}"),
    "revocation.request.paused": _("{who} paused this: {title}"),
    "revocation.request.resumed": _("{who} let this go on: {title}"),
    "revocation.request.cancelled": _("{who} cancelled the rest of this: {title}"),
    "revocation.request.refused": _("A rule refused what {who} asked for: {action}, {target}"),
    "revocation.request.finished": _("This came to its end: {title}"),
    "revocation.steps.started": _("Microsoft is about to be asked: {action}, {target}"),
    _STEP + "accepted": _("Microsoft accepted it: {action}, {target}"),
    _STEP + "verified": _("Proved by reading back: {action}, {target}"),
    _STEP + "no_effect": _("It had no effect: {action}, {target}"),
    _STEP + "retried": _("Put off: {action}, {target}"),
    _STEP + "failed": _("It failed: {action}, {target}"),
    _STEP + "unconfirmed": _("It could not be confirmed: {action}, {target}"),
    "revocation.result.exported": _("{who} downloaded what came of this: {title}"),
    "audit.record.exported": _("{who} exported the audit record"),
    "audit.record.certified": _("{who} downloaded a certificate of the audit record"),
    "audit.record.archived": _("Older entries of the audit record were archived"),
    "directory.list.exported": _("{who} downloaded a list: {target}"),
    "inbox.report.made": _("{who} reported an app that they do not recognise: {target}"),
    "inbox.report.withdrawn": _("{who} withdrew a report of an app: {target}"),
    "inbox.report.refused": _("A report of {who} was refused, after many in a short time: {target}"),
    "inbox.report.answered": _("{who} answered a report of an app: {title}"),
    "inbox.item.dealt_with": _("{who} dealt with this in the inbox: {target}"),
    "inbox.item.reopened": _("{who} put this back into the inbox: {target}"),
    "inbox.mail.chosen": _("{who} chose when to be told by mail"),
    "directory.copy.completed": _("The copy of the directory was completed"),
    "directory.copy.failed": _("The copy of the directory could not be completed"),
    "b2c.credential.created": _("{who} made a credential of the refresh gate: {target}"),
    "b2c.credential.ended": _("{who} ended a credential of the refresh gate: {target}"),
}
SIGNED_OUT = _("{who} signed out of the portal")


def sentence(entry: AuditEntry) -> SafeString:
    """One entry, the names in it bold."""
    if entry.event == "accounts.session.ended" and entry.actor_id == entry.target_id:
        return told(SIGNED_OUT, entry)
    return told(SENTENCES.get(entry.event, "{who}: {event}, {target}"), entry)


def told(words: str | Promise, entry: AuditEntry, target: str = "") -> SafeString:
    after = entry.after if isinstance(entry.after, dict) else {}
    return format_html(
        str(words),
        who=_bold(entry.actor_label or entry.actor_id),
        target=_bold(target or entry.target_label or entry.target_id),
        title=_bold(str(after.get("title") or entry.target_label).rstrip(".")),
        event=entry.event,
        action=deeds.name_of(entry.action),
    )


def _bold(text: str) -> SafeString:
    return format_html("<b>{}</b>", text)
