"""Rows are shown to their own tenant only. See accounts/rls.py."""

from django.db import migrations

from accounts.rls import isolate


class Migration(migrations.Migration):
    dependencies = [("directory", "0010_progress")]
    operations = [isolate("directory_progress")]
