from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("directory", "0006_agents_isolation")]
    operations = [migrations.AddField("person", "is_restricted", models.BooleanField(null=True))]
