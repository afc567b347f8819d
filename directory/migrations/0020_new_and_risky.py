"""Apps of high risk by when they came, which an inbox asks for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_language"),
        ("directory", "0019_answering_groups"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True), ("risk", 3)),
                fields=["tenant", "-first_seen_at", "id"],
                name="sp_new_and_risky",
            ),
        ),
    ]
