import uuid

import django.db.models.deletion
from django.db import migrations, models

from accounts.rls import isolate


class Migration(migrations.Migration):
    dependencies = [("revocation", "0002_isolation"), ("accounts", "0002_isolation")]
    operations = [
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
                ("recipe", models.CharField(max_length=32)),
                ("counts", models.JSONField(default=dict)),
                ("rows", models.BinaryField()),
                ("digest", models.CharField(max_length=64)),
                ("copy_complete_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                (
                    "request",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
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
            options={
                "indexes": [models.Index(fields=["tenant", "actor_id", "-created_at"], name="draft_by_actor")],
            },
        ),
        isolate("revocation_listdraft"),
    ]
