"""What people do about an app they do not recognise, and what those who can help do about what waits for them.

Everything leaves an entry in the record. A refusal (`revocation.rules.refusals.Refused`, in words) changes nothing.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import pace
from accounts.access import Actor
from accounts.models import Membership, Tenant, User
from accounts.tenancy import in_tenant
from audit.models import AuditEvent
from audit.services import Draft, record, record_many
from directory.models import ServicePrincipal
from inbox import counting, selectors
from inbox.models import Dealt, MailChoice, Report
from revocation.rules.refusals import Refused

KEPT = timedelta(days=90)  # for so long a risky app that somebody looked at is not shown again
LONGEST_NOTE = 1000
Kind = Dealt.Kind


class TooOften(Refused):
    """One person reports more apps than one person looks at."""


# --- By the people an app acts for ------------------------------------------------------------------


def report_app(membership: Membership, app: ServicePrincipal, *, removed: bool = False, note: str = "") -> Report:
    """Tell those who look after the tenant's apps that this person does not recognise one. Twice is once.

    Args:
        app: one that can act in this person's name: the caller has looked.
        removed: they also take it out of their own account.

    Raises:
        TooOften: they reported so many apps a moment ago. That is recorded too.
    """
    actor, tenant = Actor.of(membership), membership.tenant
    about = {"target_type": "app", "target_id": str(app.pk), "target_label": app.display_name}
    if seconds := pace.take(membership.user_id, pace.REPORTS):
        if not pace.take_from(f"{membership.user_id}:reports-refused", 1, 1 / 60):  # once a minute says it
            record(AuditEvent.REPORT_REFUSED, tenant_id=tenant.pk, actor=actor, outcome="refused", **about)
        raise TooOften(_("You reported many apps just now. %(wait)s") % {"wait": pace.wait(seconds)})
    with transaction.atomic():
        made, created = Report.objects.get_or_create(
            tenant=tenant,
            app_id=app.pk,
            actor_id=actor.id,
            withdrawn_at=None,
            dealt=None,
            defaults={
                "app_label": app.display_name[:256],
                "actor_label": actor.label[:256],
                "user_id": membership.user_id,
                "removed": removed,
                "note": _text(note),
            },
        )
        if not created:
            if removed and not made.removed:
                made.removed = True
                made.save(update_fields=["removed"])
            return made
        after = {"removed": removed, "app_id": str(app.app_id)}
        record(AuditEvent.APP_REPORTED, tenant_id=tenant.pk, actor=actor, reason=made.note, after=after, **about)
    return made


def withdraw_report(membership: Membership, report: Report) -> Report:
    """Take one's own report back. One that was dealt with, or is withdrawn, stays as it is."""
    actor = Actor.of(membership)
    with transaction.atomic():
        found = Report.objects.select_for_update(of=("self",)).get(pk=report.pk, actor_id=actor.id)
        if found.withdrawn_at or found.dealt_id:
            return found
        found.withdrawn_at = timezone.now()
        found.save(update_fields=["withdrawn_at"])
        record(
            AuditEvent.REPORT_WITHDRAWN,
            tenant_id=found.tenant_id,
            actor=actor,
            target_type="app",
            target_id=str(found.app_id),
            target_label=found.app_label,
        )
    return found


# --- By those who act on it -------------------------------------------------------------------------


def deal_with(tenant: Tenant, kind: str, subject_id: UUID, *, actor: Actor, note: str = "") -> Dealt | None:
    """Say that a thing needs nobody any more. The people who reported an app are told, and read the note.

    Returns:
        None where there is no such thing, or nothing of it waits (any more).
    """
    with in_tenant(tenant.pk), transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant.pk)  # two clicks at once are one
        subject = selectors.subject(tenant, kind, subject_id)
        reports = _open_reports(tenant, subject_id) if kind == Kind.REPORTED else []
        waits = bool(reports) if kind == Kind.REPORTED else subject is not None
        if not waits:
            return None
        if kind == Kind.FAILED and Dealt.objects.filter(tenant=tenant, kind=kind, subject_id=subject_id).exists():
            return None
        is_app = kind != Kind.FAILED
        dealt = Dealt.objects.create(
            tenant=tenant,
            kind=kind,
            subject_id=subject_id,
            subject_label=(str(subject) if subject else reports[0].app_label)[:256],
            note=_text(note),
            by_id=actor.id,
            by_label=actor.label[:256],
            until=timezone.now() + KEPT if kind == Kind.RISKY else None,
            can_act=bool(subject and subject.can_act) if is_app else None,
        )
        Report.objects.filter(pk__in=[one.pk for one in reports]).update(dealt=dealt)
        record_many([_entry(AuditEvent.DEALT_WITH, dealt, actor), *(_answer(one, dealt, actor) for one in reports)])
    counting.count(tenant)
    return dealt


