"""Whoever passes on Microsoft's word that a browser signed out is a stranger: what it names is found at once."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_second_factor"), ("usersessions", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX usersession_by_sid ON usersessions_usersession ((data -> 'sid'))",
            "DROP INDEX usersession_by_sid",
        ),
    ]
