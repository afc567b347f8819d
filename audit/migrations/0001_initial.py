"""The tables, as the models describe them."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ChainHead",
            fields=[
                ("tenant_id", models.UUIDField(primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField(default=0)),
                ("mac", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("sequence", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "event",
                    models.CharField(
                        choices=[
                            ("accounts.session.started", "signed in"),
                            ("accounts.session.refused", "sign-in refused"),
                            ("accounts.session.ended", "portal session ended"),
                            ("accounts.session.stepped_up", "signed in again to confirm"),
                            ("accounts.membership.granted", "let a provider's person in"),
                            ("accounts.membership.revoked", "ended a provider's membership"),
                            ("consent.tenant.connected", "tenant connected"),
                            ("consent.tenant.changed", "tenant settings changed"),
                            ("revocation.request.created", "revocation asked for"),
                            ("revocation.request.approved", "revocation approved"),
                            ("revocation.request.rejected", "revocation rejected"),
                            ("revocation.request.overridden", "approval overridden in an emergency"),
                            ("revocation.approval.voided", "approval no longer valid"),
                            ("revocation.request.expired", "approval expired"),
                            ("revocation.request.paused", "revocation paused"),
                            ("revocation.request.resumed", "revocation resumed"),
                            ("revocation.request.cancelled", "rest of the revocation cancelled"),
                            ("revocation.request.refused", "revocation refused by a rule"),
                            ("revocation.request.finished", "revocation finished"),
                            ("revocation.steps.started", "about to ask Microsoft"),
                            ("revocation.step.accepted", "accepted by Microsoft"),
                            ("revocation.step.verified", "proved by reading back"),
                            ("revocation.step.no_effect", "had no effect"),
                            ("revocation.step.retried", "put off"),
                            ("revocation.step.failed", "failed"),
                            ("revocation.step.unconfirmed", "not confirmed"),
                            ("revocation.result.exported", "result downloaded"),
                            ("audit.record.exported", "audit record exported"),
                            ("directory.copy.completed", "directory copy completed"),
                            ("directory.copy.failed", "directory copy failed"),
                        ],
                        max_length=64,
                    ),
                ),
                ("actor_id", models.CharField(blank=True, max_length=64)),
                ("actor_label", models.CharField(blank=True, max_length=256)),
                ("approver_id", models.CharField(blank=True, max_length=64)),
                ("approver_label", models.CharField(blank=True, max_length=256)),
                ("action", models.CharField(blank=True, max_length=64)),
                ("target_type", models.CharField(blank=True, max_length=32)),
                ("target_id", models.CharField(blank=True, max_length=128)),
                ("target_label", models.CharField(blank=True, max_length=256)),
                ("outcome", models.CharField(blank=True, max_length=32)),
                ("reason", models.TextField(blank=True)),
                ("ticket", models.CharField(blank=True, max_length=64)),
                ("request_id", models.UUIDField(null=True)),
                ("graph_request_id", models.CharField(blank=True, max_length=64)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                ("key_id", models.CharField(default="", max_length=16)),
                ("mac", models.BinaryField(max_length=32)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["tenant_id", "actor_id", "-sequence"], name="audit_by_actor"),
                    models.Index(fields=["tenant_id", "target_id", "-sequence"], name="audit_by_target"),
                    models.Index(fields=["tenant_id", "request_id", "sequence"], name="audit_by_request"),
                    models.Index(fields=["tenant_id", "action", "-sequence"], name="audit_by_action"),
                    models.Index(fields=["tenant_id", "event", "-sequence"], name="audit_by_event"),
                    models.Index(fields=["tenant_id", "at"], name="audit_by_time"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "sequence"), name="one_entry_per_sequence")
                ],
            },
        ),
    ]
