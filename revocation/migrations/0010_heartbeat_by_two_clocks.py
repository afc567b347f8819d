"""When the sweeper came round, by the database's clock as well: where the two differ, somebody's is off."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("revocation", "0009_names_of_containments"),
    ]

    operations = [
        migrations.AddField(
            model_name="heartbeat",
            name="database_at",
            field=models.DateTimeField(null=True),
        ),
    ]
