"""What people report, what was dealt with, and who is told of it by mail.

What waits for somebody is not kept here: approvals, failed steps and risky apps are found where they are (`selectors`).
A row of `Dealt` says that somebody looked at one of them, so that it waits no more.
"""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Tenant, TenantOwned, User


class Dealt(TenantOwned):
    """Somebody's word that a thing needs nobody any more: when, why, and until when."""

    class Kind(models.TextChoices):
        REPORTED = "reported", _("an app that people reported")
        FAILED = "failed", _("a revocation with steps that failed or were not confirmed")
        RISKY = "risky", _("a high-risk app")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=16, choices=Kind)
    subject_id = models.UUIDField()  # object id of the app, or of the request
    subject_label = models.CharField(max_length=256)
    note = models.TextField(blank=True)
    by_id = models.CharField(max_length=64)
    by_label = models.CharField(max_length=256)
    at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True)  # of a risky app: then it is shown again
    can_act = models.BooleanField(null=True)  # of an app: whether it still could, at that time

    class Meta:
        indexes = [models.Index(fields=["tenant", "kind", "subject_id"], name="dealt_by_subject")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_label}"


class Report(TenantOwned):
    """One person's "I don't recognise this app". Open until it is dealt with, or withdrawn by its author."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    app_id = models.UUIDField()  # object id: a report outlives the copy's row
    app_label = models.CharField(max_length=256)
    actor_id = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=256)
    user_id = models.UUIDField()  # the author's account
    removed = models.BooleanField(default=False)  # they took the app out of their own account along with it
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True)
    dealt = models.ForeignKey(Dealt, on_delete=models.SET_NULL, null=True, related_name="reports")

    OPEN = models.Q(withdrawn_at=None, dealt=None)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "app_id", "actor_id"],
                condition=models.Q(withdrawn_at=None, dealt=None),
                name="one_open_report_each",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "actor_id", "-created_at"], name="report_by_actor"),
            models.Index(fields=["tenant", "app_id", "-created_at"], name="report_by_app"),
        ]

    def __str__(self) -> str:
        return f"{self.app_label} ({self.actor_label})"


class Standing(TenantOwned):
    """How much waits in a tenant of what is dear to count, as counted last: so that a badge costs one row."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="+")
    failed = models.PositiveIntegerField(default=0)
    risky = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()  # what was there before is no news
    counted_at = models.DateTimeField()
    digested_at = models.DateTimeField(null=True)  # when the day's news were last sent

    def __str__(self) -> str:
        return f"{self.failed} failed, {self.risky} risky"


class DayFigures(TenantOwned):
    """The overview's figures of one day, so that a later day can say what changed."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    high_risk = models.PositiveIntegerField()
    unverified = models.PositiveIntegerField()
    unused = models.PositiveIntegerField()
    disabled = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "day"], name="one_row_per_day")]

    def __str__(self) -> str:
        return f"{self.day}"


class MailChoice(models.Model):
    """When somebody wants to be told by mail. Without a row: what needs their word at once, the rest once a day."""

    class When(models.TextChoices):
        AT_ONCE = "at_once", _("At once")
        DAILY = "daily", _("Once a day, together")
        NEVER = "never", _("Never")

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")  # the person's own
    approvals = models.CharField(max_length=16, choices=When, default=When.AT_ONCE)
    others = models.CharField(max_length=16, choices=When, default=When.DAILY)

    def __str__(self) -> str:
        return f"{self.approvals}, {self.others}"


class Letter(TenantOwned):
    """One mail to one person about one thing. The row comes before the mail, so that nobody is told twice."""

    class Kind(models.TextChoices):
        APPROVAL = "approval", _("an approval waits")
        DECIDED = "decided", _("an approval was given or refused")
        ITEM = "item", _("something new in the inbox")
        ANSWERED = "answered", _("what came of a report")
        DIGEST = "digest", _("the day's news")

    user_id = models.UUIDField()
    kind = models.CharField(max_length=16, choices=Kind)
    key = models.CharField(max_length=128)  # what it is about
    claimed_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)  # handed to the mail server
    fault = models.CharField(max_length=128, blank=True)  # what kind of error; never the address or the text

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "user_id", "kind", "key"], name="one_letter_each")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