def reopen(tenant: Tenant, dealt: Dealt, *, actor: Actor) -> None:
    """Let a thing wait again, as if nobody had dealt with it. Who was told of it meanwhile stays told."""
    with in_tenant(tenant.pk), transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant.pk)
        found = Dealt.objects.filter(tenant=tenant, pk=dealt.pk).first()
        if found is None:
            return  # a second click
        again = Report.objects.filter(Report.OPEN, tenant=tenant, app_id=found.subject_id).values("actor_id")
        found.reports.filter(actor_id__in=again).update(withdrawn_at=timezone.now())  # they have said so once more
        entry = _entry(AuditEvent.REOPENED, found, actor)
        said = Dealt.objects.filter(tenant=tenant, kind=found.kind, subject_id=found.subject_id)
        (said.filter(pk=found.pk) if found.kind == Kind.REPORTED else said).delete()
        record_many([entry])
    counting.count(tenant)


def _open_reports(tenant: Tenant, app_id: UUID) -> list[Report]:
    return list(Report.objects.filter(Report.OPEN, tenant=tenant, app_id=app_id))


def _entry(event: AuditEvent, dealt: Dealt, actor: Actor) -> Draft:
    of_request = dealt.kind == Kind.FAILED
    return Draft(
        event=event,
        tenant_id=dealt.tenant_id,
        actor=actor,
        target_type="request" if of_request else "app",
        target_id=str(dealt.subject_id),
        target_label=dealt.subject_label,
        reason=dealt.note,
        request_id=dealt.subject_id if of_request else None,
        after={"what": dealt.kind, "until": dealt.until, "can_act": dealt.can_act, "title": dealt.subject_label},
    )


def _answer(report: Report, dealt: Dealt, actor: Actor) -> Draft:
    """For the author's own activity."""
    return Draft(
        event=AuditEvent.REPORT_ANSWERED,
        tenant_id=dealt.tenant_id,
        actor=actor,
        target_type="user",
        target_id=report.actor_id,
        target_label=report.actor_label,
        reason=dealt.note,
        after={"title": dealt.subject_label, "app": str(dealt.subject_id), "can_act": dealt.can_act},
    )


# --- By everybody, about their own mail -------------------------------------------------------------


def choose_mail(user: User, values: Mapping[str, str]) -> list[str]:
    """Keep when somebody wants to be told by mail. Returns the names of what changed; nothing is recorded for none."""
    tenant_id = user.tenant_id
    with in_tenant(tenant_id), transaction.atomic():
        choice, _made = MailChoice.objects.select_for_update().get_or_create(
            user=user, defaults={"tenant_id": tenant_id}
        )
        names = [name for name in ("approvals", "others") if name in values]
        changed = [name for name in names if getattr(choice, name) != values[name]]
        if not changed:
            return []
        before = {name: getattr(choice, name) for name in changed}
        for name in changed:
            setattr(choice, name, values[name])
        choice.save(update_fields=changed)
        record(
            AuditEvent.MAIL_CHOSEN,
            tenant_id=tenant_id,
            actor=Actor.person(user),
            target_type="user",
            target_id=str(user.object_id),
            target_label=str(user),
            before=before,
            after={name: str(values[name]) for name in changed},
        )
    return changed


def _text(note: str) -> str:
    return " ".join(note.split())[:LONGEST_NOTE]
