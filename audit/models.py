"""The append-only record. Rows are written by `audit.services.record` and by nothing else.

An entry names tenant, people and targets by plain ids and labels, without foreign keys, so that it
outlives them. A database trigger refuses UPDATE, DELETE and TRUNCATE.
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class Area(models.TextChoices):
    """What an auditor looks for together. Every event belongs to one (`AuditEvent.area`)."""

    SESSIONS = "sessions", _("Signing in and out")
    MEMBERSHIPS = "memberships", _("Memberships")
    TENANT = "tenant", _("The tenant's settings")
    REVOCATIONS = "revocations", _("Revocations")
    STEPS = "steps", _("Steps at Microsoft")
    EXPORTS = "exports", _("Downloads and exports")
    INBOX = "inbox", _("Reports and the inbox")
    COPY = "copy", _("Directory copy")


class Outcome(models.TextChoices):
    """How an entry's deed ended, where it ended somehow. A step's are its states."""

    ACCEPTED = "accepted", _("Accepted")
    VERIFIED = "verified", _("Verified")
    NO_EFFECT = "no_effect", _("No effect")
    FAILED = "failed", _("Failed")
    UNCONFIRMED = "unconfirmed", _("Unconfirmed")
    REFUSED = "refused", _("Refused")
    WAITING = "waiting", _("Put off")
    UNKNOWN = "unknown", _("Not known")
    INCOMPLETE = "incomplete", _("Incomplete")
    COMPLETE = "complete", _("Complete")
    CONNECTED = "connected", _("Connected")
    SAVED = "saved", _("Saved")


_AREA_OF = {  # by the first two words of an event
    "accounts.session": Area.SESSIONS,
    "accounts.membership": Area.MEMBERSHIPS,
    "accounts.person": Area.MEMBERSHIPS,
    "consent.tenant": Area.TENANT,
    "revocation.request": Area.REVOCATIONS,
    "revocation.approval": Area.REVOCATIONS,
    "revocation.steps": Area.STEPS,
    "revocation.step": Area.STEPS,
    "revocation.result": Area.EXPORTS,
    "audit.record": Area.EXPORTS,
    "directory.list": Area.EXPORTS,
    "directory.copy": Area.COPY,
    "inbox.report": Area.INBOX,
    "inbox.item": Area.INBOX,
    "inbox.mail": Area.INBOX,
    "b2c.credential": Area.TENANT,
}


class AuditEvent(models.TextChoices):
    """Everything that can happen, as `area.subject.verb`. Add; never rename."""

    SIGNED_IN = "accounts.session.started", _("signed in")
    SIGN_IN_REFUSED = "accounts.session.refused", _("sign-in refused")
    SIGNED_OUT = "accounts.session.ended", _("portal session ended")
    STEPPED_UP = "accounts.session.stepped_up", _("signed in again to confirm")
    MEMBERSHIP_GRANTED = "accounts.membership.granted", _("let a provider's person in")
    MEMBERSHIP_REVOKED = "accounts.membership.revoked", _("ended a provider's membership")
    PERSON_ERASED = "accounts.person.erased", _("names of a person erased")
    TENANT_CONNECTED = "consent.tenant.connected", _("tenant connected")
    TENANT_CHANGED = "consent.tenant.changed", _("tenant settings changed")
    TENANT_RESTORED = "consent.tenant.restored", _("database restored from a backup")
    TENANT_PRUNED = "consent.tenant.pruned", _("old rows deleted")
    TENANT_LEFT = "consent.tenant.left", _("tenant exported and destroyed")
    REVOCATION_REQUESTED = "revocation.request.created", _("revocation asked for")
    REVOCATION_APPROVED = "revocation.request.approved", _("revocation approved")
    REVOCATION_REJECTED = "revocation.request.rejected", _("revocation rejected")
    REVOCATION_OVERRIDDEN = "revocation.request.overridden", _("approval overridden in an emergency")
    REVOCATION_APPROVAL_VOIDED = "revocation.approval.voided", _("approval no longer valid")
    REVOCATION_EXPIRED = "revocation.request.expired", _("approval expired")
    REVOCATION_PAUSED = "revocation.request.paused", _("revocation paused")
    REVOCATION_RESUMED = "revocation.request.resumed", _("revocation resumed")
    REVOCATION_CANCELLED = "revocation.request.cancelled", _("rest of the revocation cancelled")
    REVOCATION_REFUSED = "revocation.request.refused", _("revocation refused by a rule")
    REVOCATION_FINISHED = "revocation.request.finished", _("revocation finished")
    STEPS_STARTED = "revocation.steps.started", _("about to ask Microsoft")
    STEP_ACCEPTED = "revocation.step.accepted", _("accepted by Microsoft")
    STEP_VERIFIED = "revocation.step.verified", _("proved by reading back")
    STEP_NO_EFFECT = "revocation.step.no_effect", _("had no effect")
    STEP_RETRIED = "revocation.step.retried", _("put off")
    STEP_FAILED = "revocation.step.failed", _("failed")
    STEP_UNCONFIRMED = "revocation.step.unconfirmed", _("not confirmed")
    RESULT_EXPORTED = "revocation.result.exported", _("result downloaded")
    AUDIT_EXPORTED = "audit.record.exported", _("audit record exported")
    AUDIT_ARCHIVED = "audit.record.archived", _("older entries archived")
    AUDIT_CERTIFIED = "audit.record.certified", _("certificate of the record made")
    LIST_EXPORTED = "directory.list.exported", _("list downloaded")
    APP_REPORTED = "inbox.report.made", _("app reported as not recognised")
    REPORT_WITHDRAWN = "inbox.report.withdrawn", _("report of an app withdrawn")
    REPORT_REFUSED = "inbox.report.refused", _("report of an app refused")
    REPORT_ANSWERED = "inbox.report.answered", _("report of an app answered")
    DEALT_WITH = "inbox.item.dealt_with", _("dealt with, in the inbox")
    REOPENED = "inbox.item.reopened", _("put back into the inbox")
    MAIL_CHOSEN = "inbox.mail.chosen", _("chose when to be told by mail")
    DIRECTORY_SYNCED = "directory.copy.completed", _("directory copy completed")
    DIRECTORY_SYNC_FAILED = "directory.copy.failed", _("directory copy failed")
    GATE_CREDENTIAL_CREATED = "b2c.credential.created", _("credential of the refresh gate made")
    GATE_CREDENTIAL_ENDED = "b2c.credential.ended", _("credential of the refresh gate ended")

    @property
    def area(self) -> Area:
        return _AREA_OF[self.value.rpartition(".")[0]]

    @classmethod
    def of(cls, area: str) -> list["AuditEvent"]:
        """The events of an area."""
        return [event for event in cls if event.area == area]


# After one of these nothing of a request is begun any more.
ENDS = [
    "revocation.request.cancelled",
    "revocation.request.expired",
    "revocation.request.finished",
    "revocation.request.rejected",
]


class AuditEntry(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    tenant_id = models.UUIDField()
    sequence = models.BigIntegerField()
    at = models.DateTimeField()
    event = models.CharField(max_length=64, choices=AuditEvent)
    actor_id = models.CharField(max_length=64, blank=True)  # object id, or a word such as "system", "command-line"
    actor_label = models.CharField(max_length=256, blank=True)
    approver_id = models.CharField(max_length=64, blank=True)
    approver_label = models.CharField(max_length=256, blank=True)
    action = models.CharField(max_length=64, blank=True)
    target_type = models.CharField(max_length=32, blank=True)
    target_id = models.CharField(max_length=128, blank=True)
    target_label = models.CharField(max_length=256, blank=True)
    outcome = models.CharField(max_length=32, blank=True)
    reason = models.TextField(blank=True)
    ticket = models.CharField(max_length=64, blank=True)
    request_id = models.UUIDField(null=True)  # ours: the RevocationRequest
    graph_request_id = models.CharField(max_length=64, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    key_id = models.CharField(max_length=16, default="")  # which of AUDIT_KEYS signed it, so that keys can rotate
    mac = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant_id", "sequence"], name="one_entry_per_sequence")]
        indexes = [
            models.Index(fields=["tenant_id", "actor_id", "-sequence"], name="audit_by_actor"),
            models.Index(fields=["tenant_id", "target_id", "-sequence"], name="audit_by_target"),
            models.Index(fields=["tenant_id", "request_id", "sequence"], name="audit_by_request"),
            models.Index(fields=["tenant_id", "action", "-sequence"], name="audit_by_action"),
            models.Index(fields=["tenant_id", "event", "-sequence"], name="audit_by_event"),
            models.Index(fields=["tenant_id", "at"], name="audit_by_time"),
            # Asked before each round of work: is what the rows call alive over, by the record?
            models.Index(fields=["request_id"], condition=models.Q(event__in=ENDS), name="audit_of_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.event}"


class ChainHead(models.Model):
    """The newest entry of a tenant's chain. Its row lock puts writers of one tenant in line."""

    tenant_id = models.UUIDField(primary_key=True)
    sequence = models.BigIntegerField(default=0)
    mac = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.sequence}"


