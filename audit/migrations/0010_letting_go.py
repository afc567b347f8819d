"""Entries leave for the archive and for nowhere else; names beside them can be emptied and not changed.

Each trigger says what may go: an entry that a segment covers, a head whose last entry is archived, what stands beside
a record that is gone as a whole. The role that the portal runs under may do none of it (`manage.py migrate`).
"""

from django.db import migrations

from accounts.rls import isolate

BESIDE = ("audit_label", "audit_redaction", "audit_segment")

FORWARD = [
    """
CREATE FUNCTION audit_only_archived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM audit_segment
               WHERE tenant_id = OLD.tenant_id AND OLD.sequence BETWEEN first AND last) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The audit record is append-only: % refused.', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

DROP TRIGGER audit_entry_append_only ON audit_auditentry;
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_entry_only_archived BEFORE DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_only_archived();

CREATE FUNCTION audit_head_let_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM audit_segment
               WHERE tenant_id = OLD.tenant_id AND last = OLD.sequence AND mac = OLD.mac) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The audit record is append-only: % refused.', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

DROP TRIGGER audit_head_kept ON audit_chainhead;
CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_chainhead
    FOR EACH ROW EXECUTE FUNCTION audit_head_let_go();

CREATE FUNCTION audit_only_with_the_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audit_chainhead WHERE tenant_id = OLD.tenant_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The audit record is append-only: % refused.', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_only_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL AND NEW.text = '' AND length(NEW.key) = 0
       AND (NEW.id, NEW.tenant_id, NEW.person_id, NEW.ref) = (OLD.id, OLD.tenant_id, OLD.person_id, OLD.ref) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'A name beside the audit record is kept or destroyed, never changed.'
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER audit_label_only_emptied BEFORE UPDATE ON audit_label
    FOR EACH ROW EXECUTE FUNCTION audit_only_emptied();
CREATE TRIGGER audit_redaction_kept BEFORE UPDATE ON audit_redaction
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_segment_kept BEFORE UPDATE ON audit_segment
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
""",
    *(
        f"""
CREATE TRIGGER {table}_with_the_record BEFORE DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION audit_only_with_the_record();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""
        for table in BESIDE
    ),
]

BACKWARD = [
    *(
        f"DROP TRIGGER {table}_with_the_record ON {table}; DROP TRIGGER {table}_no_truncate ON {table};"
        for table in BESIDE
    ),
    """
DROP TRIGGER audit_segment_kept ON audit_segment;
DROP TRIGGER audit_redaction_kept ON audit_redaction;
DROP TRIGGER audit_label_only_emptied ON audit_label;
DROP FUNCTION audit_only_emptied();
DROP FUNCTION audit_only_with_the_record();
DROP TRIGGER audit_head_kept ON audit_chainhead;
CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_chainhead
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
DROP FUNCTION audit_head_let_go();
DROP TRIGGER audit_entry_only_archived ON audit_auditentry;
DROP TRIGGER audit_entry_append_only ON audit_auditentry;
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
DROP FUNCTION audit_only_archived();
""",
]


class Migration(migrations.Migration):
    dependencies = [("audit", "0009_personal")]
    operations = [
        *(isolate(table) for table in BESIDE),
        migrations.RunSQL("\n".join(FORWARD), "\n".join(BACKWARD)),
    ]
