from django.core.management.base import BaseCommand

from portal import keys


class Command(BaseCommand):
    help = (
        "Print new values for SECRET_KEY, TOKEN_CACHE_KEYS and AUDIT_KEYS, for an environment file. Nothing is saved. "
        "To rotate, put the new key before the old one, with a comma between."
    )
    requires_system_checks = []

    def handle(self, *args, **options) -> None:
        for name, value in keys.fresh().items():
            self.stdout.write(f"{name}={value}")
