"""`manage.py restore_app`: take an app out of the recycle bin and put back what it was granted."""

from consent import services
from consent.management.app_command import AppCommand


class Command(AppCommand):
    help = "Restore a deleted app of a tenant, compare its grants with the before-image and put back what is missing."

    def act(self, tenant, app, **details):
        return services.restore_app(tenant, app, **details)
