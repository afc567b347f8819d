"""Celery: keeping directories true, a few seconds at a time and in a queue of their own.

One tenant after the other would let a slow one hold up the rest, and long readings would let sign-outs wait. A message
that gets lost loses nothing: the rows say what is due, and beat asks again soon.
"""

from celery import shared_task
from django.conf import settings

from accounts.models import Tenant
from accounts.tenancy import no_context
from directory import sync

SLICE = 1.0  # seconds; whoever comes meanwhile to be signed out waits for the end of it


@shared_task(ignore_result=True)
def sync_all() -> None:
    """Ask for a turn at every connected tenant. One that no worker came to by the next time is asked for then."""
    with no_context():
        for tenant_id in Tenant.objects.filter(state=Tenant.State.ACTIVE).values_list("pk", flat=True):
            sync_tenant.apply_async([str(tenant_id)], expires=settings.DIRECTORY_SYNC_SECONDS)


@shared_task(ignore_result=True)
def sync_tenant(tenant_id: str) -> None:
    """Work on one tenant's copy for a moment, and ask for the next one where more is due.

    Delivered twice at once, the second finds it busy and leaves it alone.
    """
    with no_context():
        tenant = Tenant.objects.filter(pk=tenant_id, state=Tenant.State.ACTIVE).first()
        if tenant and sync.work(tenant, SLICE):
            sync_tenant.delay(tenant_id)
