import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_refresh_lease_and_labels'),
        ('revocation', '0020_notices'),
    ]

    operations = [
        migrations.AlterField(
            model_name='revocationstep',
            name='request',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='revocation.revocationrequest'),
        ),
        migrations.AlterField(
            model_name='revocationstep',
            name='tenant',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.tenant'),
        ),
    ]
