import json
from typing import Any

from django.core.management.base import BaseCommand

from accounts.management.naming import find_tenants
from accounts.models import Tenant, User
from accounts.tenancy import tenant_context
from audit import chain, heads
from audit.models import ChainHead
from directory.models import Collection, Person
from revocation.models import RevocationRequest


class Command(BaseCommand):
    help = "List the tenants: state, people, age of the copy, what is open, and how far the record is sealed."

    def add_arguments(self, parser) -> None:
        parser.add_argument("tenant", nargs="?", help="slug, domain or id; every tenant without it")
        parser.add_argument("--json", action="store_true", help="one line of JSON for each")

    def handle(self, *args, tenant=None, **options) -> None:
        for row in find_tenants(tenant):
            told = _about(row)
            if options["json"]:
                self.stdout.write(json.dumps(told))
                continue
            self.stdout.write(f"{told['slug']}  {told['state']}  {told['name']} ({told['domain']})  {told['id']}")
            self.stdout.write(
                f"  accounts: {told['accounts']}, people in the copy: {told['people']}, complete:"
                f" {told['copy_complete_at'] or 'never'}; open revocations: {told['open_revocations']};"
                f" entries: {told['entries']}, archived up to: {told['archived']}, not sealed: {told['unsealed']}"
            )


def _about(tenant: Tenant) -> dict[str, Any]:
    with tenant_context(tenant.pk):
        complete = list(Collection.objects.filter(tenant=tenant).values_list("complete_at", flat=True))
        oldest = min(complete) if complete and all(complete) else None
        return {
            "id": str(tenant.pk),
            "slug": tenant.slug,
            "name": tenant.name,
            "domain": tenant.domain,
            "state": str(tenant.state),
            "connected_at": tenant.connected_at.isoformat() if tenant.connected_at else None,
            "accounts": User.objects.filter(tenant=tenant).count(),
            "people": Person.objects.filter(tenant=tenant).count(),
            "copy_complete_at": oldest.isoformat() if oldest else None,  # of the part that was read longest ago
            "open_revocations": RevocationRequest.objects.open().filter(tenant=tenant).count(),
            "entries": ChainHead.objects.filter(tenant_id=tenant.pk).values_list("sequence", flat=True).first() or 0,
            "archived": chain.start(tenant.pk).sequence,
            "unsealed": heads.lag(tenant.pk).entries,
        }
