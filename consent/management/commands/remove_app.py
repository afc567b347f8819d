"""`manage.py remove_app`: remove an app for one person, as they would on My apps."""

from consent import services
from consent.management.app_command import AppCommand
from directory.management.naming import find_person


class Command(AppCommand):
    help = "Withdraw everything one person granted to an app: what they would do themselves on My apps."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--user", required=True, help="object id or UPN of the person")

    def more(self, tenant, options):
        return {"user": find_person(tenant, options["user"])}

    def act(self, tenant, app, *, user, **details):
        return services.revoke_user_consent(tenant, app, user.pk, **details)
