"""Words by which apps and people are found, and orders that a filter leaves few rows of."""

import django.db.models.deletion
from django.db import migrations, models

from accounts.rls import isolate


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_bucket"),
        ("directory", "0007_person_is_restricted"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(choices=[("app", "app"), ("person", "person"), ("fact", "fact")], max_length=8),
                ),
                ("word", models.CharField(db_collation="C", max_length=64)),
                ("target_id", models.UUIDField()),
            ],
        ),
        migrations.RemoveIndex(
            model_name="permissiongrant",
            name="grant_by_client",
        ),
        migrations.RemoveIndex(
            model_name="permissiongrant",
            name="grant_by_scope",
        ),
        migrations.RemoveIndex(
            model_name="serviceprincipal",
            name="sp_by_risk",
        ),
        migrations.RemoveField(
            model_name="person",
            name="search",
        ),
        migrations.RemoveField(
            model_name="serviceprincipal",
            name="search",
        ),
        migrations.AddIndex(
            model_name="apppermission",
            index=models.Index(
                fields=["tenant", "value", "kind", "resource_id", "-people", "id"], name="held_by_people"
            ),
        ),
        migrations.AddIndex(
            model_name="permissiongrant",
            index=models.Index(fields=["tenant", "client", "consent_type", "principal"], name="grant_by_client"),
        ),
        migrations.AddIndex(
            model_name="permissiongrant",
            index=models.Index(fields=["tenant", "resource"], name="grant_by_resource"),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(fields=["tenant", "risk", "-rank", "display_name", "id"], name="sp_by_risk"),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(fields=["tenant", "kind", "-rank", "display_name", "id"], name="sp_by_kind"),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(fields=["tenant", "owner_tenant_id"], name="sp_by_owner"),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(
                condition=models.Q(
                    ("account_enabled", False),
                    ("is_disabled", True),
                    models.Q(("disabled_by_microsoft__in", ("", "NotDisabled")), _negated=True),
                    _connector="OR",
                ),
                fields=["tenant", "id"],
                name="sp_off",
            ),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)),
                fields=["tenant", "-deleted_at", "id"],
                name="sp_deleted",
            ),
        ),
        migrations.AddField(
            model_name="searchword",
            name="tenant",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddIndex(
            model_name="searchword",
            index=models.Index(fields=["tenant", "kind", "target_id"], name="word_by_target"),
        ),
        migrations.AddConstraint(
            model_name="searchword",
            constraint=models.UniqueConstraint(fields=("tenant", "kind", "word", "target_id"), name="one_row_per_word"),
        ),
        isolate("directory_searchword"),
    ]
