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
    "consent.tenant": Area.TENANT,
    "revocation.request": Area.REVOCATIONS,
    "revocation.approval": Area.REVOCATIONS,
    "revocation.steps": Area.STEPS,
    "revocation.step": Area.STEPS,
    "revocation.result": Area.EXPORTS,
    "audit.record": Area.EXPORTS,
    "directory.list": Area.EXPORTS,
    "directory.copy": Area.COPY,
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
    TENANT_CONNECTED = "consent.tenant.connected", _("tenant connected")
    TENANT_CHANGED = "consent.tenant.changed", _("tenant settings changed")
    TENANT_RESTORED = "consent.tenant.restored", _("database restored from a backup")
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
    LIST_EXPORTED = "directory.list.exported", _("list downloaded")
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
