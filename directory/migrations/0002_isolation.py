"""Rows are shown to their own tenant only. See accounts/rls.py."""

from django.db import migrations

from accounts.rls import isolate


class Migration(migrations.Migration):
    dependencies = [("directory", "0001_initial")]
    operations = [
        isolate("directory_serviceprincipal"),
        isolate("directory_permissiondefinition"),
        isolate("directory_person"),
        isolate("directory_permissiongrant"),
        isolate("directory_approleassignment"),
        isolate("directory_collection"),
        isolate("directory_recentchange"),
    ]
