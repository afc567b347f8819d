"""One number by which the overview counts apps, and consents by when they were given."""

import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_silence"),
        ("directory", "0016_left_to_the_database"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="permissiongrant",
            name="grant_by_first_seen",
        ),
        migrations.RemoveIndex(
            model_name="permissiongrant",
            name="grant_by_moment",
        ),
        migrations.RemoveIndex(
            model_name="serviceprincipal",
            name="sp_figures",
        ),
        migrations.AddField(
            model_name="serviceprincipal",
            name="figure",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(
                        owner_tenant_id__in=[
                            "72f988bf-86f1-41af-91ab-2d7cd011db47",
                            "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
                        ],
                        then=models.Value(0),
                    ),
                    default=django.db.models.expressions.CombinedExpression(
                        django.db.models.expressions.CombinedExpression(
                            models.F("risk"),
                            "+",
                            models.Case(
                                models.When(
                                    models.Q(
                                        models.Q(
                                            ("owner_tenant_id__isnull", True),
                                            models.Q(("owner_tenant_id", models.F("tenant_id")), _negated=True),
                                            _connector="OR",
                                        ),
                                        ("publisher_verified", False),
                                    ),
                                    then=models.Value(4),
                                ),
                                default=models.Value(0),
                            ),
                        ),
                        "+",
                        models.Case(
                            models.When(
                                account_enabled=True,
                                disabled_by_microsoft__in=("", "NotDisabled"),
                                is_disabled=False,
                                then=models.Value(0),
                            ),
                            default=models.Value(8),
                        ),
                    ),
                ),
                output_field=models.PositiveSmallIntegerField(),
            ),
        ),
        migrations.AddIndex(
            model_name="permissiongrant",
            index=models.Index(fields=["tenant", "first_seen_at", "id"], name="grant_by_first_seen"),
        ),
        migrations.AddIndex(
            model_name="permissiongrant",
            index=models.Index(
                condition=models.Q(("consented_at__isnull", False)),
                fields=["tenant", "-consented_at", "-id"],
                name="grant_by_consent",
            ),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["tenant", "figure", "last_used_at"],
                include=("app_id",),
                name="sp_by_figure",
            ),
        ),
        migrations.AddIndex(
            model_name="serviceprincipal",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)), fields=["tenant", "created_at"], name="sp_added"
            ),
        ),
    ]
