"""Which of Microsoft's hosts answers nobody: what one process found out, for the others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_security_contact"),
    ]

    operations = [
        migrations.CreateModel(
            name="Silence",
            fields=[
                ("host", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
            ],
        ),
    ]
