"""Filters that one person keeps under a name: shown to their tenant only. See accounts/rls.py."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from accounts.rls import isolate


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_figures"),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "list",
                    models.CharField(
                        choices=[("apps", "Apps"), ("permissions", "Permissions"), ("people", "People")], max_length=16
                    ),
                ),
                ("name", models.CharField(max_length=64)),
                ("query", models.CharField(max_length=2000)),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.membership"
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
                "constraints": [
                    models.UniqueConstraint(fields=("membership", "list", "name"), name="one_view_of_a_name")
                ],
            },
        ),
        isolate("accounts_savedview"),
    ]
