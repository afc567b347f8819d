"""Who answers for an AI agent through a group."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0018_no_constraints"),
    ]

    operations = [
        migrations.AddField(
            model_name="person",
            name="answering_groups",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), null=True, size=None),
        ),
    ]
