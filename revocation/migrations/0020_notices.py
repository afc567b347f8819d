import django.db.models.deletion
from django.db import migrations, models

from accounts.rls import isolate


class Migration(migrations.Migration):
    dependencies = [("revocation", "0011_spine_widened"), ("accounts", "0002_isolation")]
    operations = [
        migrations.AddField(
            model_name="listdraft", name="source_id", field=models.CharField(blank=True, default="", max_length=64)
        ),
        migrations.AlterField(
            model_name="listdraft", name="source_id", field=models.CharField(blank=True, max_length=64)
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person_id", models.UUIDField()),
                ("claimed_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("fault", models.CharField(blank=True, max_length=128)),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="revocation.revocationrequest",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(fields=("request", "person_id"), name="one_notice_per_person"),
        ),
        isolate("revocation_notice"),
    ]
