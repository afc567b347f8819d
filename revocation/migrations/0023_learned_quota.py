from django.db import migrations, models


class Migration(migrations.Migration):
    """Both readings of Microsoft's quota are counted; what was counted before is of no use to that."""

    dependencies = [("revocation", "0022_sealed_requests")]

    operations = [
        migrations.DeleteModel(name="QuotaBucket"),
        migrations.CreateModel(
            name="WriteQuota",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("opened_at", models.DateTimeField()),
                ("taken", models.IntegerField(default=0)),
                ("accepted", models.IntegerField(default=0)),
                ("level", models.FloatField()),
                ("level_at", models.DateTimeField()),
                ("blocked_until", models.DateTimeField(null=True)),
                (
                    "reading",
                    models.CharField(
                        blank=True, choices=[("windows", "in windows"), ("continuous", "continuously")], max_length=16
                    ),
                ),
                ("seen_at", models.DateTimeField(null=True)),
                ("evidence", models.JSONField(default=dict)),
                ("probe_after", models.DateTimeField(null=True)),
            ],
        ),
    ]
