import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0002_isolation"),
    ]

    operations = [
        migrations.CreateModel(
            name="GateSetting",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="accounts.tenant",
                    ),
                ),
                ("is_b2c", models.BooleanField(default=False)),
                (
                    "fails",
                    models.CharField(
                        choices=[
                            ("closed", "Closed: nobody gets a new token until it can be decided"),
                            ("open", "Open: everybody gets a new token until it can be decided"),
                        ],
                        default="closed",
                        max_length=8,
                    ),
                ),
                ("tolerance", models.BooleanField(default=False)),
                (
                    "authentication",
                    models.CharField(
                        choices=[
                            ("Basic", "User name and password (Basic)"),
                            ("ApiKeyHeader", "Key in a header (ApiKeyHeader)"),
                        ],
                        default="Basic",
                        max_length=16,
                    ),
                ),
                ("id_prefix", models.CharField(default="Consentry", max_length=32)),
                ("apps_by_policy", models.JSONField(blank=True, default=dict)),
                ("messages", models.JSONField(blank=True, default=dict)),
                ("country_attribute", models.CharField(blank=True, max_length=64)),
                ("extension_app_id", models.UUIDField(blank=True, null=True)),
                ("extension_host", models.CharField(blank=True, max_length=253)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="GateCredential",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("digest", models.CharField(max_length=80)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("created_by", models.CharField(max_length=256)),
                ("used_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(blank=True, max_length=256)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="GateCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                (
                    "door",
                    models.CharField(
                        choices=[
                            ("refresh", "Refresh"),
                            ("sign_in", "Sign-in"),
                            ("issuance", "Token issuance (External ID)"),
                        ],
                        max_length=16,
                    ),
                ),
                ("policy_id", models.CharField(blank=True, max_length=128)),
                (
                    "answer",
                    models.CharField(
                        choices=[
                            ("open", "let through"),
                            ("refused", "refused"),
                            ("undecided", "could not be decided"),
                        ],
                        max_length=16,
                    ),
                ),
                ("count", models.PositiveIntegerField(default=0)),
                ("last_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "hour", "door", "policy_id", "answer"), name="one_count")
                ],
            },
        ),
        migrations.CreateModel(
            name="RefreshRule",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("person_id", models.UUIDField(default=uuid.UUID("00000000-0000-0000-0000-000000000000"))),
                ("person_label", models.CharField(blank=True, max_length=256)),
                ("app_id", models.UUIDField(null=True)),
                ("app_label", models.CharField(blank=True, max_length=256)),
                ("policy_id", models.CharField(blank=True, default="", max_length=128)),
                ("issued_before", models.DateTimeField(null=True)),
                (
                    "condition",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("missing", "is missing"),
                            ("equals", "equals"),
                            ("differs", "differs from what it was when the token was issued"),
                        ],
                        max_length=16,
                    ),
                ),
                ("claim", models.CharField(blank=True, max_length=64)),
                ("value", models.CharField(blank=True, max_length=256)),
                ("reason", models.TextField(blank=True)),
                ("ticket", models.CharField(blank=True, max_length=64)),
                ("author_id", models.CharField(max_length=64)),
                ("author_label", models.CharField(max_length=256)),
                ("request_id", models.UUIDField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(blank=True, max_length=256)),
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
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["tenant", "person_id", "policy_id"],
                        name="rule_to_apply",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["tenant", "-created_at", "id"],
                        name="rule_in_force",
                    ),
                    models.Index(fields=["tenant", "-created_at", "id"], name="rule_by_time"),
                    models.Index(fields=["tenant", "request_id"], name="rule_by_request"),
                    models.Index(condition=models.Q(("ended_at", None)), fields=["expires_at"], name="rule_to_expire"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("issued_before__isnull", False), ("condition", ""), ("claim", "")),
                            models.Q(
                                ("issued_before", None),
                                models.Q(("condition", ""), _negated=True),
                                models.Q(("claim", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="one_when",
                    )
                ],
            },
        ),
    ]
