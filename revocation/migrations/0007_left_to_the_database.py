"""The web of the release before fills no column that it does not know."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("revocation", "0006_sentences"),
    ]

    operations = [
        migrations.AlterField(
            model_name="listdraft",
            name="options",
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
