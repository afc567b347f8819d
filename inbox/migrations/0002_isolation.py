"""Rows are shown to their own tenant only, choices about mail also to whom they belong. See accounts/rls.py."""

from django.db import migrations

from accounts.rls import isolate


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_initial")]
    operations = [
        isolate("inbox_report"),
        isolate("inbox_dealt"),
        isolate("inbox_standing"),
        isolate("inbox_dayfigures"),
        isolate("inbox_letter"),
        isolate("inbox_mailchoice", own_rows_by="user_id"),
    ]
