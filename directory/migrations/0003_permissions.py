"""Which permission each app holds, what orders apps, and when they were rated."""

import datetime

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_isolation"),
        ("directory", "0002_isolation"),
    ]

    operations = [
        migrations.CreateModel(
            name="AppPermission",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("resource_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("delegated", "delegated"), ("application", "application")], max_length=16
                    ),
                ),
                ("value", models.CharField(max_length=256)),
                ("reason", models.CharField(max_length=32)),
                (
                    "risk",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Low risk"), (2, "Medium risk"), (3, "High risk")], default=1
                    ),
                ),
                ("people", models.PositiveIntegerField(default=0)),
                ("everyone", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="PermissionUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("resource_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("delegated", "delegated"), ("application", "application")], max_length=16
                    ),
                ),
                ("value", models.CharField(max_length=256)),
                ("reason", models.CharField(max_length=32)),
                (
                    "risk",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Low risk"), (2, "Medium risk"), (3, "High risk")], default=1
                    ),
                ),
                ("apps", models.PositiveIntegerField(default=0)),
                ("consents", models.PositiveIntegerField(default=0)),
                ("for_everyone", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.AddField(
            model_name="collection",
            name="rated_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="collection",
            name="rated_with",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="permissiongrant",
            name="consented_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="permissiongrant",
            name="consented_by",
            field=models.CharField(blank=True, max_length=256),
        ),
        migrations.AddField(
            model_name="person",
            name="search",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Lower(
                    django.db.models.functions.text.Concat(
                        "display_name", models.Value("\n"), "upn", models.Value("\n"), "mail"
                    )
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddField(
            model_name="serviceprincipal",
            name="danger",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="serviceprincipal",
            name="facts",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=32), default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="serviceprincipal",
            name="search",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Lower(
                    django.db.models.functions.text.Concat("display_name", models.Value("\n"), "publisher_name")
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddField(
            model_name="serviceprincipal",
            name="secret_added_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="serviceprincipal",
            name="secret_ends_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="serviceprincipal",
            name="rank",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(
                        account_enabled=True,
                        deleted_at__isnull=True,
                        disabled_by_microsoft__in=("", "NotDisabled"),
                        is_disabled=False,
                        then=models.F("danger"),
                    ),
                    default=models.Value(0),
                ),
                output_field=models.PositiveSmallIntegerField(),
            ),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(fields=["tenant", "-rank", "display_name", "id"], name="sp_by_rank"),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(
                models.F("tenant"),
                models.OrderBy(
                    django.db.models.functions.comparison.Coalesce(
                        "last_used_at",
                        models.Value(
                            datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                            output_field=models.DateTimeField(),
                        ),
                    ),
                    descending=True,
                ),
                models.OrderBy(models.F("id"), descending=True),
                name="sp_by_use",
            ),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(
                models.F("tenant"),
                models.OrderBy(
                    django.db.models.functions.comparison.Coalesce(
                        "created_at",
                        models.Value(
                            datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                            output_field=models.DateTimeField(),
                        ),
                    ),
                    descending=True,
                ),
                models.OrderBy(models.F("id"), descending=True),
                name="sp_by_age",
            ),
        ),
        migrations.AddField(
            model_name="apppermission",
            name="app",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="held",
                to="directory.serviceprincipal",
            ),
        ),
        migrations.AddField(
            model_name="apppermission",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="permissionuse",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddIndex(
            model_name="apppermission",
            index=models.Index(fields=["tenant", "value", "kind", "app"], name="held_by_value"),
        ),
        migrations.AddIndex(
            model_name="apppermission",
            index=models.Index(fields=["tenant", "reason", "app"], name="held_by_reason"),
        ),
        migrations.AddConstraint(
            model_name="apppermission",
            constraint=models.UniqueConstraint(
                fields=("tenant", "app", "resource_id", "kind", "value"), name="one_held"
            ),
        ),
        migrations.AddIndex(
            model_name="permissionuse",
            index=models.Index(fields=["tenant", "-risk", "-apps", "value", "id"], name="use_by_risk"),
        ),
        migrations.AddConstraint(
            model_name="permissionuse",
            constraint=models.UniqueConstraint(
                fields=("tenant", "resource_id", "kind", "value"), name="one_permission_in_use"
            ),
        ),
    ]
