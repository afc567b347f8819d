"""Whom a tenant's worried people may ask."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_sessions_by_sid"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="contact_mail",
            field=models.EmailField(blank=True, db_default="", default="", max_length=254),
        ),
        migrations.AddField(
            model_name="tenant",
            name="contact_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="tenant",
            name="contact_phone",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
    ]
