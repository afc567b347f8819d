"""What the overview counts, in an index of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_sessions_by_sid"),
        ("directory", "0012_consent_dates"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["tenant"],
                include=(
                    "id",
                    "app_id",
                    "owner_tenant_id",
                    "account_enabled",
                    "is_disabled",
                    "disabled_by_microsoft",
                    "risk",
                    "publisher_verified",
                    "last_used_at",
                ),
                name="sp_figures",
            ),
        ),
    ]
