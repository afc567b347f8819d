from django.core.management.base import BaseCommand

from accounts import second_factor, services, token_store
from accounts.models import Tenant
from accounts.tenancy import tenant_context


class Command(BaseCommand):
    help = (
        "Delete portal sessions that have run out and the tokens of people who have none left, and encrypt the"
        " remaining tokens with the newest of TOKEN_CACHE_KEYS. Run it daily, and before an old key is removed."
    )

    def handle(self, *args, **options) -> None:
        sessions = services.delete_dead_sessions()
        forgotten = renewed = 0
        for tenant_id in Tenant.objects.values_list("pk", flat=True):
            with tenant_context(tenant_id):
                forgotten += services.forget_idle_tokens(tenant_id)
                renewed += token_store.renew_encryption(tenant_id)
        second_factor.renew_encryption()
        self.stdout.write(
            f"{sessions} sessions had run out. Forgot the tokens of {forgotten} people without a session;"
            f" encrypted those of {renewed} anew."
        )
