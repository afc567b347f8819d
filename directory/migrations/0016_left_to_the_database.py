"""The web of the release before fills no column that it does not know."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0015_fewer_indexes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="collection",
            name="rated_with",
            field=models.CharField(blank=True, db_default="", max_length=32),
        ),
        migrations.AlterField(
            model_name="permissiongrant",
            name="consented_by",
            field=models.CharField(blank=True, db_default="", max_length=256),
        ),
        migrations.AlterField(
            model_name="recentchange",
            name="contradicted",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="serviceprincipal",
            name="danger",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="serviceprincipal",
            name="facts",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=32), db_default=[], default=list, size=None
            ),
        ),
    ]
