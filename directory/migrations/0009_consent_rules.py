"""Who may let apps in, as last read."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from accounts.rls import isolate


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_second_factor"),
        ("directory", "0008_words"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentRules",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "own_policies",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=256), null=True, size=None
                    ),
                ),
                ("read_at", models.DateTimeField(null=True)),
                ("requests", models.JSONField(null=True)),
                ("requests_read_at", models.DateTimeField(null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("tenant",), name="one_row_of_consent_rules")],
            },
        ),
        isolate("directory_consentrules"),
    ]