class Label(models.Model):
    """What a person is called in the record. Entries hold `ref` alone: see `audit.personal`.

    Without the key, nobody can try names until one fits. Erasing empties text and key; a trigger allows nothing else.
    """

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.UUIDField()
    person_id = models.CharField(max_length=64)
    ref = models.CharField(max_length=22)
    text = models.CharField(max_length=256, blank=True)
    key = models.BinaryField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        # Not by tenant first: the names of a batch of people would then be looked for among all of the tenant's.
        constraints = [models.UniqueConstraint(fields=["ref", "tenant_id"], name="one_label_per_ref")]
        indexes = [models.Index(fields=["tenant_id", "person_id"], name="label_by_person")]

    def __str__(self) -> str:
        return self.ref


class Redaction(models.Model):
    """An entry that names an erased person in clear, because it is older than `Label`: its texts are not shown."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.UUIDField()
    sequence = models.BigIntegerField()
    person_id = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "sequence", "person_id"], name="one_redaction_per_entry")
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.sequence}"


class Segment(models.Model):
    """Entries that left the database for a file of the archive. A trigger lets go of no others.

    `signature` is over everything else here, under the audit key: see `audit.archive`.
    """

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.UUIDField()
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    previous_mac = models.BinaryField(max_length=32)  # of the entry before the first
    mac = models.BinaryField(max_length=32)  # of the last entry: the chain goes on from it
    digest = models.CharField(max_length=64)  # SHA-256 of the file
    until = models.DateTimeField()  # when the last entry was written
    counts = models.JSONField(default=dict)  # what a counter made of these entries: `audit.tally`
    at = models.DateTimeField()
    key_id = models.CharField(max_length=16)
    signature = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant_id", "last"], name="one_segment_per_last")]
        ordering = ["last"]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.first}-{self.last}"
