import django.db.models.deletion
from django.db import migrations, models

from accounts.rls import isolate


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_second_factor"),
        ("b2c", "0003_kept_policies"),
    ]

    operations = [
        migrations.CreateModel(
            name="PolicyText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64)),
                ("xml", models.BinaryField()),
                ("kept_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("tenant", "sha256"), name="one_row_per_text")],
            },
        ),
        isolate("b2c_policytext"),
    ]
