from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("directory", "0007_microsofts_kinds")]

    operations = [migrations.RemoveField(model_name="collection", name="delta_link")]
