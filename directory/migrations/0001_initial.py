"""The tables, as the models describe them."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("display_name", models.CharField(max_length=256)),
                ("upn", models.CharField(max_length=256)),
                ("mail", models.CharField(blank=True, max_length=320)),
                ("job_title", models.CharField(blank=True, max_length=256)),
                ("is_guest", models.BooleanField(default=False)),
                ("is_external", models.BooleanField(default=False)),
                ("is_agent", models.BooleanField(default=False)),
                ("home_domain", models.CharField(blank=True, max_length=256)),
                ("account_enabled", models.BooleanField(default=True)),
                (
                    "role_template_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
                ),
                ("has_scoped_role", models.BooleanField(default=False)),
                ("roles_known_at", models.DateTimeField(null=True)),
                ("sessions_valid_from", models.DateTimeField(null=True)),
                ("last_active_at", models.DateTimeField(null=True)),
                ("synced_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RecentChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("app", "app"),
                            ("grant", "grant"),
                            ("assignment", "assignment"),
                            ("earlier_grant", "earlier grant"),
                        ],
                        max_length=16,
                    ),
                ),
                ("target_id", models.CharField(max_length=128)),
                ("state", models.JSONField(default=dict)),
                ("expires_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ServicePrincipal",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("app_id", models.UUIDField()),
                ("display_name", models.CharField(max_length=256)),
                ("publisher_name", models.CharField(blank=True, max_length=256)),
                ("publisher_verified", models.BooleanField(default=False)),
                ("owner_tenant_id", models.UUIDField(null=True)),
                ("type", models.CharField(default="Application", max_length=32)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("Application", "app"),
                            ("ManagedIdentity", "managed identity"),
                            ("agentIdentity", "agent"),
                            ("agentIdentityBlueprintPrincipal", "agent blueprint"),
                        ],
                        default="Application",
                        max_length=32,
                    ),
                ),
                ("blueprint_app_id", models.UUIDField(null=True)),
                ("account_enabled", models.BooleanField(default=True)),
                ("is_disabled", models.BooleanField(default=False)),
                ("disabled_by_microsoft", models.CharField(blank=True, max_length=128)),
                ("homepage", models.CharField(blank=True, max_length=2048)),
                (
                    "reply_urls",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=2048), default=list, size=None
                    ),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=256), default=list, size=None
                    ),
                ),
                ("created_at", models.DateTimeField(null=True)),
                ("deleted_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
                ("first_seen_at", models.DateTimeField(auto_now_add=True)),
                ("synced_at", models.DateTimeField()),
                (
                    "risk",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Low risk"), (2, "Medium risk"), (3, "High risk")], default=1
                    ),
                ),
                ("risk_reasons", models.JSONField(default=list)),
                ("user_consent_count", models.PositiveIntegerField(default=0)),
                ("has_admin_consent", models.BooleanField(default=False)),
                ("app_permission_count", models.PositiveIntegerField(default=0)),
                ("assigned_count", models.PositiveIntegerField(default=0)),
                ("works_offline", models.BooleanField(default=False)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PermissionGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("graph_id", models.CharField(max_length=128)),
                (
                    "consent_type",
                    models.CharField(
                        choices=[("AllPrincipals", "whole organisation"), ("Principal", "one person")], max_length=16
                    ),
                ),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=256), default=list, size=None
                    ),
                ),
                (
                    "risk",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Low risk"), (2, "Medium risk"), (3, "High risk")], default=1
                    ),
                ),
                ("first_seen_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("synced_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
                (
                    "principal",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="grants",
                        to="directory.person",
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="grants",
                        to="directory.serviceprincipal",
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="directory.serviceprincipal",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PermissionDefinition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("delegated", "delegated"), ("application", "application")], max_length=16
                    ),
                ),
                ("permission_id", models.UUIDField()),
                ("value", models.CharField(max_length=256)),
                ("admin_only", models.BooleanField(default=False)),
                ("user_display_name", models.TextField(blank=True)),
                ("user_description", models.TextField(blank=True)),
                ("admin_display_name", models.TextField(blank=True)),
                ("admin_description", models.TextField(blank=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="definitions",
                        to="directory.serviceprincipal",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AppRoleAssignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("graph_id", models.CharField(max_length=128)),
                ("principal_id", models.UUIDField()),
                ("principal_type", models.CharField(max_length=32)),
                ("principal_name", models.CharField(blank=True, max_length=256)),
                ("app_role_id", models.UUIDField()),
                ("created_at", models.DateTimeField(null=True)),
                ("synced_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="assigned_to",
                        to="directory.serviceprincipal",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Collection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("service_principals", "apps"),
                            ("grants", "grants"),
                            ("assignments", "assignments"),
                            ("people", "people"),
                            ("deleted_apps", "deleted apps"),
                            ("roles", "directory roles"),
                        ],
                        max_length=32,
                    ),
                ),
                ("complete_at", models.DateTimeField(null=True)),
                ("first_complete_at", models.DateTimeField(null=True)),
                ("graph_count", models.PositiveIntegerField(null=True)),
                ("row_count", models.PositiveIntegerField(default=0)),
                ("unreadable", models.PositiveIntegerField(default=0)),
                ("started_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
                ("activity_at", models.DateTimeField(null=True)),
                (
                    "possible_roles",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
                ),
                ("role_groups_known", models.BooleanField(default=False)),
                (
                    "role_group_people",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("tenant", "kind"), name="one_row_per_collection")],
            },
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["tenant", "display_name", "id"], name="person_by_name"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["tenant", "upn"], name="person_by_upn"),
        ),
        migrations.AddConstraint(
            model_name="recentchange",
            constraint=models.UniqueConstraint(fields=("tenant", "kind", "target_id"), name="one_recent_change"),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(fields=["tenant", "display_name", "id"], name="sp_by_name"),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(fields=["tenant", "-risk", "display_name", "id"], name="sp_by_risk"),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(fields=["tenant", "app_id"], name="sp_by_app"),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(fields=["tenant", "-user_consent_count", "display_name", "id"], name="sp_by_consents"),
        ),
        migrations.AddIndex(
            model_name="permissiongrant",
            index=models.Index(fields=["tenant", "principal"], name="grant_by_person"),
        ),
        migrations.AddIndex(
            model_name="permissiongrant",
            index=models.Index(fields=["tenant", "client", "consent_type"], name="grant_by_client"),
        ),
        migrations.AddIndex(
            model_name="permissiongrant",
            index=models.Index(fields=["tenant", "first_seen_at"], name="grant_by_first_seen"),
        ),
        migrations.AddIndex(
            model_name="permissiongrant",
            index=django.contrib.postgres.indexes.GinIndex(fields=["scopes"], name="grant_by_scope"),
        ),
        migrations.AddConstraint(
            model_name="permissiongrant",
            constraint=models.UniqueConstraint(fields=("tenant", "graph_id"), name="one_row_per_grant"),
        ),
        migrations.AddConstraint(
            model_name="permissiondefinition",
            constraint=models.UniqueConstraint(
                fields=("tenant", "resource", "kind", "permission_id"), name="one_definition"
            ),
        ),
        migrations.AddIndex(
            model_name="approleassignment",
            index=models.Index(fields=["tenant", "resource"], name="assignment_by_resource"),
        ),
        migrations.AddIndex(
            model_name="approleassignment",
            index=models.Index(fields=["tenant", "principal_id"], name="assignment_by_principal"),
        ),
        migrations.AddConstraint(
            model_name="approleassignment",
            constraint=models.UniqueConstraint(fields=("tenant", "graph_id"), name="one_row_per_assignment"),
        ),
    ]
