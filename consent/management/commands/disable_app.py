"""`manage.py disable_app`: nobody signs in to the app, and it gets no new tokens."""

from consent import services
from consent.management.app_command import AppCommand


class Command(AppCommand):
    help = "Disable an app in a tenant. Reversible with enable_app."

    def act(self, tenant, app, **details):
        return services.disable_app(tenant, app, **details)
