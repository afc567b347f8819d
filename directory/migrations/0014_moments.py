"""Grants by when they were given."""

import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_sessions_by_sid"),
        ("directory", "0013_figures"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="permissiongrant",
            index=models.Index(
                models.F("tenant"),
                models.OrderBy(
                    django.db.models.functions.comparison.Coalesce("consented_at", "first_seen_at"), descending=True
                ),
                models.OrderBy(models.F("id"), descending=True),
                name="grant_by_moment",
            ),
        ),
    ]
