"""Figures over all tenants: asking each of them in one statement, and rows for how long things took."""

import django.contrib.postgres.fields
from django.db import migrations, models

# STABLE: one moment for all that is asked, and PostgreSQL refuses to write. INVOKER, which is the default: row-level
# security binds as always. The settings that it reads are put back; where something fails, the rollback does it.
IN_EVERY_TENANT = """
CREATE FUNCTION accounts_in_every_tenant(given jsonb, questions text[])
RETURNS TABLE (tenant uuid, question integer, answer jsonb)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    before text := coalesce(current_setting('consentry.tenant', true), '');
    one record;
BEGIN
    FOR one IN SELECT key, value FROM jsonb_each(given) LOOP
        PERFORM set_config('consentry.tenant', one.key, true), set_config('consentry.given', one.value::text, true);
        FOR number IN 1 .. cardinality(questions) LOOP
            tenant := one.key::uuid;
            question := number;
            EXECUTE 'SELECT coalesce(jsonb_agg(to_jsonb(each)), ''[]'') FROM (' || questions[number] || ') AS each'
                INTO answer;
            RETURN NEXT;
        END LOOP;
    END LOOP;
    PERFORM set_config('consentry.tenant', before, true), set_config('consentry.given', '{}', true);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_language"),
    ]

    operations = [
        migrations.RunSQL(IN_EVERY_TENANT, "DROP FUNCTION accounts_in_every_tenant(jsonb, text[])"),
        migrations.CreateModel(
            name="Duration",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("figure", models.CharField(max_length=64)),
                (
                    "labels",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), size=None),
                ),
                (
                    "counts",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                ("seconds", models.FloatField(default=0)),
            ],
        ),
        migrations.AddConstraint(
            model_name="duration",
            constraint=models.UniqueConstraint(fields=["figure", "labels"], name="one_row_per_duration"),
        ),
    ]
