"""Rows are shown to their own tenant only. See accounts/rls.py."""

from django.db import migrations

from accounts.rls import isolate


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        isolate("audit_auditentry"),
        isolate("audit_chainhead"),
    ]
