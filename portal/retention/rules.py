"""Deleting what was kept long enough, at most so many rows at a time: each rule can be called again and again.

A rule takes a tenant (its scope is open), a time, and a limit; it deletes what is older and says how many rows went.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from accounts import services as accounts
from accounts.ids import OPERATOR
from accounts.models import Bucket, Membership, Tenant, User
from accounts.tenancy import person_context
from audit import heads
from b2c.models import GateCount, GateCredential, PolicyText, RefreshRule
from directory.models import WithdrawnGrant
from inbox.models import DayFigures, Dealt, Letter, Report
from revocation.models import ListDraft, ListUpload, Notice, RevocationRequest, RevocationStep

POLICIES = ["upload_policy", "delete_policy"]  # actions whose steps name a text by its digest


@dataclass(frozen=True)
class Rule:
    """What is deleted after how many days: a setting's name; None where rows say themselves when they are over."""

    name: str
    setting: str | None
    delete: Callable[[Tenant, datetime, int], int]

    def before(self) -> datetime:
        return timezone.now() - timedelta(days=getattr(settings, self.setting) if self.setting else 0)

    @property
    def is_on(self) -> bool:
        """0 days keep for ever."""
        return self.setting is None or getattr(settings, self.setting) > 0


def some(rows: QuerySet, limit: int) -> int:
    """Delete at most so many of these rows."""
    return rows.model.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[:limit])).delete()[0]


# --- Of a tenant -------------------------------------------------------------------------------------------


