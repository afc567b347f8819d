"""`manage.py delete_app`: the app goes to the recycle bin, with a before-image of all it was granted."""

from consent import services
from consent.management.app_command import AppCommand


class Command(AppCommand):
    help = "Delete an app of a tenant. It can be restored for 30 days with restore_app."
    typed = True

    def act(self, tenant, app, **details):
        return services.delete_app(tenant, app, **details)
