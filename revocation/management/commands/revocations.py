from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from accounts.management.naming import tenant_called
from accounts.models import Tenant
from accounts.tenancy import tenant_context
from revocation import selectors
from revocation.management.printing import details, headline
from revocation.models import RevocationRequest


class Command(BaseCommand):
    help = "Show revocations and how far they are, with the same figures as their pages."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--tenant", help="slug, domain or id; every active tenant without it")
        parser.add_argument("--request", type=UUID, help="one request, in full")
        parser.add_argument("--state", choices=RevocationRequest.State.values, default="")
        parser.add_argument("--limit", type=int, default=20, help="how many of each tenant (20)")

    def handle(self, *args, tenant=None, request=None, state="", limit=20, **options) -> None:
        tenants = [tenant_called(tenant)] if tenant else list(Tenant.objects.filter(state=Tenant.State.ACTIVE))
        shown = sum(self._show(one, request, state, limit) for one in tenants)
        if request and not shown:
            raise CommandError(f"There is no revocation {request}.")

    def _show(self, tenant: Tenant, request_id: UUID | None, state: str, limit: int) -> int:
        with tenant_context(tenant.pk):
            if request_id:
                found = list(selectors.requests(tenant).filter(pk=request_id))
                for request in found:
                    request.tenant = tenant
                    for line in details(request):
                        self.stdout.write(line)
                return len(found)
            found = list(selectors.requests(tenant, state=state)[:limit])
            self.stdout.write(f"{tenant.name}: {len(found)} shown")
            for request in found:
                request.tenant = tenant
                self.stdout.write("  " + headline(request))
            return len(found)
