from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("revocation", "0010_list_draft"),
    ]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveIndex(
            model_name="revocationstep",
            name="steps_waiting",
        ),
        migrations.AddField(
            model_name="revocationrequest",
            name="approver_user_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="revocationrequest",
            name="high_priority",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="revocationrequest",
            name="needs_approval",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="revocationrequest",
            name="overridden",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="revocationstep",
            name="observed",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="revocationstep",
            name="seal",
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddIndex(
            model_name="revocationrequest",
            index=models.Index(
                condition=models.Q(("state__in", ["awaiting_approval", "running", "paused"])),
                fields=["tenant", "state"],
                name="request_open",
            ),
        ),
        migrations.AddIndex(
            model_name="revocationstep",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["request", "urgency", "position"],
                name="steps_waiting",
            ),
        ),
    ]
