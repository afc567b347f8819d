"""Naming tenants on the command line: by slug, domain or id."""

from django.core.management.base import CommandError

from accounts.models import Tenant


def find_tenants(wanted: str | None) -> list[Tenant]:
    """The tenant named by slug, domain or id; all of them without a name."""
    tenants = list(Tenant.objects.all())
    if wanted is None:
        return tenants
    found = [row for row in tenants if wanted.lower() in (row.slug, row.domain.lower(), str(row.id))]
    if not found:
        raise CommandError(f"No tenant is called {wanted}.")
    return found


def tenant_called(wanted: str) -> Tenant:
    """The active tenant with this slug, domain or id."""
    (found,) = find_tenants(wanted)
    if not found.is_active:
        raise CommandError(f"{found.name} is {found.get_state_display()}.")
    return found
