"""When the day's news were last sent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0002_isolation"),
    ]

    operations = [
        migrations.AddField(
            model_name="standing",
            name="digested_at",
            field=models.DateTimeField(null=True),
        ),
    ]