def requests(tenant: Tenant, before: datetime, limit: int) -> int:
    """Closed requests with all that hangs on them, each whole: half of a request could be undone by half.

    One that another follows (an undo, a retry) stays as long as that.
    """
    over = RevocationRequest.objects.filter(tenant=tenant, state__in=RevocationRequest.CLOSED, followers=None)
    over = over.alias(ended=Coalesce("finished_at", "created_at")).filter(ended__lt=before).order_by("created_at")
    count = 0
    for pk in list(over.values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            # Not `over` again: a join with the followers cannot be locked.
            found = RevocationRequest.objects.filter(pk=pk, state__in=RevocationRequest.CLOSED).select_for_update()
            if not found.exists() or RevocationRequest.objects.filter(follows=pk).exists():
                continue
            ListUpload.objects.filter(draft__request=pk).delete()
            for model in (ListDraft, Notice, RevocationStep):
                count += model.objects.filter(tenant=tenant, request=pk).delete()[0]
            count += RevocationRequest.objects.filter(pk=pk).delete()[0]
        if count >= limit:
            break
    return count


def lists(tenant: Tenant, before: datetime, limit: int) -> int:
    """Lists that nobody confirmed in time, and files that nobody waits for."""
    uploads = ListUpload.objects.filter(tenant=tenant, expires_at__lte=before)
    drafts = ListDraft.objects.filter(tenant=tenant, expires_at__lte=before, request=None)
    return some(uploads, limit) + some(drafts, limit)


def refresh_rules(tenant: Tenant, before: datetime, limit: int) -> int:
    return some(RefreshRule.objects.filter(tenant=tenant, ended_at__lt=before), limit)


def gate_credentials(tenant: Tenant, before: datetime, limit: int) -> int:
    return some(GateCredential.objects.filter(tenant=tenant, ended_at__lt=before), limit)


def gate_counts(tenant: Tenant, before: datetime, limit: int) -> int:
    return some(GateCount.objects.filter(tenant=tenant, hour__lt=before), limit)


def policy_texts(tenant: Tenant, before: datetime, limit: int) -> int:
    """Texts of policies that no step names any more."""
    steps = RevocationStep.objects.filter(tenant=tenant, action__in=POLICIES)
    named = steps.annotate(said=Cast("params", TextField()), seen=Cast("observed", TextField())).filter(
        Q(said__contains=OuterRef("sha256")) | Q(seen__contains=OuterRef("sha256"))
    )
    return some(PolicyText.objects.filter(~Exists(named), tenant=tenant, kept_at__lt=before), limit)


def inbox(tenant: Tenant, before: datetime, limit: int) -> int:
    """What was reported and dealt with or withdrawn, and what was told by mail. What is open stays."""
    closed = Report.objects.filter(tenant=tenant, created_at__lt=before).exclude(Report.OPEN)
    count = some(closed, limit)
    newer = Dealt.objects.filter(tenant=tenant, kind=OuterRef("kind"), subject_id=OuterRef("subject_id"))
    done = Dealt.objects.filter(tenant=tenant, at__lt=before, reports=None).filter(
        Q(until__lt=before) | ~Q(kind=Dealt.Kind.RISKY) | Exists(newer.filter(at__gt=OuterRef("at")))
    )
    count += some(done, limit)
    return count + some(Letter.objects.filter(tenant=tenant, claimed_at__lt=before), limit)


def day_figures(tenant: Tenant, before: datetime, limit: int) -> int:
    return some(DayFigures.objects.filter(tenant=tenant, day__lt=before.date()), limit)


def withdrawn_grants(tenant: Tenant, before: datetime, limit: int) -> int:
    return some(WithdrawnGrant.objects.filter(tenant=tenant, gone_at__lt=before), limit)


def people(tenant: Tenant, before: datetime, limit: int) -> int:
    """Accounts of people who did not come for so long, and have no session. Who comes back gets a new one.

    Whom another tenant let in stays: that is for its administrator to end.
    """
    gone = User.objects.filter(tenant=tenant, is_active=True, is_staff=False)
    gone = gone.alias(seen=Coalesce("last_login", "created_at")).filter(seen__lt=before)
    gone = gone.filter(~Exists(UserSession.objects.filter(user=OuterRef("pk"))))
    count = 0
    for pk in list(gone.values_list("pk", flat=True)[:limit]):
        with person_context(pk, tenant.pk), transaction.atomic():
            if not Membership.objects.filter(user=pk).exclude(tenant=tenant).exists():
                count += User.objects.filter(pk=pk).delete()[1].get("accounts.User", 0)
    return count


def tokens(tenant: Tenant, before: datetime, limit: int) -> int:
    """Tokens of people without a session."""
    return accounts.forget_idle_tokens(tenant.pk)


def head_files(tenant: Tenant, before: datetime, limit: int) -> int:
    """Sealed files of heads: newer heads vouch for everything that they did."""
    return heads.forget(tenant.pk, before)


OF_TENANTS = [
    Rule("requests", "KEEP_REQUESTS_DAYS", requests),
    Rule("lists", None, lists),
    Rule("refresh rules", "KEEP_REQUESTS_DAYS", refresh_rules),
    Rule("gate credentials", "KEEP_REQUESTS_DAYS", gate_credentials),
    Rule("gate counts", "KEEP_COUNTS_DAYS", gate_counts),
    Rule("policy texts", "KEEP_REQUESTS_DAYS", policy_texts),
    Rule("inbox", "KEEP_REQUESTS_DAYS", inbox),
    Rule("daily figures", "KEEP_FIGURES_DAYS", day_figures),
    Rule("withdrawn grants", "KEEP_REQUESTS_DAYS", withdrawn_grants),
    Rule("accounts", "KEEP_ACCOUNTS_DAYS", people),
    Rule("tokens", None, tokens),
    Rule("files of heads", "KEEP_HEADS_DAYS", head_files),
]


# --- Of nobody in particular -------------------------------------------------------------------------------


def sessions(_tenant: None, before: datetime, limit: int) -> int:
    """Portal sessions that ran out, and the notes to browsers whose sessions were ended."""
    return accounts.delete_dead_sessions()


def buckets(_tenant: None, before: datetime, limit: int) -> int:
    """How much somebody may still do of something: after a day everybody may do all of it again."""
    return some(Bucket.objects.filter(at__lt=before - timedelta(days=1)), limit)


def operator_log(_tenant: None, before: datetime, limit: int) -> int:
    """What Django notes of the operator's pages. The record has it too."""
    return some(LogEntry.objects.filter(action_time__lt=before), limit)


def operator_heads(_tenant: None, before: datetime, limit: int) -> int:
    return heads.forget(OPERATOR, before)


SHARED = [
    Rule("sessions", None, sessions),
    Rule("buckets", None, buckets),
    Rule("operator's log", "KEEP_REQUESTS_DAYS", operator_log),
    Rule("files of heads", "KEEP_HEADS_DAYS", operator_heads),
]
