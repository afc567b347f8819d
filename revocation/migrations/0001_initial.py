"""The tables, as the models describe them."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="WriteQuota",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("opened_at", models.DateTimeField()),
                ("taken", models.IntegerField(default=0)),
                ("accepted", models.IntegerField(default=0)),
                ("level", models.FloatField()),
                ("level_at", models.DateTimeField()),
                ("blocked_until", models.DateTimeField(null=True)),
                (
                    "reading",
                    models.CharField(
                        blank=True, choices=[("windows", "in windows"), ("continuous", "continuously")], max_length=16
                    ),
                ),
                ("seen_at", models.DateTimeField(null=True)),
                ("evidence", models.JSONField(default=dict)),
                ("probe_after", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="RevocationRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sign_out", "Sign-out"),
                            ("sign_out_self", "Own sign-out"),
                            ("contain_people", "Containment of people"),
                            ("contain_app", "Containment of an app"),
                            ("remove_own_app", "App removed by its user"),
                            ("remove_own_permission", "Permission removed by its user"),
                            ("revoke_user_consent", "Consent withdrawn"),
                            ("revoke_admin_consent", "Admin consent withdrawn"),
                            ("disable_app", "App disabled"),
                            ("enable_app", "App enabled"),
                            ("delete_app", "App deleted"),
                            ("restore_app", "App restored"),
                            ("purge_app", "App deleted for good"),
                            ("live_check", "Live check"),
                            ("undo", "Undo"),
                        ],
                        max_length=64,
                    ),
                ),
                ("title", models.CharField(max_length=256)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("awaiting_approval", "Waiting for approval"),
                            ("running", "Under way"),
                            ("paused", "Paused"),
                            ("cancelled", "Cancelled"),
                            ("rejected", "Rejected"),
                            ("expired", "Approval expired"),
                            ("finished", "Finished"),
                        ],
                        default="running",
                        max_length=32,
                    ),
                ),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_label", models.CharField(max_length=256)),
                ("reason", models.TextField(blank=True)),
                ("ticket", models.CharField(blank=True, max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("step_count", models.PositiveIntegerField()),
                ("actions", models.JSONField(default=dict)),
                ("people_count", models.PositiveIntegerField(default=0)),
                ("interactive", models.BooleanField(default=True)),
                ("high_priority", models.BooleanField(default=False)),
                ("needs_approval", models.BooleanField(default=False)),
                ("overridden", models.BooleanField(default=False)),
                ("approver_user_id", models.UUIDField(null=True)),
                ("approver_id", models.CharField(blank=True, max_length=64)),
                ("approver_label", models.CharField(blank=True, max_length=256)),
                ("approved_digest", models.CharField(blank=True, max_length=64)),
                ("approved_at", models.DateTimeField(null=True)),
                ("approval_expires_at", models.DateTimeField(null=True)),
                ("seal", models.CharField(default="", max_length=80)),
                ("approval_seal", models.CharField(default="", max_length=80)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "follows",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="followers",
                        to="revocation.revocationrequest",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person_id", models.UUIDField()),
                ("claimed_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("fault", models.CharField(blank=True, max_length=128)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="revocation.revocationrequest"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ListDraft",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("actor_id", models.CharField(max_length=64)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("paste", "A pasted list"),
                            ("file", "A file"),
                            ("group", "A group"),
                            ("app", "Everyone who consented to an app"),
                            ("everyone", "Everyone in the tenant"),
                        ],
                        max_length=16,
                    ),
                ),
                ("source_label", models.CharField(blank=True, max_length=256)),
                ("source_id", models.CharField(blank=True, max_length=64)),
                ("recipe", models.CharField(max_length=32)),
                ("counts", models.JSONField(default=dict)),
                ("rows", models.BinaryField()),
                ("digest", models.CharField(max_length=64)),
                ("copy_complete_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="revocation.revocationrequest",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RevocationStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                ("action", models.CharField(max_length=64)),
                ("target_type", models.CharField(max_length=32)),
                ("target_id", models.CharField(max_length=128)),
                ("target_label", models.CharField(max_length=256)),
                ("params", models.JSONField(default=dict)),
                ("before", models.JSONField(null=True)),
                ("urgency", models.SmallIntegerField(default=50)),
                ("interactive", models.BooleanField(default=True)),
                ("seal", models.CharField(blank=True, max_length=80)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("claimed", "Being asked"),
                            ("accepted", "Accepted"),
                            ("verified", "Verified"),
                            ("no_effect", "No effect"),
                            ("failed", "Failed"),
                            ("unconfirmed", "Unconfirmed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("not_before", models.DateTimeField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("called_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("proofs", models.PositiveSmallIntegerField(default=0)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("graph_request_id", models.CharField(blank=True, max_length=64)),
                ("outcome_code", models.CharField(blank=True, max_length=128)),
                ("outcome", models.TextField(blank=True)),
                ("observed", models.JSONField(null=True)),
                (
                    "request",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="revocation.revocationrequest",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="revocationrequest",
            index=models.Index(fields=["tenant", "-created_at"], name="request_by_time"),
        ),
        migrations.AddIndex(
            model_name="revocationrequest",
            index=models.Index(fields=["tenant", "actor_id", "-created_at"], name="request_by_actor"),
        ),
        migrations.AddIndex(
            model_name="revocationrequest",
            index=models.Index(
                condition=models.Q(("state__in", ["awaiting_approval", "running", "paused"])),
                fields=["tenant", "state"],
                name="request_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(fields=("request", "person_id"), name="one_notice_per_person"),
        ),
        migrations.AddIndex(
            model_name="listdraft",
            index=models.Index(fields=["tenant", "actor_id", "-created_at"], name="draft_by_actor"),
        ),
        migrations.AddIndex(
            model_name="revocationstep",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["request", "urgency", "position"],
                name="steps_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="revocationstep",
            index=models.Index(
                condition=models.Q(("state", "accepted")), fields=["tenant", "not_before"], name="steps_to_prove"
            ),
        ),
        migrations.AddIndex(
            model_name="revocationstep",
            index=models.Index(
                condition=models.Q(("state", "claimed")), fields=["tenant", "lease_until"], name="steps_claimed"
            ),
        ),
        migrations.AddIndex(
            model_name="revocationstep",
            index=models.Index(fields=["request", "state"], name="steps_by_state"),
        ),
        migrations.AddIndex(
            model_name="revocationstep",
            index=models.Index(fields=["tenant", "target_id"], name="steps_by_target"),
        ),
        migrations.AddIndex(
            model_name="revocationstep",
            index=models.Index(
                condition=models.Q(("state__in", ["failed", "unconfirmed"])),
                fields=["tenant", "-id"],
                name="steps_for_a_human",
            ),
        ),
        migrations.AddConstraint(
            model_name="revocationstep",
            constraint=models.UniqueConstraint(fields=("request", "position"), name="one_step_per_position"),
        ),
    ]
