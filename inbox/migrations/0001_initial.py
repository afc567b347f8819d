"""Reports, what was dealt with, and mail about both."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0007_security_contact"),
    ]

    operations = [
        migrations.CreateModel(
            name="Dealt",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reported", "an app that people reported"),
                            ("failed", "a revocation with steps that failed or were not confirmed"),
                            ("risky", "a high-risk app"),
                        ],
                        max_length=16,
                    ),
                ),
                ("subject_id", models.UUIDField()),
                ("subject_label", models.CharField(max_length=256)),
                ("note", models.TextField(blank=True)),
                ("by_id", models.CharField(max_length=64)),
                ("by_label", models.CharField(max_length=256)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("until", models.DateTimeField(null=True)),
                ("can_act", models.BooleanField(null=True)),
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
        migrations.CreateModel(
            name="Letter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("approval", "an approval waits"),
                            ("decided", "an approval was given or refused"),
                            ("item", "something new in the inbox"),
                            ("answered", "what came of a report"),
                            ("digest", "the day's news"),
                        ],
                        max_length=16,
                    ),
                ),
                ("key", models.CharField(max_length=128)),
                ("claimed_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("fault", models.CharField(blank=True, max_length=128)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MailChoice",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "approvals",
                    models.CharField(
                        choices=[("at_once", "At once"), ("daily", "Once a day, together"), ("never", "Never")],
                        default="at_once",
                        max_length=16,
                    ),
                ),
                (
                    "others",
                    models.CharField(
                        choices=[("at_once", "At once"), ("daily", "Once a day, together"), ("never", "Never")],
                        default="daily",
                        max_length=16,
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
            name="Report",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("app_id", models.UUIDField()),
                ("app_label", models.CharField(max_length=256)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_label", models.CharField(max_length=256)),
                ("user_id", models.UUIDField()),
                ("removed", models.BooleanField(default=False)),
                ("note", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "dealt",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="reports",
                        to="inbox.dealt",
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
        migrations.CreateModel(
            name="Standing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("failed", models.PositiveIntegerField(default=0)),
                ("risky", models.PositiveIntegerField(default=0)),
                ("since", models.DateTimeField()),
                ("counted_at", models.DateTimeField()),
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="DayFigures",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("high_risk", models.PositiveIntegerField()),
                ("unverified", models.PositiveIntegerField()),
                ("unused", models.PositiveIntegerField()),
                ("disabled", models.PositiveIntegerField()),
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
                "constraints": [models.UniqueConstraint(fields=("tenant", "day"), name="one_row_per_day")],
            },
        ),
        migrations.AddIndex(
            model_name="dealt",
            index=models.Index(fields=["tenant", "kind", "subject_id"], name="dealt_by_subject"),
        ),
        migrations.AddConstraint(
            model_name="letter",
            constraint=models.UniqueConstraint(fields=("tenant", "user_id", "kind", "key"), name="one_letter_each"),
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(fields=["tenant", "actor_id", "-created_at"], name="report_by_actor"),
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(fields=["tenant", "app_id", "-created_at"], name="report_by_app"),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.UniqueConstraint(
                condition=models.Q(("dealt", None), ("withdrawn_at", None)),
                fields=("tenant", "app_id", "actor_id"),
                name="one_open_report_each",
            ),
        ),
    ]
