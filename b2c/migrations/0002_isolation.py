"""Rows are shown to their own tenant only. See accounts/rls.py."""

from django.db import migrations

from accounts.rls import isolate


class Migration(migrations.Migration):
    dependencies = [("b2c", "0001_initial")]
    operations = [
        isolate("b2c_refreshrule"),
        isolate("b2c_gatesetting"),
        isolate("b2c_gatecredential"),
        isolate("b2c_gatecount"),
    ]
