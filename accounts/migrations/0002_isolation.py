"""Rows are shown to their own tenant only. See accounts/rls.py."""

from django.db import migrations

from accounts.rls import isolate


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        isolate("accounts_user", own_rows_by="id", operator=True),
        isolate("accounts_membership", own_rows_by="user_id", operator=True),
        isolate("accounts_tokencache", own_rows_by="user_id"),
    ]
