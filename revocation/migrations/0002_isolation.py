"""Rows are shown to their own tenant only. See accounts/rls.py."""

from django.db import migrations

from accounts.rls import isolate


class Migration(migrations.Migration):
    dependencies = [("revocation", "0001_initial")]
    operations = [
        isolate("revocation_revocationrequest"),
        isolate("revocation_revocationstep"),
        isolate("revocation_listdraft"),
        isolate("revocation_notice"),
    ]
