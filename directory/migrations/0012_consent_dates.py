"""How far the audit log was read for who consented when."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0011_progress_isolation"),
    ]

    operations = [
        migrations.AddField(
            model_name="consentrules",
            name="dates_until",
            field=models.DateTimeField(null=True),
        ),
    ]
