"""The tables, as the models describe them."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="EndedSession",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("reason", models.CharField(blank=True, max_length=64)),
                ("by_owner", models.BooleanField()),
                ("ended_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Tenant",
            fields=[
                ("id", models.UUIDField(help_text="The Entra tenant id (`tid`).", primary_key=True, serialize=False)),
                ("slug", models.SlugField(unique=True)),
                ("name", models.CharField(max_length=256)),
                ("domain", models.CharField(blank=True, max_length=256)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "waiting for admin consent"),
                            ("active", "active"),
                            ("suspended", "suspended by the operator"),
                            ("offboarded", "left"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("connected_at", models.DateTimeField(blank=True, null=True)),
                (
                    "granted_permissions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=128), blank=True, default=list, size=None
                    ),
                ),
                ("permissions_checked_at", models.DateTimeField(blank=True, null=True)),
                ("permissions_unknown_since", models.DateTimeField(blank=True, null=True)),
                ("own_service_principal_id", models.UUIDField(blank=True, null=True)),
                (
                    "sign_out_action",
                    models.CharField(
                        choices=[
                            ("revoke_sessions", "revokeSignInSessions (v1.0)"),
                            ("invalidate_tokens", "invalidateAllRefreshTokens (beta, B2C custom policies)"),
                        ],
                        default="revoke_sessions",
                        max_length=32,
                    ),
                ),
                (
                    "approval_threshold",
                    models.PositiveIntegerField(
                        default=50, help_text="A revocation touching more people than this needs a second approver."
                    ),
                ),
                ("approve_app_deletion", models.BooleanField(default=False)),
                ("allow_emergency_override", models.BooleanField(default=False)),
                ("stricter_rule", models.JSONField(blank=True, default=dict)),
                ("stricter_until", models.DateTimeField(blank=True, null=True)),
                (
                    "write_share_percent",
                    models.PositiveSmallIntegerField(
                        default=80, help_text="Share of Microsoft's write quota a mass action may use."
                    ),
                ),
                (
                    "break_glass_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                ("notify_people", models.BooleanField(default=False)),
                ("notify_subject", models.CharField(blank=True, max_length=200)),
                ("notify_body", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("username", models.CharField(max_length=80, unique=True)),
                ("object_id", models.UUIDField(null=True)),
                ("display_name", models.CharField(blank=True, max_length=256)),
                ("upn", models.CharField(blank=True, max_length=256)),
                ("is_guest", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("is_staff", models.BooleanField(default=False)),
                ("directory_roles_told", models.BooleanField(null=True)),
                ("identity_checked_at", models.DateTimeField(null=True)),
                ("identity_lease_until", models.DateTimeField(null=True)),
                ("token_epoch", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",  # noqa: E501
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TokenCache",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("blob", models.BinaryField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "roles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("user", "User"),
                                ("helpdesk", "Helpdesk"),
                                ("app_admin", "App admin"),
                                ("tenant_admin", "Tenant admin"),
                                ("auditor", "Auditor"),
                            ],
                            max_length=32,
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("entra", "from sign-in"), ("granted", "granted by the tenant's admin")],
                        default="entra",
                        max_length=16,
                    ),
                ),
                ("granted_by", models.CharField(blank=True, max_length=256)),
                (
                    "let_in_by",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), blank=True, default=list, size=None
                    ),
                ),
                ("granted_at", models.DateTimeField(blank=True, null=True)),
                ("person_label", models.CharField(blank=True, max_length=256)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("tenant", "user"), name="one_membership_per_tenant")],
            },
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(fields=("tenant", "object_id"), name="one_account_per_person"),
        ),
    ]
