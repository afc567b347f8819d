"""What happened lately that somebody may want to be told of, in words: found in the rows, kept nowhere."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _, ngettext

from accounts.models import Tenant
from accounts.roles import Capability
from audit import personal
from audit.models import AuditEntry, AuditEvent
from inbox import selectors
from inbox.mailing import page_address
from inbox.models import Dealt, Letter, Report
from inbox.showing import worst_reason
from revocation import selectors as revocations
from revocation.models import RevocationRequest
from revocation.rules import members

State = RevocationRequest.State
MOST = 50  # of each kind, in one round


@dataclass(frozen=True)
class News:
    """One thing, as a mail says it.

    Attributes:
        kind, key: `Letter`'s: one mail each to one person.
        sort: which of the person's choices it falls under.
        by: object id of who did it: they are not told.
        needs: capabilities of which one is enough to be told; ignored where it is addressed to somebody.
        to_user: the account it is addressed to.
        request: id of the revocation it is about; None where it is about something else.
    """

    kind: str
    key: str
    sort: str
    subject: str
    lines: list[str]
    address: str
    by: str = ""
    needs: frozenset[str] = field(default_factory=frozenset)
    to_user: UUID | None = None
    request: UUID | None = None


def since(tenant: Tenant, moment: datetime) -> Iterator[News]:
    """Everything since then, in a fixed number of queries where nothing was decided."""
    yield from _approvals(tenant, moment)
    yield from _decided(tenant, moment)
    yield from _reported(tenant, moment)
    yield from _failed(tenant, moment)
    yield from _risky(tenant, moment)
    yield from _answered(tenant, moment)


def _approvals(tenant: Tenant, moment: datetime) -> Iterator[News]:
    waiting = revocations.requests(tenant, state=State.AWAITING_APPROVAL).filter(created_at__gt=moment)
    for one in waiting.filter(approval_expires_at__gt=timezone.now())[:MOST]:
        lines = [_("%(who)s asks for this and needs a second person: %(title)s.") % _who(one)]
        if one.people_count:
            hits = ngettext("It hits %(n)d person.", "It hits %(n)d people.", one.people_count)
            lines.append(hits % {"n": one.people_count})
        if one.reason:
            lines.append(_("Reason: %(reason)s") % {"reason": one.reason})
        lines.append(_("It expires at %(time)s UTC.") % {"time": _clock(one.approval_expires_at)})
        yield News(
            kind=Letter.Kind.APPROVAL,
            # An approval that became void is waited for again, until another time.
            key=f"{one.pk}:{one.approval_expires_at.isoformat()}",
            sort="approvals",
            subject=_("%(who)s waits for your approval") % _who(one),
            lines=lines,
            address=page_address("revocation:approve", tenant.slug, one.pk),
            by=one.actor_id,
            needs=frozenset({Capability.APPROVE}),
            request=one.pk,
        )


def _decided(tenant: Tenant, moment: datetime) -> Iterator[News]:
    """To whoever asked: that it was approved, rejected (by whom and why), or that nobody approved it in time."""
    over = Q(state__in=[State.REJECTED, State.EXPIRED], finished_at__gt=moment)
    asked = revocations.requests(tenant).filter(created_at__gt=moment - timedelta(days=1), needs_approval=True)
    for one in asked.filter(over | Q(approved_at__gt=moment, overridden=False))[:MOST]:
        asker = members.asker(one)
        if asker is None:
            continue
        subject, lines, by = _decision(tenant, one)
        if by != one.actor_id:
            yield News(
                kind=Letter.Kind.DECIDED,
                key=f"{one.pk}:{'approved' if one.approved_at else one.state}",
                sort="approvals",
                subject=subject,
                lines=lines,
                address=page_address("revocation:detail", tenant.slug, one.pk),
                to_user=asker.user_id,
                request=one.pk,
            )


def _decision(tenant: Tenant, one: RevocationRequest) -> tuple[str, list[str], str]:
    """Subject, text, and the object id of who decided."""
    title = {"title": one.title}
    if one.state == State.EXPIRED:
        return (
            _("Nobody approved in time: %(title)s") % title,
            [_("Nobody approved this in time: %(title)s. Nothing was changed.") % title],
            "",
        )
    if one.state == State.REJECTED:
        told = AuditEntry.objects.filter(tenant_id=tenant.pk, request_id=one.pk, event=AuditEvent.REVOCATION_REJECTED)
        entry = next(iter(personal.reveal(tenant.pk, list(told.order_by("-sequence")[:1]))), None)
        who = {"who": entry.actor_label if entry else _("Somebody"), **title}
        lines = [_("%(who)s rejected this: %(title)s. Nothing was changed.") % who]
        if entry and entry.reason and entry.reason != one.reason:  # else it is the reason of whoever asked
            lines.append(_("Reason: %(reason)s") % {"reason": entry.reason})
        return _("Rejected: %(title)s") % title, lines, entry.actor_id if entry else ""
    who = {"who": one.approver_label, **title}
    return (
        _("Approved: %(title)s") % title,
        [_("%(who)s approved this: %(title)s. Its page says how far it is.") % who],
        one.approver_id,
    )


def _reported(tenant: Tenant, moment: datetime) -> Iterator[News]:
    found = Report.objects.filter(Report.OPEN, tenant=tenant, created_at__gt=moment).order_by("-created_at")
    for one in found[:MOST]:
        facts = {"who": one.actor_label, "app": one.app_label}
        lines = [_("%(who)s does not recognise the app %(app)s.") % facts]
        if one.removed:
            lines.append(_("They have removed it from their own account."))
        if one.note:
            lines.append(f"“{one.note}”")
        yield News(
            kind=Letter.Kind.ITEM,
            key=f"reported:{one.pk}",
            sort="others",
            subject=_("Reported by %(who)s: %(app)s") % facts,
            lines=lines,
            address=page_address("inbox:inbox", tenant.slug),
            by=one.actor_id,
            needs=frozenset(selectors.MAY_ACT[Dealt.Kind.REPORTED]),
        )


def _failed(tenant: Tenant, moment: datetime) -> Iterator[News]:
    recent = [one for one in selectors.failed(tenant) if one.created_at > moment and one.attention]
    for one in recent[:MOST]:
        if one.is_open:
            continue  # told when it is over, and what failed is known
        text = ngettext(
            "%(title)s: %(n)d step could not be done or confirmed.",
            "%(title)s: %(n)d steps could not be done or confirmed.",
            one.attention,
        )
        yield News(
            kind=Letter.Kind.ITEM,
            key=f"failed:{one.pk}",
            sort="others",
            subject=_("Not everything was done: %(title)s") % {"title": one.title},
            lines=[text % {"title": one.title, "n": one.attention}],
            address=page_address("revocation:detail", tenant.slug, one.pk),
            needs=frozenset(selectors.MAY_ACT[Dealt.Kind.FAILED]),
            request=one.pk,
        )


def _risky(tenant: Tenant, moment: datetime) -> Iterator[News]:
    for app in selectors.risky(tenant).filter(first_seen_at__gt=moment)[:MOST]:
        yield News(
            kind=Letter.Kind.ITEM,
            key=f"risky:{app.pk}",
            sort="others",
            subject=_("New app of high risk: %(app)s") % {"app": app.display_name},
            lines=[_("A new app of high risk: %(app)s.") % {"app": app.display_name}, worst_reason(app)],
            address=page_address("consent:app", tenant.slug, app.pk),
            needs=frozenset(selectors.MAY_ACT[Dealt.Kind.RISKY]),
        )


def _answered(tenant: Tenant, moment: datetime) -> Iterator[News]:
    """To whoever reported an app: what came of it."""
    found = Report.objects.filter(tenant=tenant, withdrawn_at=None, dealt__at__gt=moment).select_related("dealt")
    for one in found[: 10 * MOST]:
        if one.dealt.by_id == one.actor_id:
            continue
        facts = {"who": one.dealt.by_label, "app": one.app_label}
        went_on = _("It may go on.") if one.dealt.can_act else _("It can no longer act for anybody here.")
        lines = [_("%(who)s looked at %(app)s, which you did not recognise.") % facts, went_on]
        if one.dealt.note:
            lines.append(f"“{one.dealt.note}”")
        yield News(
            kind=Letter.Kind.ANSWERED,
            key=str(one.dealt_id),
            sort="others",
            subject=_("What came of your report of %(app)s") % facts,
            lines=lines,
            address=page_address("consent:my-apps"),
            to_user=one.user_id,
        )


def _who(one: RevocationRequest) -> dict[str, str]:
    return {"who": one.actor_label, "title": one.title}


def _clock(moment: datetime) -> str:
    return date_format(moment, "H:i", use_l10n=False)
