"""People by when their sessions began to be valid, which a list of them is ordered by."""

from datetime import UTC, datetime

from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Coalesce

NEVER = Value(datetime(1970, 1, 1, tzinfo=UTC), output_field=models.DateTimeField())


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0020_new_and_risky"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                F("tenant"),
                Coalesce("sessions_valid_from", NEVER).desc(),
                F("id").desc(),
                name="person_by_sessions",
            ),
        ),
    ]
