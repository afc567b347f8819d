"""`manage.py enable_app`: people can sign in to the app again."""

from consent import services
from consent.management.app_command import AppCommand


class Command(AppCommand):
    help = "Enable an app in a tenant again."

    def act(self, tenant, app, **details):
        return services.enable_app(tenant, app, **details)
