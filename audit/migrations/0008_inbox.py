"""Reports, the inbox and choices about mail are on the record."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0007_restored"),
    ]

    operations = [
        migrations.AlterField(
            model_name="auditentry",
            name="event",
            field=models.CharField(
                choices=[
                    ("accounts.session.started", "signed in"),
                    ("accounts.session.refused", "sign-in refused"),
                    ("accounts.session.ended", "portal session ended"),
                    ("accounts.session.stepped_up", "signed in again to confirm"),
                    ("accounts.membership.granted", "let a provider's person in"),
                    ("accounts.membership.revoked", "ended a provider's membership"),
                    ("consent.tenant.connected", "tenant connected"),
                    ("consent.tenant.changed", "tenant settings changed"),
                    ("consent.tenant.restored", "database restored from a backup"),
                    ("revocation.request.created", "revocation asked for"),
                    ("revocation.request.approved", "revocation approved"),
                    ("revocation.request.rejected", "revocation rejected"),
                    ("revocation.request.overridden", "approval overridden in an emergency"),
                    ("revocation.approval.voided", "approval no longer valid"),
                    ("revocation.request.expired", "approval expired"),
                    ("revocation.request.paused", "revocation paused"),
                    ("revocation.request.resumed", "revocation resumed"),
                    ("revocation.request.cancelled", "rest of the revocation cancelled"),
                    ("revocation.request.refused", "revocation refused by a rule"),
                    ("revocation.request.finished", "revocation finished"),
                    ("revocation.steps.started", "about to ask Microsoft"),
                    ("revocation.step.accepted", "accepted by Microsoft"),
                    ("revocation.step.verified", "proved by reading back"),
                    ("revocation.step.no_effect", "had no effect"),
                    ("revocation.step.retried", "put off"),
                    ("revocation.step.failed", "failed"),
                    ("revocation.step.unconfirmed", "not confirmed"),
                    ("revocation.result.exported", "result downloaded"),
                    ("audit.record.exported", "audit record exported"),
                    ("directory.list.exported", "list downloaded"),
                    ("inbox.report.made", "app reported as not recognised"),
                    ("inbox.report.withdrawn", "report of an app withdrawn"),
                    ("inbox.report.refused", "report of an app refused"),
                    ("inbox.report.answered", "report of an app answered"),
                    ("inbox.item.dealt_with", "dealt with, in the inbox"),
                    ("inbox.item.reopened", "put back into the inbox"),
                    ("inbox.mail.chosen", "chose when to be told by mail"),
                    ("directory.copy.completed", "directory copy completed"),
                    ("directory.copy.failed", "directory copy failed"),
                    ("b2c.credential.created", "credential of the refresh gate made"),
                    ("b2c.credential.ended", "credential of the refresh gate ended"),
                ],
                max_length=64,
            ),
        ),
    ]
