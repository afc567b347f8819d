"""Celery: reading directories on time. One tenant after the other would let a slow one hold up the rest."""

from celery import shared_task

from accounts.models import Tenant
from accounts.tenancy import no_context
from directory import sync


@shared_task(ignore_result=True)
def sync_all() -> None:
    """Ask for a reading of every connected tenant."""
    with no_context():
        for tenant_id in Tenant.objects.filter(state=Tenant.State.ACTIVE).values_list("pk", flat=True):
            sync_tenant.delay(str(tenant_id))


@shared_task(ignore_result=True)
def sync_tenant(tenant_id: str) -> None:
    """Read one tenant's directory. Delivered twice at once, the second finds it busy and leaves it alone."""
    with no_context():
        tenant = Tenant.objects.filter(pk=tenant_id, state=Tenant.State.ACTIVE).first()
        if tenant:
            sync.rate_anew(tenant)  # first: a directory that cannot be read is rated all the same
            sync.sync_tenant(tenant)
