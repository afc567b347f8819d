"""What a drill does inside the portal, in a process with the ground's settings. Answers are one line of JSON."""

import json
import sys
import time
from uuid import UUID

import django


def main() -> None:
    django.setup()
    command, *arguments = sys.argv[1:]
    print(json.dumps(COMMANDS[command](*arguments)))


def sign_out(count: str, first: str = "0", approval: str = "") -> dict:
    """Ask for so many people to be signed out, from the `first` on: an urgent list, as helpdesk asks for one."""
    from accounts.access import Actor
    from accounts.tenancy import tenant_context
    from directory.models import Person
    from revocation import drafting, services

    tenant = _tenant()
    with tenant_context(tenant.pk):
        plain = Person.objects.filter(tenant=tenant, is_external=False, role_template_ids=[], upn__startswith="user")
        people = list(plain.order_by("upn").values_list("pk", "display_name")[int(first) : int(first) + int(count)])
        asked = time.time()
        request = services.submit(
            tenant=tenant,
            actor=Actor.command_line(tenant.pk),
            kind="sign_out",
            title=f"Sign out {len(people)} people",
            steps=drafting.sign_out_all(tenant, [(pk, name, None) for pk, name in people]),
            interactive=False,
            high_priority=True,
            run_inline=False,
            needs_approval=bool(approval),
        )
    return {"request": str(request.pk), "people": len(people), "asked": asked}


def resume(request: str) -> dict:
    from accounts.access import Actor
    from accounts.tenancy import tenant_context
    from revocation import services
    from revocation.models import RevocationRequest

    tenant = _tenant()
    with tenant_context(tenant.pk):
        services.resume(RevocationRequest.objects.get(pk=UUID(request)), Actor.command_line(tenant.pk))
    return {}


def read_directories(count: str) -> dict:
    """Ask for the whole directories of two tenants, so many times each, as beat does when many tenants are due.

    One process reads one tenant at a time: with two workers, two tenants keep both of them busy.
    """
    from accounts.access import Actor
    from accounts.models import Tenant
    from accounts.tenancy import tenant_context
    from directory.models import Progress
    from directory.tasks import sync_tenant
    from tenants import connecting
    from tests.sandbox_client import FABRIKAM

    if not Tenant.objects.filter(pk=FABRIKAM).exists():
        connecting.connect(UUID(FABRIKAM), actor=Actor.command_line(UUID(FABRIKAM)))
    tenants = [_tenant().pk, UUID(FABRIKAM)]
    for tenant_id in tenants:
        with tenant_context(tenant_id):
            Progress.objects.filter(tenant=tenant_id).delete()
    for tenant_id in tenants * int(count):
        sync_tenant.delay(str(tenant_id))
    return {}


def export_heads() -> dict:
    from audit.tasks import export_heads

    export_heads()
    return {}


def _tenant():
    from accounts.models import Tenant

    return Tenant.objects.get(slug="contoso")


COMMANDS = {one.__name__: one for one in (sign_out, resume, read_directories, export_heads)}

if __name__ == "__main__":
    main()
