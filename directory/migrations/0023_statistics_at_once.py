"""A function by which the running role, which owns nothing, has the owner's tables counted anew."""

from django.db import migrations

# DEFINER: only who owns a table may ANALYZE it. It takes nothing from its caller, and names what it reads by its place,
# so that no table of another role's stands in for one. Which tables changed is judged as autovacuum does.
COUNT_ANEW = """
CREATE FUNCTION directory_count_anew() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    counted integer := 0;
    one regclass;
BEGIN
    FOR one IN
        SELECT relation.oid FROM pg_class relation JOIN pg_stat_user_tables known ON known.relid = relation.oid
        WHERE relation.relkind = 'r' AND relation.relname LIKE 'directory\\_%'
            AND pg_get_userbyid(relation.relowner) = current_user AND relation.relpersistence = 'p'
            AND known.n_mod_since_analyze > 50 + known.n_live_tup / 10
    LOOP
        EXECUTE 'ANALYZE ' || one;
        counted := counted + 1;
    END LOOP;
    RETURN counted;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0022_withdrawn_grants"),
    ]

    operations = [
        migrations.RunSQL(COUNT_ANEW, "DROP FUNCTION directory_count_anew()"),
    ]
