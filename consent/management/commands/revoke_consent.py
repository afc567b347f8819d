"""`manage.py revoke_consent`: withdraw one person's consent to an app, or the organisation's."""

from consent import services
from consent.management.app_command import AppCommand
from directory.management.naming import find_person


class Command(AppCommand):
    help = "Revoke the consent one person (--user) or an administrator for everyone (--organisation) gave to an app."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--user", help="object id or UPN of the person whose consent it is")
        whose.add_argument("--organisation", action="store_true", help="the consent an administrator gave for everyone")

    def more(self, tenant, options):
        return {"user": options["user"] and find_person(tenant, options["user"])}

    def act(self, tenant, app, *, user, **details):
        if user:
            return services.revoke_user_consent(tenant, app, user.pk, **details)
        return services.revoke_tenant_consent(tenant, app, **details)
