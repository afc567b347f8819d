"""Requests about many apps at once, and about one that never came."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("revocation", "0003_list_options"),
    ]

    operations = [
        migrations.AlterField(
            model_name="revocationrequest",
            name="kind",
            field=models.CharField(
                choices=[
                    ("sign_out", "Sign-out"),
                    ("sign_out_self", "Own sign-out"),
                    ("contain_people", "Containment of people"),
                    ("contain_app", "Containment of an app"),
                    ("remove_own_app", "App removed by its user"),
                    ("remove_own_permission", "Permission removed by its user"),
                    ("revoke_user_consent", "Consent withdrawn"),
                    ("revoke_admin_consent", "Admin consent withdrawn"),
                    ("disable_app", "App disabled"),
                    ("enable_app", "App enabled"),
                    ("delete_app", "App deleted"),
                    ("restore_app", "App restored"),
                    ("purge_app", "App deleted for good"),
                    ("revoke_consents", "Consents withdrawn"),
                    ("disable_apps", "Apps disabled"),
                    ("take_out", "Apps taken out"),
                    ("keep_out", "App kept out"),
                    ("live_check", "Live check"),
                    ("undo", "Undo"),
                ],
                max_length=64,
            ),
        ),
    ]
